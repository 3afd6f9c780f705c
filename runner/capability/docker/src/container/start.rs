//! Starts a container that was made, once.

use bollard::query_parameters::{AttachContainerOptionsBuilder, StartContainerOptions};
use windlass_gate::api::docker::{Container, StartCreated};
use windlass_gate::{Call, CallError};

use super::find::find_existing;
use super::inspect::NEVER;
use crate::connect::{Engine, Made};
use crate::names;

/// Starts a container, unless somebody has: a container that ran and ended must not run again.
pub(crate) async fn start_created(engine: &Engine, args: &StartCreated) -> Result<(), CallError> {
    let id = &args.id;
    names::check_id(id)?;
    let what = || format!("cannot start container {}", short(id));
    match engine.fresh.take(id) {
        Some(Made::Run) => attach(engine, id).await,
        Some(Made::Other) => {}
        None => {
            let found = engine.api.inspect_container(id, None).await.map_err(|error| engine.fault(what(), error))?;
            let started = found.state.and_then(|state| state.started_at).unwrap_or_default();
            if !started.is_empty() && started != NEVER {
                return Ok(());
            }
        }
    }
    let started = engine.api.start_container(id, None::<StartContainerOptions>).await;
    started.map_err(|error| {
        engine.fresh.forget(id);
        engine.fault(what(), error)
    })
}

/// Starts a container that has ended. One that runs is fine, so this can be done twice.
pub(crate) async fn start_again(engine: &Engine, call: &Call, name: &str) -> Result<Container, CallError> {
    let found = find_existing(engine, call, name).await?;
    if !found.running {
        let started = engine.api.start_container(&found.id, None::<StartContainerOptions>).await;
        started.map_err(|error| engine.fault(format_args!("cannot start container `{name}` again"), error))?;
    }
    super::inspect(engine, call, name).await
}

/// Takes hold of the output before there is any, for who waits for the container's end. If that does not go, the log
/// is read instead.
async fn attach(engine: &Engine, id: &str) {
    let options = AttachContainerOptionsBuilder::default().stream(true).stdout(true).stderr(true).build();
    match engine.api.attach_container(id, Some(options)).await {
        Ok(attached) => engine.fresh.keep(id, attached.output),
        Err(error) => tracing::debug!(%error, "cannot attach to a container; its log is read instead"),
    }
}

/// An id as Docker's tools show it.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
