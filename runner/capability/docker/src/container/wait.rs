//! Waits for a container's end, while its output flows into the step's log.

use std::pin::pin;
use std::time::Duration;

use bollard::errors::Error;
use bollard::query_parameters::{LogsOptionsBuilder, StopContainerOptionsBuilder, WaitContainerOptionsBuilder};
use futures_util::StreamExt as _;
use windlass_gate::api::docker::{Exit, Wait};
use windlass_gate::{Call, CallError};
use windlass_journal::Stream;

use super::output::Pump;
use super::start::short;
use crate::connect::{Engine, Output};
use crate::names;
use crate::tail::last_lines;

/// How long the rest of the output may take once the container has ended.
const DRAIN: Duration = Duration::from_secs(60);

/// What a container that ran out of time is given between SIGTERM and SIGKILL.
const GRACE_SECONDS: i32 = 2;

/// The exit code of what SIGKILL ended: 128 + 9.
const KILLED: i64 = 137;

/// How often a wait is begun again when its connection breaks and the daemon is still there.
const RECONNECTS: usize = 20;

/// Lines of output in an error message.
const LINES: usize = 20;

/// Waits for the end of a container, and says how it was.
pub(crate) async fn wait(engine: &Engine, call: &Call, args: &Wait) -> Result<Exit, CallError> {
    let id = &args.id;
    names::check_id(id)?;
    let log = |follow| {
        let options = LogsOptionsBuilder::default().follow(follow).stdout(true).stderr(true).build();
        engine.api.logs(id, Some(options))
    };
    let kept = engine.fresh.output(id);
    let mut whole = kept.is_some();
    let output: Output = kept.unwrap_or_else(|| Box::pin(log(true)));
    let mut pump = Pump::new(Some(&call.log));
    let mut timed_out = false;
    let mut unread = None;
    let code = {
        let mut pumping = pin!(pump.run(output));
        let mut ended = pin!(exit_code(engine, id));
        let mut expired = pin!(expiry(args.timeout_ms, call.began_before));
        let mut pumped = false;
        let code = loop {
            tokio::select! {
                code = &mut ended => break code?,
                done = &mut pumping, if !pumped => {
                    pumped = true;
                    unread = done.err();
                }
                () = &mut expired, if !timed_out => {
                    timed_out = true;
                    end(engine, id).await?;
                }
            }
        };
        if !pumped && let Ok(Err(error)) = tokio::time::timeout(DRAIN, pumping).await {
            unread = Some(error);
        }
        code
    };
    whole &= unread.is_none();
    if !whole {
        // A log that is followed ends with the container, and old daemons lose what was printed last. Now it is over,
        // and can be read to its end.
        unread = pump.complete(log(false)).await.err();
    }
    if let Some(error) = unread {
        // A log driver that cannot be read is a choice of the daemon's owner, not a failure of the step.
        call.log.line(Stream::Log, &format!("the output of container {} cannot be read: {error}", short(id)));
    }
    let output = pump.finish();
    if timed_out {
        let limit = args.timeout_ms.map(Duration::from_millis).unwrap_or_default();
        let lines = last_lines(&format!("{}\n{}", output.stdout_tail, output.stderr_tail), LINES);
        let lines =
            if lines.is_empty() { "it printed nothing".to_owned() } else { format!("its last lines:\n{lines}") };
        return Err(CallError::TimedOut(format!(
            "container {} did not end within {limit:?}, so it was stopped; {lines}",
            short(id)
        )));
    }
    // The daemon's own end is every container's end, which says nothing about the container.
    let (alive, oom_killed) = tokio::join!(engine.alive(), was_killed_for_memory(engine, id, code));
    if !alive {
        return Err(went_away(engine, id));
    }
    if code == KILLED && !oom_killed {
        // The kernel's notice can be lost on its way to Docker when the container is gone at once.
        call.log.line(
            Stream::Log,
            &format!(
                "container {} was ended by SIGKILL; Docker does not say that memory was the reason, but it sometimes misses that: if nobody killed it, try a higher `memory`",
                short(id)
            ),
        );
    }
    Ok(Exit { code, oom_killed, stdout_tail: output.stdout_tail, stderr_tail: output.stderr_tail })
}

async fn expiry(timeout_ms: Option<u64>, began_before: Duration) {
    match timeout_ms {
        Some(timeout) => tokio::time::sleep(Duration::from_millis(timeout).saturating_sub(began_before)).await,
        None => std::future::pending().await,
    }
}

async fn exit_code(engine: &Engine, id: &str) -> Result<i64, CallError> {
    let options = WaitContainerOptionsBuilder::default().condition("not-running").build();
    let mut last = None;
    for _ in 0..RECONNECTS {
        let mut answers = engine.api.wait_container(id, Some(options.clone()));
        match answers.next().await {
            Some(Ok(answer)) => return Ok(answer.status_code),
            // bollard's form of an exit code that is not 0.
            Some(Err(Error::DockerContainerWaitError { code, .. })) => return Ok(code),
            // The connection broke. A daemon that restarts quickly, and keeps its containers, is asked again.
            Some(Err(error @ (Error::IOError { .. } | Error::HyperResponseError { .. }))) => last = Some(error),
            None => {}
            Some(Err(error)) => {
                return Err(engine.fault(format_args!("cannot wait for container {}", short(id)), error));
            }
        }
        if !engine.alive().await {
            return Err(went_away(engine, id));
        }
    }
    Err(match last {
        Some(error) => engine.fault(format_args!("cannot wait for container {}", short(id)), error),
        None => went_away(engine, id),
    })
}

fn went_away(engine: &Engine, id: &str) -> CallError {
    CallError::Unavailable(format!(
        "the Docker daemon at {} went away while container {} ran, so how the container ended is not known; start the daemon again, look at its log, and resume the run",
        engine.endpoint,
        short(id)
    ))
}

/// Whether memory was the reason for an end that was not well.
async fn was_killed_for_memory(engine: &Engine, id: &str, code: i64) -> bool {
    if code == 0 {
        return false;
    }
    let found = engine.api.inspect_container(id, None).await;
    found.is_ok_and(|found| found.state.unwrap_or_default().oom_killed == Some(true))
}

async fn end(engine: &Engine, id: &str) -> Result<(), CallError> {
    let options = StopContainerOptionsBuilder::default().t(GRACE_SECONDS).build();
    match engine.api.stop_container(id, Some(options)).await {
        Ok(()) | Err(Error::DockerResponseServerError { status_code: 304 | 404, .. }) => Ok(()),
        Err(error) => Err(engine.fault(format_args!("cannot stop container {}, whose time is over", short(id)), error)),
    }
}
