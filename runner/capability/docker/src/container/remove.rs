//! Stops and removes containers; twice is the same as once.

use std::time::Duration;

use bollard::errors::Error;
use bollard::query_parameters::{
    RemoveContainerOptionsBuilder, StopContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use windlass_gate::api::docker::{Remove, RemoveCreated, Stop};
use windlass_gate::{Call, CallError};

use super::find::{find, find_existing};
use super::start::short;
use crate::connect::Engine;
use crate::names;

/// How long the daemon may take beyond the grace that it was given.
const SLACK: Duration = Duration::from_secs(30);

/// How long a removal that somebody else began may take.
const GONE: Duration = Duration::from_secs(30);

/// Stops a container. One that has ended is fine.
pub(crate) async fn stop(engine: &Engine, call: &Call, args: &Stop) -> Result<(), CallError> {
    let name = &args.container;
    let found = find_existing(engine, call, name).await?;
    // Docker counts in seconds, and 0 would be SIGKILL at once.
    let seconds = args.grace_ms.div_ceil(1_000);
    let options = StopContainerOptionsBuilder::default().t(i32::try_from(seconds).unwrap_or(i32::MAX)).build();
    let patient = engine.api.clone().with_timeout(Duration::from_secs(seconds).saturating_add(SLACK));
    match patient.stop_container(&found.id, Some(options)).await {
        Ok(()) | Err(Error::DockerResponseServerError { status_code: 304, .. }) => Ok(()),
        Err(error) => Err(engine.fault(format_args!("cannot stop container `{name}`"), error)),
    }
}

/// Removes a container by its name. One that is gone is fine.
pub(crate) async fn remove(engine: &Engine, call: &Call, args: &Remove) -> Result<(), CallError> {
    let name = &args.container;
    let Some(found) = find(engine, call, name).await? else { return Ok(()) };
    if found.running && !args.force {
        return Err(CallError::Conflict(format!(
            "container `{name}` runs; stop it first (`docker.stop`), or remove it with `force`"
        )));
    }
    take_away(engine, &found.id, args.force).await
}

/// Removes a container that was made, whatever it does.
pub(crate) async fn remove_created(engine: &Engine, args: &RemoveCreated) -> Result<(), CallError> {
    names::check_id(&args.id)?;
    take_away(engine, &args.id, true).await
}

/// Removes a container whatever it does, its anonymous volumes included.
pub(crate) async fn remove_by_force(engine: &Engine, id: &str) -> Result<(), CallError> {
    take_away(engine, id, true).await
}

async fn take_away(engine: &Engine, id: &str, force: bool) -> Result<(), CallError> {
    engine.fresh.forget(id);
    let options = RemoveContainerOptionsBuilder::default().force(force).v(true).build();
    match engine.api.remove_container(id, Some(options)).await {
        Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
        Err(Error::DockerResponseServerError { status_code: 409, message })
            if message.contains("already in progress") =>
        {
            gone(engine, id).await
        }
        Err(error) => Err(engine.fault(format_args!("cannot remove container {}", short(id)), error)),
    }
}

/// Waits until a removal that somebody else began is over.
async fn gone(engine: &Engine, id: &str) -> Result<(), CallError> {
    let options = WaitContainerOptionsBuilder::default().condition("removed").build();
    let mut answers = engine.api.wait_container(id, Some(options));
    match tokio::time::timeout(GONE, answers.next()).await {
        Ok(Some(Err(Error::DockerResponseServerError { status_code: 404, .. }))) => Ok(()),
        Ok(Some(Err(error @ Error::DockerResponseServerError { .. }))) => {
            Err(engine.fault(format_args!("cannot see container {} go", short(id)), error))
        }
        Ok(_) => Ok(()),
        Err(_) => Err(CallError::TimedOut(format!(
            "container {} is being removed by somebody else for more than {GONE:?}; look at the Docker daemon's log",
            short(id)
        ))),
    }
}
