//! Makes a container: without looking first, because only the daemon's refusal of a name is sure.

use std::time::Duration;

use bollard::errors::Error;
use bollard::models::NetworkConnectRequest;
use bollard::query_parameters::{CreateContainerOptionsBuilder, ListContainersOptionsBuilder};
use tokio::time::Instant;
use windlass_gate::api::docker::{Create, Created};
use windlass_gate::{Call, CallError};

use super::remove::remove_by_force;
use super::spec;
use crate::connect::{Engine, Made};
use crate::names;

/// How long a name may be taken by a container that does not exist (yet, or any more): the daemon
/// is still busy with the request of a process that is gone.
const SETTLE: Duration = Duration::from_secs(20);

/// Makes a container that is not started.
pub(crate) async fn create(engine: &Engine, call: &Call, args: &Create) -> Result<Created, CallError> {
    let Create { name, spec, lifetime } = args;
    if !name.is_empty() {
        names::check("container", name)?;
    }
    let order = spec::order(engine, call, name, spec, lifetime).await?;
    let docker_name = names::container(call);
    let options = CreateContainerOptionsBuilder::default().name(&docker_name).build();
    let deadline = Instant::now() + SETTLE;
    let mut pause = Duration::from_millis(20);
    let id = loop {
        match engine.api.create_container(Some(options.clone()), order.body.clone()).await {
            Ok(made) => {
                let kind = if name.is_empty() { Made::Run } else { Made::Other };
                engine.fresh.note(&made.id, kind);
                break made.id;
            }
            Err(Error::DockerResponseServerError { status_code: 409, message }) => {
                match adopt(engine, call, &docker_name, &message).await? {
                    Some(id) => break id,
                    None if Instant::now() < deadline => {
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(Duration::from_secs(1));
                    }
                    None => {
                        return Err(CallError::Conflict(format!(
                            "the Docker daemon holds the name `{docker_name}`, but has no such container: {message}; restart the daemon"
                        )));
                    }
                }
            }
            Err(error) => return Err(explained(engine, &spec.image, error)),
        }
    };
    let finished = finish(engine, call, name, &id, order.further).await;
    if let Err(error) = finished {
        engine.fresh.forget(&id);
        // Best effort: the first error is the one that matters, and the sweep of the run comes later.
        let _ = remove_by_force(engine, &id).await;
        return Err(error);
    }
    Ok(Created { id })
}

/// The container that has the name already, if it is of this very call.
async fn adopt(engine: &Engine, call: &Call, docker_name: &str, message: &str) -> Result<Option<String>, CallError> {
    match engine.api.inspect_container(docker_name, None).await {
        Ok(found) => {
            let label =
                found.config.and_then(|config| config.labels).and_then(|labels| labels.get(names::CALL).cloned());
            if label == Some(call.identity()) {
                return Ok(found.id);
            }
            Err(CallError::Conflict(format!(
                "the name `{docker_name}` is taken by a container that Windlass did not make ({message}); look at it with `docker inspect {docker_name}`, and rename or remove it"
            )))
        }
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(error) => Err(engine.fault(format_args!("cannot look at container `{docker_name}`"), error)),
    }
}

fn explained(engine: &Engine, image: &str, error: Error) -> CallError {
    match error {
        Error::DockerResponseServerError { status_code: 404, message } => CallError::NotFound(format!(
            "the Docker daemon at {} has no image `{image}` ({message}); build it or pull it first (`docker.pull`)",
            engine.endpoint.address
        )),
        error => {
            let hint = if error.to_string().contains("bind source path does not exist") {
                spec::elsewhere(engine)
            } else {
                ""
            };
            match engine.fault(format_args!("cannot make a container of image `{image}`"), error) {
                CallError::Invalid(message) => CallError::Invalid(message + hint),
                other => other,
            }
        }
    }
}

/// Joins further networks, and makes sure that the name is this container's alone.
async fn finish(
    engine: &Engine,
    call: &Call,
    name: &str,
    id: &str,
    further: Vec<(String, bollard::models::EndpointSettings)>,
) -> Result<(), CallError> {
    for (network, settings) in further {
        let request = NetworkConnectRequest { container: id.to_owned(), endpoint_config: Some(settings) };
        match engine.api.connect_network(&network, request).await {
            Ok(()) => {}
            // An adopted container may have joined before.
            Err(Error::DockerResponseServerError { message, .. }) if message.contains("already exists in network") => {}
            Err(error) => return Err(engine.fault("cannot join a network", error)),
        }
    }
    if name.is_empty() {
        return Ok(());
    }
    // Looked at after the container was made, not before: of two that are made at the same time at
    // least one sees the other here, so there are never two. Both may give way, and say so.
    let options =
        ListContainersOptionsBuilder::default().all(true).filters(&names::made_by(&call.run, Some(name))).build();
    let all = engine
        .api
        .list_containers(Some(options))
        .await
        .map_err(|error| engine.fault("cannot list containers", error))?;
    let Some(other) = all.into_iter().find(|other| other.id.as_deref() != Some(id)) else { return Ok(()) };
    let label = |label: &str| other.labels.as_ref().and_then(|labels| labels.get(label)).cloned().unwrap_or_default();
    let docker_name = other
        .names
        .as_ref()
        .and_then(|names| names.first())
        .map_or_else(|| other.id.clone().unwrap_or_default(), |name| name.trim_start_matches('/').to_owned());
    let maker = label(names::RUN);
    // A run that was killed and can go on is the likeliest reason, and the only one with a way out that loses nothing.
    let resume = if maker == call.run.run {
        ";".to_owned()
    } else {
        format!("; if that run was interrupted, `windlass resume {maker}` ends it and cleans up; otherwise")
    };
    Err(CallError::Conflict(format!(
        "container `{name}` of pipeline `{}` exists already ({}): run {maker} made it in {}{resume} use another name, remove it in a step before (`docker.remove`), or by hand with `docker rm -f {docker_name}`",
        call.run.pipeline,
        other.status.clone().unwrap_or_default(),
        label(names::STEP),
    )))
}
