//! What a plugin asks for, as what the daemon is told. What is not here, no plugin can ask for.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, Mount as DockerMount, MountTmpfsOptions,
    MountType, NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
};
use windlass_gate::api::NamedValue;
use windlass_gate::api::docker::{ContainerSpec, Healthcheck, Lifetime, Mount, MountSource, Port, Protocol, Restart};
use windlass_gate::{Call, CallError};

use crate::connect::{Address, Engine};
use crate::{mounts, names, networks, reference, volumes};

/// Most memory in bytes.
const MEMORY: u64 = 1 << 30;
/// Most processors, in thousandths.
const CPU_MILLIS: u32 = 2_000;
/// Most processes.
const PROCESSES: u32 = 1_024;
/// The period over which processor time is shared out, in microseconds.
const CPU_PERIOD: i64 = 100_000;
/// Docker refuses less memory than this.
const LEAST_MEMORY: u64 = 6 << 20;

/// What to make, and what to do before it is started.
pub(super) struct Order {
    pub(super) body: ContainerCreateBody,
    /// Networks that it joins after it was made: the oldest API takes one at creation.
    pub(super) further: Vec<(String, EndpointSettings)>,
}

/// Turns a specification into an order.
pub(super) async fn order(
    engine: &Engine,
    call: &Call,
    name: &str,
    spec: &ContainerSpec,
    lifetime: &Lifetime,
) -> Result<Order, CallError> {
    reference::check_image(&spec.image)?;
    if name.is_empty() && spec.restart != Restart::No {
        return Err(CallError::Invalid("a run to completion cannot have `restart`: it would never be over".to_owned()));
    }
    if spec.no_network && !(spec.networks.is_empty() && spec.ports.is_empty()) {
        return Err(CallError::Invalid(
            "`no-network` excludes `networks` and `ports`; leave one or the other out".to_owned(),
        ));
    }
    let mut labels = HashMap::new();
    names::extend(&mut labels, &spec.labels)?;
    labels.extend(names::labels(call, name, lifetime));
    // What has no name is run to its end: no router is ever told of it.
    if let Some(router) = engine.config.router.as_ref().filter(|_| !name.is_empty()) {
        labels.insert(names::ROUTER.to_owned(), router.clone());
    }
    let mut networks = Vec::new();
    for network in &spec.networks {
        let id = networks::id_of(engine, call, network).await?;
        // Its own name goes without saying.
        let aliases = std::iter::once(name)
            .filter(|name| !name.is_empty())
            .chain(spec.aliases.iter().map(String::as_str))
            .map(str::to_owned)
            .collect();
        networks.push((id, EndpointSettings { aliases: Some(aliases), ..EndpointSettings::default() }));
    }
    let mode = match networks.first() {
        Some((id, _)) => Some(id.clone()),
        None => spec.no_network.then(|| "none".to_owned()),
    };
    let further = networks.split_off(networks.len().min(1));
    let bindings = ports(&spec.ports)?;
    let body = ContainerCreateBody {
        image: Some(spec.image.clone()),
        cmd: spec.command.clone(),
        entrypoint: spec.entrypoint.clone(),
        env: Some(environment(call, &spec.env)?),
        user: spec.user.clone(),
        working_dir: spec.working_directory.clone(),
        labels: Some(labels),
        // Without these the daemon ignores the bindings.
        exposed_ports: Some(bindings.keys().cloned().collect()),
        healthcheck: spec.healthcheck.as_ref().map(healthcheck).transpose()?,
        host_config: Some(HostConfig {
            port_bindings: Some(bindings),
            mounts: Some(mounts_of(engine, call, &spec.mounts).await?),
            network_mode: mode,
            restart_policy: Some(restart(&spec.restart)?),
            readonly_rootfs: Some(spec.read_only_root),
            // Makes stopping quick: a shell as process 1 would ignore SIGTERM.
            init: Some(true),
            // Nobody in the container gains by setuid what the container did not start with.
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            ..limits(spec)?
        }),
        networking_config: Some(NetworkingConfig { endpoints_config: Some(networks.into_iter().collect()) }),
        ..ContainerCreateBody::default()
    };
    Ok(Order { body, further })
}

fn limits(spec: &ContainerSpec) -> Result<HostConfig, CallError> {
    let memory = spec.memory.unwrap_or(MEMORY);
    if memory < LEAST_MEMORY {
        return Err(CallError::Invalid(format!(
            "`memory` is {memory} bytes; Docker needs {LEAST_MEMORY} (6 MiB) at least"
        )));
    }
    let memory = i64::try_from(memory)
        .map_err(|_| CallError::Invalid(format!("`memory` is {memory} bytes, which no machine has")))?;
    let cpu = spec.cpu_millis.unwrap_or(CPU_MILLIS);
    if cpu < 10 {
        return Err(CallError::Invalid(format!("`cpu-millis` is {cpu}; 10 (a hundredth of a processor) is the least")));
    }
    let processes = spec.processes.unwrap_or(PROCESSES);
    if processes == 0 {
        return Err(CallError::Invalid("`processes` is 0, but a container is one process at least".to_owned()));
    }
    Ok(HostConfig {
        memory: Some(memory),
        // The same as memory: no swap beside it, so that the limit is the limit.
        memory_swap: Some(memory),
        // A quota, because the daemon refuses more processors than the machine has; the default must work on every machine.
        cpu_period: Some(CPU_PERIOD),
        cpu_quota: Some(i64::from(cpu) * CPU_PERIOD / 1_000),
        pids_limit: Some(i64::from(processes)),
        ..HostConfig::default()
    })
}

/// The environment with secrets put in.
pub(super) fn environment(call: &Call, env: &[NamedValue]) -> Result<Vec<String>, CallError> {
    env.iter()
        .map(|NamedValue { name, value }| {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(CallError::Invalid(format!("`{name}` cannot be the name of an environment variable")));
            }
            Ok(format!("{name}={}", call.run.secrets.reveal(value)?))
        })
        .collect()
}

pub(crate) fn protocol_name(protocol: &Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    }
}

fn ports(ports: &[Port]) -> Result<HashMap<String, Option<Vec<PortBinding>>>, CallError> {
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for port in ports {
        let address = port.address.as_deref().unwrap_or("127.0.0.1");
        if address.parse::<IpAddr>().is_err() {
            return Err(CallError::Invalid(format!("a port's `address` is `{address}`, which is not an IP address")));
        }
        if port.container == 0 || port.host == Some(0) {
            return Err(CallError::Invalid("a port is 0; leave `host` out to take one that is free".to_owned()));
        }
        let binding = PortBinding {
            host_ip: Some(address.to_owned()),
            host_port: Some(port.host.map_or_else(String::new, |port| port.to_string())),
        };
        bindings
            .entry(format!("{}/{}", port.container, protocol_name(&port.protocol)))
            .or_default()
            .get_or_insert_default()
            .push(binding);
    }
    Ok(bindings)
}

fn restart(restart: &Restart) -> Result<RestartPolicy, CallError> {
    let (name, times) = match restart {
        Restart::No => (RestartPolicyNameEnum::NO, None),
        Restart::OnFailure(times) => (RestartPolicyNameEnum::ON_FAILURE, Some(i64::from(*times))),
        Restart::UnlessStopped => (RestartPolicyNameEnum::UNLESS_STOPPED, None),
        Restart::Always => (RestartPolicyNameEnum::ALWAYS, None),
    };
    Ok(RestartPolicy { name: Some(name), maximum_retry_count: times })
}

fn healthcheck(check: &Healthcheck) -> Result<HealthConfig, CallError> {
    if check.command.is_empty() {
        return Err(CallError::Invalid("`healthcheck` has no command".to_owned()));
    }
    let nanoseconds = |name: &str, milliseconds: u64| {
        i64::try_from(u128::from(milliseconds) * 1_000_000)
            .map_err(|_| CallError::Invalid(format!("`healthcheck.{name}` is {milliseconds} ms, which is too long")))
    };
    Ok(HealthConfig {
        test: Some(std::iter::once("CMD".to_owned()).chain(check.command.iter().cloned()).collect()),
        interval: Some(nanoseconds("interval-ms", check.interval_ms)?),
        timeout: Some(nanoseconds("timeout-ms", check.timeout_ms)?),
        retries: Some(i64::from(check.retries)),
        start_period: Some(nanoseconds("start-period-ms", check.start_period_ms)?),
        start_interval: None,
    })
}

async fn mounts_of(engine: &Engine, call: &Call, asked: &[Mount]) -> Result<Vec<DockerMount>, CallError> {
    let mut all = Vec::new();
    for Mount { source, target, writable } in asked {
        mounts::check_target(target)?;
        let mount = DockerMount { target: Some(target.clone()), read_only: Some(!writable), ..DockerMount::default() };
        match source {
            MountSource::Folder(folder) => {
                let verb = if *writable { "mount-write" } else { "mount" };
                let granted = mounts::resolve(call, &engine.endpoint, verb, folder)?;
                mounts::check_kind(folder, &granted.path)?;
                all.push(DockerMount { typ: Some(MountType::BIND), source: Some(text(&granted.path)?), ..mount });
                // The records of runs lie beneath the folder: an empty folder lies over them.
                for hidden in granted.hidden {
                    let over = text(&Path::new(target).join(hidden))?;
                    all.push(DockerMount { target: Some(over), read_only: Some(true), ..tmpfs(4096) });
                }
            }
            MountSource::Volume(name) => {
                let volume = volumes::existing(engine, call, name).await?;
                all.push(DockerMount { typ: Some(MountType::VOLUME), source: Some(volume), ..mount });
            }
            MountSource::Tmpfs(bytes) => {
                let bytes = i64::try_from(*bytes).map_err(|_| {
                    CallError::Invalid(format!("the tmpfs at `{target}` is {bytes} bytes, which no machine has"))
                })?;
                all.push(DockerMount { target: mount.target, read_only: mount.read_only, ..tmpfs(bytes) });
            }
        }
    }
    Ok(all)
}

fn tmpfs(bytes: i64) -> DockerMount {
    DockerMount {
        typ: Some(MountType::TMPFS),
        tmpfs_options: Some(MountTmpfsOptions { size_bytes: Some(bytes), ..MountTmpfsOptions::default() }),
        ..DockerMount::default()
    }
}

fn text(path: &Path) -> Result<String, CallError> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        CallError::Invalid(format!("{} is not text, so Docker cannot be told of it; rename it", path.display()))
    })
}

/// What to add when the daemon says that a folder is missing that this machine has.
pub(super) fn elsewhere(engine: &Engine) -> &'static str {
    match engine.endpoint.address {
        Address::Unix(_) => "",
        _ => "; folders are mounted from the Docker daemon's own machine, which is another one than this",
    }
}

#[cfg(test)]
mod tests {
    use windlass_gate::api::Value;

    use super::*;
    use crate::testing::{call_in, spec};

    #[test]
    fn limits_are_there_when_nobody_asks() {
        let host = limits(&spec("app")).expect("fine");
        assert_eq!((host.memory, host.memory_swap, host.pids_limit), (Some(1 << 30), Some(1 << 30), Some(1024)));
        assert_eq!((host.cpu_quota, host.cpu_period), (Some(200_000), Some(100_000)));
    }

    #[test]
    fn limits_that_docker_would_refuse_say_so() {
        for wrong in [
            ContainerSpec { memory: Some(1), ..spec("app") },
            ContainerSpec { memory: Some(u64::MAX), ..spec("app") },
            ContainerSpec { cpu_millis: Some(0), ..spec("app") },
            ContainerSpec { processes: Some(0), ..spec("app") },
        ] {
            assert!(matches!(limits(&wrong), Err(CallError::Invalid(_))));
        }
    }

    #[test]
    fn ports_are_published_on_the_loopback_interface() {
        let port = Port { container: 80, host: None, address: None, protocol: Protocol::Tcp };
        let bindings = ports(std::slice::from_ref(&port)).expect("fine");
        assert_eq!(
            bindings["80/tcp"],
            Some(vec![PortBinding { host_ip: Some("127.0.0.1".into()), host_port: Some(String::new()) }])
        );
        assert!(ports(&[Port { address: Some("localhost".into()), ..port.clone() }]).is_err());
        assert!(ports(&[Port { host: Some(0), ..port }]).is_err());
    }

    #[test]
    fn an_environment_variable_has_a_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let call = call_in(folder.path());
        let variable = |name: &str| [NamedValue { name: name.into(), value: Value::Plain("a=b".into()) }];
        assert_eq!(environment(&call, &variable("A")), Ok(vec!["A=a=b".to_owned()]));
        assert!(environment(&call, &variable("")).is_err() && environment(&call, &variable("A=B")).is_err());
    }
}
