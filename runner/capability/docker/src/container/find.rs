//! Finds a container by its name in the pipeline.

use bollard::errors::Error;
use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};
use bollard::query_parameters::ListContainersOptionsBuilder;
use windlass_gate::{Call, CallError};

use super::start::short;
use crate::connect::Engine;
use crate::names;

/// A container that was found.
pub(crate) struct Found {
    /// Docker's id.
    pub(crate) id: String,
    /// Whether it runs.
    pub(crate) running: bool,
    /// The router that it says it is behind.
    pub(crate) router: Option<String>,
}

/// The container of this name that this pipeline made; of several one that runs, else the newest.
pub(crate) async fn find(engine: &Engine, call: &Call, name: &str) -> Result<Option<Found>, CallError> {
    names::check("container", name)?;
    let options = ListContainersOptionsBuilder::default().all(true).filters(&names::made_by(call, Some(name))).build();
    let all = engine
        .api
        .list_containers(Some(options))
        .await
        .map_err(|error| engine.fault(format_args!("cannot look for container `{name}`"), error))?;
    let best = all.into_iter().max_by_key(|container| (is_running(container), container.created));
    Ok(best.and_then(|mut container| {
        let router = container.labels.as_mut().and_then(|labels| labels.remove(names::ROUTER));
        Some(Found { running: is_running(&container), id: container.id?, router })
    }))
}

/// The router that the container of this id says it is behind.
pub(crate) async fn router_of(engine: &Engine, id: &str) -> Result<Option<String>, CallError> {
    names::check_id(id)?;
    match engine.api.inspect_container(id, None).await {
        Ok(found) => {
            Ok(found.config.and_then(|config| config.labels).and_then(|mut labels| labels.remove(names::ROUTER)))
        }
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(error) => Err(engine.fault(format_args!("cannot look at container {}", short(id)), error)),
    }
}

/// The same, when there has to be one.
pub(crate) async fn find_existing(engine: &Engine, call: &Call, name: &str) -> Result<Found, CallError> {
    find(engine, call, name).await?.ok_or_else(|| {
        CallError::NotFound(format!(
            "there is no container `{name}` of pipeline `{}`; a step sees only what its own pipeline made, by the name that `docker.start` was given",
            call.run.pipeline
        ))
    })
}

fn is_running(container: &ContainerSummary) -> bool {
    matches!(
        container.state,
        Some(
            ContainerSummaryStateEnum::RUNNING
                | ContainerSummaryStateEnum::PAUSED
                | ContainerSummaryStateEnum::RESTARTING
        )
    )
}
