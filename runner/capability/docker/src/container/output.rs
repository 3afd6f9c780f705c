//! Output of a container or an exec, on its way to the step's log.

use bollard::container::LogOutput;
use bollard::errors::Error;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use windlass_gate::StepLog;
use windlass_gate::api::docker::Output;
use windlass_journal::Stream as Target;

use crate::tail::Tail;

/// Writes what comes into the log, and keeps the ends.
pub(super) struct Pump<'a> {
    log: Option<&'a StepLog>,
    stdout: Sink,
    stderr: Sink,
}

/// One of the two streams.
#[derive(Default)]
struct Sink {
    tail: Tail,
    /// How many bytes were taken.
    taken: u64,
    /// How many of the bytes that come were taken before.
    known: u64,
}

impl Sink {
    /// The bytes that are new.
    fn new_ones(&mut self, bytes: &Bytes) -> Bytes {
        let known = usize::try_from(self.known).unwrap_or(usize::MAX).min(bytes.len());
        self.known -= known as u64;
        self.taken += (bytes.len() - known) as u64;
        bytes.slice(known..)
    }
}

impl<'a> Pump<'a> {
    /// Into this log, or nowhere.
    pub(super) fn new(log: Option<&'a StepLog>) -> Self {
        Self { log, stdout: Sink::default(), stderr: Sink::default() }
    }

    /// Takes all that comes.
    pub(super) async fn run(&mut self, stream: impl Stream<Item = Result<LogOutput, Error>>) -> Result<(), Error> {
        let mut stream = std::pin::pin!(stream);
        while let Some(chunk) = stream.next().await {
            self.take(&chunk?);
        }
        Ok(())
    }

    /// Takes all of a log of which it took a part: what it has already is passed over.
    pub(super) async fn complete(&mut self, log: impl Stream<Item = Result<LogOutput, Error>>) -> Result<(), Error> {
        for sink in [&mut self.stdout, &mut self.stderr] {
            sink.known = sink.taken;
        }
        self.run(log).await
    }

    fn take(&mut self, chunk: &LogOutput) {
        let (target, sink, bytes) = match chunk {
            LogOutput::StdOut { message } => (Target::Stdout, &mut self.stdout, message),
            // Without a frame it is the daemon's own word about why something did not start.
            LogOutput::StdErr { message } | LogOutput::Console { message } => {
                (Target::Stderr, &mut self.stderr, message)
            }
            LogOutput::StdIn { .. } => return,
        };
        let bytes = sink.new_ones(bytes);
        if bytes.is_empty() {
            return;
        }
        sink.tail.push(&bytes);
        if let Some(log) = self.log {
            log.write(target, &bytes);
        }
    }

    /// The ends.
    pub(super) fn finish(self) -> Output {
        Output { stdout_tail: self.stdout.tail.into_text(), stderr_tail: self.stderr.tail.into_text() }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn out(text: &'static str) -> Result<LogOutput, Error> {
        Ok(LogOutput::StdOut { message: Bytes::from_static(text.as_bytes()) })
    }

    fn err(text: &'static str) -> Result<LogOutput, Error> {
        Ok(LogOutput::StdErr { message: Bytes::from_static(text.as_bytes()) })
    }

    #[tokio::test]
    async fn a_log_is_completed_without_doubles() {
        let mut pump = Pump::new(None);
        pump.run(stream::iter([out("one\n"), err("a\n"), out("tw")])).await.expect("taken");
        pump.complete(stream::iter([out("one\ntwo\n"), err("a\n"), err("b\n"), out("three\n")])).await.expect("taken");
        let output = pump.finish();
        assert_eq!((output.stdout_tail.as_str(), output.stderr_tail.as_str()), ("one\ntwo\nthree\n", "a\nb\n"));
    }
}
