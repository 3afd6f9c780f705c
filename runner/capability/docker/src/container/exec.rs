//! Runs commands in containers.

use std::time::Duration;

use bollard::errors::Error;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::{ExecConfig, ExecInspectResponse};
use windlass_gate::api::docker::{Created, ExecSpec, ExecStart, Exit};
use windlass_gate::{Call, CallError};
use windlass_journal::Stream;

use super::find::find_existing;
use super::output::Pump;
use super::spec::environment;
use crate::connect::{Engine, Made};
use crate::names;

/// What the daemon notes for a command that it could not start, and also for one that it started
/// and then lost sight of, because whoever read its output went away. Only the latter has a process.
const NOT_KNOWN: i64 = 126;

/// Makes an exec that is not started.
pub(crate) async fn create(engine: &Engine, call: &Call, spec: &ExecSpec) -> Result<Created, CallError> {
    let name = &spec.container;
    if spec.command.is_empty() {
        return Err(CallError::Invalid(format!("the command to run in container `{name}` is empty")));
    }
    let found = find_existing(engine, call, name).await?;
    let config = ExecConfig {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(spec.command.clone()),
        env: Some(environment(call, &spec.env)?),
        user: spec.user.clone(),
        working_dir: spec.working_directory.clone(),
        ..ExecConfig::default()
    };
    let made = engine.api.create_exec(&found.id, config).await.map_err(|error| {
        match engine.fault(format_args!("cannot run a command in container `{name}`"), error) {
            CallError::Conflict(message) => CallError::Conflict(format!(
                "{message}; a command needs a container that runs: look at it with `docker.inspect`"
            )),
            other => other,
        }
    })?;
    engine.fresh.note(&made.id, Made::Other);
    Ok(Created { id: made.id })
}

/// Starts an exec unless somebody has, and waits for its end.
pub(crate) async fn start(engine: &Engine, call: &Call, args: &ExecStart) -> Result<Exit, CallError> {
    names::check_id(&args.id)?;
    let limit = args.timeout_ms.map(Duration::from_millis);
    let work = async {
        if engine.fresh.take(&args.id).is_none() {
            let seen = look(engine, args).await?;
            if seen.running == Some(true) || seen.exit_code.is_some() {
                let lost = format!(
                    "the command in container `{}` was started before the crash; what it printed is lost, its exit code is not",
                    args.container
                );
                call.log.line(Stream::Log, &lost);
                let code = settled(engine, args).await?;
                if code == NOT_KNOWN && is_lost(&look(engine, args).await?) {
                    return Err(CallError::Lost(format!(
                        "the runner died while the command in container `{0}` printed, and Docker then lost sight of it: how it ended is not known, and it may still be running",
                        args.container
                    )));
                }
                return Ok(Exit { code, oom_killed: false, stdout_tail: String::new(), stderr_tail: String::new() });
            }
        }
        attached(engine, Some(call), args).await
    };
    within(limit, work).await.unwrap_or_else(|limit| {
        Err(CallError::TimedOut(format!(
            "the command in container `{}` did not end within {limit:?}; it goes on there, because Docker cannot stop it alone: stop the container to end it",
            args.container
        )))
    })
}

/// Whether nobody can know how an exec ended: Docker has lost sight of it, or of its container.
pub(crate) async fn lost(engine: &Engine, id: &str) -> Result<bool, CallError> {
    names::check_id(id)?;
    match engine.api.inspect_exec(id).await {
        Ok(seen) => Ok(is_lost(&seen)),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
        Err(error) => Err(engine.fault("cannot see how a command in a container did", error)),
    }
}

/// Docker's own exit code for what it lost, of something that did run.
fn is_lost(seen: &ExecInspectResponse) -> bool {
    seen.running != Some(true) && seen.exit_code == Some(NOT_KNOWN) && seen.pid.is_some_and(|pid| pid != 0)
}

/// One command of a health check: its output goes nowhere but into the answer.
pub(crate) async fn probe(
    engine: &Engine,
    container: &str,
    id: &str,
    command: Vec<String>,
    limit: Duration,
) -> Result<Option<Exit>, CallError> {
    let work = async {
        let config = ExecConfig {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command),
            ..ExecConfig::default()
        };
        let made =
            engine.api.create_exec(id, config).await.map_err(|error| {
                engine.fault(format_args!("cannot run a command in container `{container}`"), error)
            })?;
        let args = ExecStart { id: made.id, container: container.to_owned(), timeout_ms: None };
        attached(engine, None, &args).await
    };
    within(Some(limit), work).await.map_or(Ok(None), |exit| exit.map(Some))
}

async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Result<T, Duration> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, work).await.map_err(|_| limit),
        None => Ok(work.await),
    }
}

async fn attached(engine: &Engine, call: Option<&Call>, args: &ExecStart) -> Result<Exit, CallError> {
    let what = || format!("cannot run the command in container `{}`", args.container);
    let started =
        engine.api.start_exec(&args.id, None::<StartExecOptions>).await.map_err(|error| engine.fault(what(), error))?;
    let mut pump = Pump::new(call.map(|call| &call.log));
    if let StartExecResults::Attached { output, .. } = started {
        pump.run(output).await.map_err(|error| went_away(engine, args, &error))?;
    }
    let code = settled(engine, args).await?;
    let output = pump.finish();
    Ok(Exit { code, oom_killed: false, stdout_tail: output.stdout_tail, stderr_tail: output.stderr_tail })
}

/// The exit code, as soon as there is one: the daemon notices a little later than the output ends,
/// and a command may close its output and go on.
async fn settled(engine: &Engine, args: &ExecStart) -> Result<i64, CallError> {
    let mut pause = Duration::from_millis(2);
    loop {
        let seen = look(engine, args).await?;
        if seen.running != Some(true)
            && let Some(code) = seen.exit_code
        {
            return Ok(code);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(250));
    }
}

async fn look(engine: &Engine, args: &ExecStart) -> Result<ExecInspectResponse, CallError> {
    engine.api.inspect_exec(&args.id).await.map_err(|error| match error {
        Error::DockerResponseServerError { status_code: 404, .. } => CallError::NotFound(format!(
            "container `{}`, in which the command ran, is gone, so how the command ended is not known",
            args.container
        )),
        error => engine.fault(format_args!("cannot see how the command in container `{}` did", args.container), error),
    })
}

fn went_away(engine: &Engine, args: &ExecStart, error: &Error) -> CallError {
    CallError::Unavailable(format!(
        "the connection to the Docker daemon at {} broke while a command ran in container `{}`: {error}",
        engine.endpoint, args.container
    ))
}
