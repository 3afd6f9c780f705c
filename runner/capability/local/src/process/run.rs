//! Runs a program through its keeper: its output flows into the step's log, and its time is limited.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use nix::errno::Errno;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command as Spawn};
use tokio::time::timeout;
use windlass_gate::api::process::{Command, Exit};
use windlass_gate::{Call, CallError, StepLog};
use windlass_journal::Stream;

use crate::keeper::{self, Order, Report};
use crate::process::tail::Tail;

/// Time for the keeper beyond the grace that it gives to programs.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs what the order says. Dropping the future ends the program with everything it started.
pub(super) async fn run(keeper: &Path, order: &Order, command: &Command, call: &Call) -> Result<Exit, CallError> {
    let program = &command.program;
    let broken = |error: std::io::Error| {
        CallError::Other(format!("`{program}` cannot be run: its keeper {}: {error}", keeper.display()))
    };
    let line = serde_json::to_string(order)
        .map_err(|error| CallError::Other(format!("`{program}` cannot be run: {error}")))?;
    let (mut child, socket) = start(keeper).map_err(broken)?;
    let (mut stdout, mut stderr) = (Tail::default(), Tail::default());
    let outcome = {
        let out = pump(child.stdout.take(), Stream::Stdout, &call.log, &mut stdout);
        let err = pump(child.stderr.take(), Stream::Stderr, &call.log, &mut stderr);
        let output = async { tokio::join!(out, err) };
        let limit = command.timeout_ms.map(Duration::from_millis);
        beside(converse(socket, line + "\n", limit), output).await
    };
    // The keeper has nothing more to do, so this does not wait; it only takes note of its end.
    let ended = timeout(PATIENCE, child.wait()).await;
    match outcome {
        Outcome::Reported(Report::Ended(code)) => {
            Ok(Exit { code, stdout_tail: stdout.text(), stderr_tail: stderr.text() })
        }
        Outcome::Reported(Report::NotStarted { errno, why }) => Err(not_started(program, errno, &why)),
        Outcome::TimedOut { limit, ended: true } => Err(CallError::TimedOut(format!(
            "`{program}` was ended with everything it started, because it ran longer than its limit of {limit:?}; \
             what it printed is in the step's log. Give it a larger `timeout-ms` if it needs longer"
        ))),
        Outcome::TimedOut { limit, ended: false } => Err(CallError::TimedOut(format!(
            "`{program}` ran longer than its limit of {limit:?}, and the system does not end it; \
             look for it with `ps`: a disk or network that does not answer may hold it"
        ))),
        Outcome::Lost => Err(CallError::Other(format!(
            "`{program}` has lost its keeper ({}), so nobody knows how it ended; look with `ps` whether it still runs",
            match ended {
                Ok(Ok(status)) => status.to_string(),
                _ => "how is not known".to_owned(),
            }
        ))),
    }
}

/// What became of the conversation with the keeper.
enum Outcome {
    Reported(Report),
    TimedOut {
        limit: Duration,
        /// Whether the keeper reported that all of it is gone.
        ended: bool,
    },
    Lost,
}

fn start(keeper: &Path) -> std::io::Result<(Child, UnixStream)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let ours = UnixStream::from_std(ours)?;
    // The keeper itself needs nothing of the environment. It is not killed when dropped: it ends
    // by itself after the tree it keeps, and would leave that alone otherwise.
    let child = Spawn::new(keeper)
        .arg0(keeper::NAME)
        .env_clear()
        .current_dir("/")
        .stdin(std::os::fd::OwnedFd::from(theirs))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    Ok((child, ours))
}

/// Says what to run and waits for the report. At the time limit it has all of it ended.
async fn converse(socket: UnixStream, order: String, limit: Option<Duration>) -> Outcome {
    let (input, mut output) = socket.into_split();
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    let talk = async {
        output.write_all(order.as_bytes()).await?;
        input.read_until(b'\n', &mut line).await
    };
    let limit = match limit {
        None => {
            let _ = talk.await;
            return report(&line).map_or(Outcome::Lost, Outcome::Reported);
        }
        Some(limit) => match timeout(limit, talk).await {
            Ok(_) => return report(&line).map_or(Outcome::Lost, Outcome::Reported),
            Err(_) => limit,
        },
    };
    // Nothing more is to come: this asks the keeper to end all of it.
    let _ = output.shutdown().await;
    let _ = timeout(keeper::GRACE + PATIENCE, input.read_until(b'\n', &mut line)).await;
    Outcome::TimedOut { limit, ended: report(&line).is_some() }
}

fn report(line: &[u8]) -> Option<Report> {
    serde_json::from_slice(line.strip_suffix(b"\n")?).ok()
}

/// Reads an output to its end, into the log and the tail. The log may be cut at its limit; reading
/// goes on, because a program whose output nobody reads stands still.
async fn pump(pipe: Option<impl AsyncRead + Unpin>, stream: Stream, log: &StepLog, tail: &mut Tail) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 16 << 10];
    while let Ok(len @ 1..) = pipe.read(&mut buffer).await {
        let bytes = &buffer[..len];
        log.write(stream, bytes);
        tail.push(bytes);
    }
}

/// The conversation, with the output beside it. When the report is there, what was printed before
/// it is only a moment away; a process that escaped the keeper could hold the pipe open for ever.
async fn beside<T>(conversation: impl Future<Output = T>, output: impl Future) -> T {
    let mut conversation = pin!(conversation);
    let mut output = pin!(output);
    let mut flowing = true;
    let outcome = loop {
        tokio::select! {
            outcome = &mut conversation => break outcome,
            _ = &mut output, if flowing => flowing = false,
        }
    };
    if flowing {
        let _ = timeout(PATIENCE, output).await;
    }
    outcome
}

fn not_started(program: &str, errno: Option<i32>, why: &str) -> CallError {
    match errno.map(Errno::from_raw) {
        // The file itself was found before.
        Some(Errno::ENOENT) => CallError::NotFound(format!(
            "`{program}` cannot be started: the interpreter or loader that it names does not exist"
        )),
        Some(Errno::ENOEXEC) => CallError::Invalid(format!(
            "`{program}` cannot be started: it is neither a program for this machine \
             nor a script whose first line names one (`#!/bin/sh`)"
        )),
        Some(Errno::E2BIG) => CallError::Invalid(format!(
            "`{program}` cannot be started: its arguments and environment are too large for the system; \
             hand large input over as `stdin` or as a file"
        )),
        Some(Errno::EACCES) => CallError::Invalid(format!(
            "`{program}` cannot be started: this user may not run it, or its file system forbids programs; \
             change its permissions"
        )),
        _ => CallError::Other(format!("`{program}` cannot be started: {why}")),
    }
}
