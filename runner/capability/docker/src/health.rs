//! What health checks ask of Docker: where a port is, one command, one look.

use std::net::SocketAddr;
use std::time::Duration;

use bollard::models::PortBinding;
use windlass_gate::api::docker::{
    Container, ContainerSeen, ContainerState, HealthState, Locate, Located, ProbeCommand,
};
use windlass_gate::{Call, CallError};

use crate::connect::Engine;
use crate::container::{self, describe, ended, find, health_of};
use crate::names;
use crate::tail::last_lines;

/// Lines of a command's output in what was seen.
const LINES: usize = 5;

/// How a container's port is reached from here: its own address where the daemon's machine is this
/// one and runs Linux, else the port that it publishes. A published port comes second, since Docker's
/// proxy accepts connections to it whether or not anything listens in the container.
pub(crate) async fn locate(engine: &Engine, call: &Call, args: &Locate) -> Result<Located, CallError> {
    let Some(found) = find(engine, call, &args.container).await? else {
        let state = absent(call, &args.container);
        return Ok(Located { id: String::new(), address: String::new(), running: false, state });
    };
    let id = found.id.clone();
    let inspected = inspect(engine, &args.container, &found.id).await?;
    let settings = inspected.network_settings.clone().unwrap_or_default();
    let seen = describe(engine, call, inspected);
    if seen.state != ContainerState::Running {
        return Ok(Located {
            id,
            address: String::new(),
            running: may_come_up(&seen),
            state: state(engine, &args.container, &seen).await,
        });
    }
    let key = format!("{}/tcp", args.port);
    let bindings = settings.ports.as_ref().and_then(|ports| ports.get(&key)).and_then(Option::as_ref);
    let published = || bindings.into_iter().flatten().find_map(|binding| reachable(engine, binding));
    let own =
        seen.addresses.first().filter(|_| engine.is_here()).map(|address| format!("{}:{}", address.value, args.port));
    match own.or_else(published) {
        Some(address) => Ok(Located { id, address, running: true, state: "it runs".to_owned() }),
        None => {
            let why = if seen.addresses.is_empty() {
                "is in no network"
            } else {
                "has an address on the Docker daemon's machine only"
            };
            let state = format!("it runs, but {why} and does not publish port {}; publish it", args.port);
            Ok(Located { id, address: String::new(), running: true, state })
        }
    }
}

/// Every way in which a container's port is reached from here; none if it does not run.
pub(crate) async fn addresses(engine: &Engine, id: &str, port: u16) -> Result<Vec<SocketAddr>, CallError> {
    names::check_id(id)?;
    let inspected = inspect(engine, id, id).await?;
    if inspected.state.and_then(|state| state.running) != Some(true) {
        return Ok(Vec::new());
    }
    let settings = inspected.network_settings.unwrap_or_default();
    let networks = settings.networks.iter().flatten().filter(|_| engine.is_here());
    let own =
        networks.filter_map(|(_, network)| Some(SocketAddr::new(network.ip_address.as_ref()?.parse().ok()?, port)));
    let key = format!("{port}/tcp");
    let bindings = settings.ports.as_ref().and_then(|ports| ports.get(&key)).and_then(Option::as_ref);
    let published = bindings.into_iter().flatten().filter_map(|binding| reachable(engine, binding)?.parse().ok());
    Ok(own.chain(published).collect())
}

fn reachable(engine: &Engine, binding: &PortBinding) -> Option<String> {
    let port = binding.host_port.as_deref().filter(|port| !port.is_empty())?;
    let address = match binding.host_ip.as_deref().unwrap_or_default() {
        "" | "0.0.0.0" | "127.0.0.1" => engine.host().to_owned(),
        "::" | "::1" => return None,
        other if other.contains(':') => format!("[{other}]"),
        other => other.to_owned(),
    };
    Some(format!("{address}:{port}"))
}

/// Runs a command once. Exit code 0 is healthy.
pub(crate) async fn probe_command(
    engine: &Engine,
    call: &Call,
    args: &ProbeCommand,
) -> Result<ContainerSeen, CallError> {
    let name = &args.container;
    let Some(found) = find(engine, call, name).await? else { return Ok(gone(call, name)) };
    let limit = Duration::from_millis(args.timeout_ms);
    let exit = match container::exec_probe(engine, name, &found.id, args.command.clone(), limit).await {
        Ok(Some(exit)) => exit,
        Ok(None) => {
            return Ok(ContainerSeen {
                healthy: false,
                running: true,
                what: format!("the command did not end within {limit:?}"),
            });
        }
        // A container that does not run takes no command.
        Err(CallError::Conflict(_) | CallError::NotFound(_)) => {
            return look(engine, call, name, &found.id, |_| None).await;
        }
        Err(error) => return Err(error),
    };
    let output = last_lines(&format!("{}\n{}", exit.stdout_tail, exit.stderr_tail), LINES);
    let output = if output.is_empty() { String::new() } else { format!(": {output}") };
    Ok(ContainerSeen {
        healthy: exit.code == 0,
        running: true,
        what: format!("the command ended with exit code {}{output}", exit.code),
    })
}

/// Looks at Docker's own health check once. A container without one is healthy when it runs.
pub(crate) async fn probe_health(engine: &Engine, call: &Call, name: &str) -> Result<ContainerSeen, CallError> {
    let Some(found) = find(engine, call, name).await? else { return Ok(gone(call, name)) };
    look(engine, call, name, &found.id, |health| match health {
        HealthState::None => Some((true, "it runs, and has no health check".to_owned())),
        HealthState::Healthy => Some((true, "its health check says healthy".to_owned())),
        HealthState::Starting => Some((false, "its health check has not decided yet".to_owned())),
        HealthState::Unhealthy => Some((false, "its health check says unhealthy".to_owned())),
    })
    .await
}

async fn look(
    engine: &Engine,
    call: &Call,
    name: &str,
    id: &str,
    judge: impl Fn(HealthState) -> Option<(bool, String)>,
) -> Result<ContainerSeen, CallError> {
    let inspected = inspect(engine, name, id).await?;
    let docker_state = inspected.state.clone().unwrap_or_default();
    let seen = describe(engine, call, inspected);
    if seen.state == ContainerState::Running {
        let output = docker_state
            .health
            .as_ref()
            .and_then(|health| health.log.as_ref())
            .and_then(|log| log.last())
            .and_then(|last| last.output.as_deref());
        let output = last_lines(output.unwrap_or_default(), LINES);
        let (healthy, what) =
            judge(health_of(&docker_state)).unwrap_or_else(|| (false, "it runs, but takes no command".to_owned()));
        let what = if output.is_empty() { what } else { format!("{what}: {output}") };
        return Ok(ContainerSeen { healthy, running: true, what });
    }
    Ok(ContainerSeen { healthy: false, running: may_come_up(&seen), what: state(engine, name, &seen).await })
}

async fn inspect(
    engine: &Engine,
    name: &str,
    id: &str,
) -> Result<bollard::models::ContainerInspectResponse, CallError> {
    engine
        .api
        .inspect_container(id, None)
        .await
        .map_err(|error| engine.fault(format_args!("cannot look at container `{name}`"), error))
}

/// Whether it is worth asking again.
fn may_come_up(seen: &Container) -> bool {
    matches!(seen.state, ContainerState::Restarting | ContainerState::Paused)
}

async fn state(engine: &Engine, name: &str, seen: &Container) -> String {
    match seen.state {
        ContainerState::Created => format!("container `{name}` was never started"),
        ContainerState::Running => "it runs".to_owned(),
        ContainerState::Restarting => format!("Docker is starting container `{name}` again"),
        ContainerState::Paused => format!("container `{name}` is paused"),
        ContainerState::Exited | ContainerState::Dead => ended(engine, name, seen).await,
    }
}

fn absent(call: &Call, name: &str) -> String {
    format!("there is no container `{name}` of pipeline `{}`", call.run.pipeline)
}

fn gone(call: &Call, name: &str) -> ContainerSeen {
    ContainerSeen { healthy: false, running: false, what: absent(call, name) }
}
