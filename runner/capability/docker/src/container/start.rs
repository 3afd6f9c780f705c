//! Starts a container that was made, once.

use bollard::query_parameters::StartContainerOptions;
use windlass_gate::CallError;
use windlass_gate::api::docker::StartCreated;

use super::inspect::NEVER;
use crate::connect::Engine;
use crate::names;

/// Starts a container, unless somebody has: a container that ran and ended must not run again.
pub(crate) async fn start_created(engine: &Engine, args: &StartCreated) -> Result<(), CallError> {
    let id = &args.id;
    names::check_id(id)?;
    let what = || format!("cannot start container {}", short(id));
    if !engine.fresh.take(id) {
        let found = engine.api.inspect_container(id, None).await.map_err(|error| engine.fault(what(), error))?;
        let started = found.state.and_then(|state| state.started_at).unwrap_or_default();
        if !started.is_empty() && started != NEVER {
            return Ok(());
        }
    }
    engine.api.start_container(id, None::<StartContainerOptions>).await.map_err(|error| engine.fault(what(), error))
}

/// An id as Docker's tools show it.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
