//! What is known of a container.

use bollard::errors::Error;
use bollard::models::{
    ContainerInspectResponse, ContainerState as DockerState, ContainerStateStatusEnum, HealthStatusEnum,
    NetworkSettings,
};
use bollard::query_parameters::ListContainersOptionsBuilder;
use futures_util::{StreamExt as _, TryStreamExt as _};
use windlass_gate::api::Pair;
use windlass_gate::api::docker::{Container, ContainerState, HealthState, Protocol, Published};
use windlass_gate::{Call, CallError};

use super::find::find_existing;
use crate::connect::Engine;
use crate::names;

/// What Docker says of a time that has not come.
pub(crate) const NEVER: &str = "0001-01-01T00:00:00Z";

/// How many containers are looked at at the same time.
const AT_ONCE: usize = 8;

/// What is known of the container of this name.
pub(crate) async fn inspect(engine: &Engine, call: &Call, name: &str) -> Result<Container, CallError> {
    let id = find_existing(engine, call, name).await?.id;
    let found = engine
        .api
        .inspect_container(&id, None)
        .await
        .map_err(|error| engine.fault(format_args!("cannot look at container `{name}`"), error))?;
    Ok(describe(engine, call, found))
}

/// The containers of this pipeline, by name, then by time of start.
pub(crate) async fn list(engine: &Engine, call: &Call) -> Result<Vec<Container>, CallError> {
    let options = ListContainersOptionsBuilder::default().all(true).filters(&names::made_by(call, None)).build();
    let all = engine
        .api
        .list_containers(Some(options))
        .await
        .map_err(|error| engine.fault("cannot list containers", error))?;
    let looks = all.into_iter().filter_map(|container| container.id).map(|id| async move {
        match engine.api.inspect_container(&id, None).await {
            Ok(found) => Ok(Some(describe(engine, call, found))),
            // It went away between the two requests.
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => {
                Err(engine.fault(format_args!("cannot look at container {}", super::start::short(&id)), error))
            }
        }
    });
    let mut containers: Vec<_> = futures_util::stream::iter(looks)
        .buffered(AT_ONCE)
        .try_filter_map(|found| async move { Ok(found) })
        .try_collect()
        .await?;
    containers.sort_by(|a, b| (&a.name, &a.started, &a.id).cmp(&(&b.name, &b.started, &b.id)));
    Ok(containers)
}

/// A container in the words of the contract.
pub(crate) fn describe(engine: &Engine, call: &Call, found: ContainerInspectResponse) -> Container {
    let config = found.config.unwrap_or_default();
    let mut labels = config.labels.unwrap_or_default();
    let name = labels.remove(names::NAME).unwrap_or_default();
    let run = labels.remove(names::RUN).unwrap_or_default();
    let docker_state = found.state.unwrap_or_default();
    let state = state_of(&docker_state);
    let settings = found.network_settings.unwrap_or_default();
    Container {
        name,
        id: found.id.unwrap_or_default(),
        image: config.image.unwrap_or_default(),
        image_id: found.image.unwrap_or_default(),
        health: health_of(&docker_state),
        exit_code: matches!(state, ContainerState::Exited | ContainerState::Dead | ContainerState::Restarting)
            .then_some(docker_state.exit_code)
            .flatten(),
        oom_killed: docker_state.oom_killed == Some(true),
        addresses: addresses(call, &settings),
        ports: published(settings),
        labels: names::visible(labels, engine.config.router.as_deref()),
        run,
        started: docker_state.started_at.filter(|started| started != NEVER).unwrap_or_default(),
        state,
    }
}

fn state_of(state: &DockerState) -> ContainerState {
    match state.status {
        Some(ContainerStateStatusEnum::RUNNING) => ContainerState::Running,
        Some(ContainerStateStatusEnum::RESTARTING) => ContainerState::Restarting,
        Some(ContainerStateStatusEnum::PAUSED) => ContainerState::Paused,
        Some(ContainerStateStatusEnum::EXITED) => ContainerState::Exited,
        Some(ContainerStateStatusEnum::REMOVING | ContainerStateStatusEnum::DEAD) => ContainerState::Dead,
        Some(
            ContainerStateStatusEnum::CREATED | ContainerStateStatusEnum::EMPTY | ContainerStateStatusEnum::STOPPING,
        )
        | None => ContainerState::Created,
    }
}

/// What Docker's own health check says.
pub(crate) fn health_of(state: &DockerState) -> HealthState {
    match state.health.as_ref().and_then(|health| health.status) {
        Some(HealthStatusEnum::STARTING) => HealthState::Starting,
        Some(HealthStatusEnum::HEALTHY) => HealthState::Healthy,
        Some(HealthStatusEnum::UNHEALTHY) => HealthState::Unhealthy,
        Some(HealthStatusEnum::NONE | HealthStatusEnum::EMPTY) | None => HealthState::None,
    }
}

fn addresses(call: &Call, settings: &NetworkSettings) -> Vec<Pair> {
    let prefix = names::shared(call, "");
    let mut addresses: Vec<_> = settings
        .networks
        .iter()
        .flatten()
        .filter_map(|(network, endpoint)| {
            let address = endpoint.ip_address.clone().filter(|address| !address.is_empty())?;
            Some(Pair { name: network.strip_prefix(&prefix).unwrap_or(network).to_owned(), value: address })
        })
        .collect();
    addresses.sort_by(|a, b| a.name.cmp(&b.name));
    addresses
}

fn published(settings: NetworkSettings) -> Vec<Published> {
    let mut ports = Vec::new();
    for (port, bindings) in settings.ports.unwrap_or_default() {
        let Some((container, protocol)) = port.split_once('/') else { continue };
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            _ => continue,
        };
        let Ok(container) = container.parse() else { continue };
        for binding in bindings.unwrap_or_default() {
            let Some(host) = binding.host_port.and_then(|port| port.parse().ok()) else { continue };
            ports.push(Published {
                container,
                protocol: protocol.clone(),
                address: binding.host_ip.unwrap_or_default(),
                host,
            });
        }
    }
    ports.sort_by(|a, b| (a.container, &a.address, a.host).cmp(&(b.container, &b.address, b.host)));
    ports
}
