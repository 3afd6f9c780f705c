//! Output of a container or an exec, on its way to the step's log.

use bollard::container::LogOutput;
use bollard::errors::Error;
use futures_util::{Stream, StreamExt as _};
use windlass_gate::StepLog;
use windlass_gate::api::docker::Output;
use windlass_journal::Stream as Target;

use crate::tail::Tail;

/// Writes what comes into the log, and keeps the ends.
pub(super) struct Pump<'a> {
    log: Option<&'a StepLog>,
    stdout: Tail,
    stderr: Tail,
}

impl<'a> Pump<'a> {
    /// Into this log, or nowhere.
    pub(super) fn new(log: Option<&'a StepLog>) -> Self {
        Self { log, stdout: Tail::default(), stderr: Tail::default() }
    }

    /// Takes all that comes.
    pub(super) async fn run(&mut self, stream: impl Stream<Item = Result<LogOutput, Error>>) -> Result<(), Error> {
        let mut stream = std::pin::pin!(stream);
        while let Some(chunk) = stream.next().await {
            self.take(&chunk?);
        }
        Ok(())
    }

    fn take(&mut self, chunk: &LogOutput) {
        let (target, tail, bytes) = match chunk {
            LogOutput::StdOut { message } => (Target::Stdout, &mut self.stdout, message),
            // Without a frame it is the daemon's own word about why something did not start.
            LogOutput::StdErr { message } | LogOutput::Console { message } => {
                (Target::Stderr, &mut self.stderr, message)
            }
            LogOutput::StdIn { .. } => return,
        };
        tail.push(bytes);
        if let Some(log) = self.log {
            log.write(target, bytes);
        }
    }

    /// The ends.
    pub(super) fn finish(self) -> Output {
        Output { stdout_tail: self.stdout.into_text(), stderr_tail: self.stderr.into_text() }
    }
}
