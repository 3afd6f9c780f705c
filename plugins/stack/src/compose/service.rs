//! A service of a compose file.

use windlass_plugin::docker::{ContainerSpec, Healthcheck, Port, Protocol, Restart};
use windlass_plugin::{NamedValue, Pair, Value};
use windlass_plugin_parts::{PublishedPort, cpu_millis};

use super::values::{Reader, bytes};
use super::{Declared, mounts};
use crate::stack::{Condition, DEFAULT_NETWORK, Need, Service};
use crate::yaml::{Key, Node, Yaml};

const KEYS: &[&str] = &[
    "image",
    "command",
    "entrypoint",
    "environment",
    "ports",
    "volumes",
    "networks",
    "depends_on",
    "healthcheck",
    "restart",
    "user",
    "working_dir",
    "labels",
    "mem_limit",
    "cpus",
    "read_only",
];
const HEALTHCHECK: &[&str] = &["test", "interval", "timeout", "retries", "start_period"];
const PORT: &[&str] = &["target", "published", "host_ip", "protocol"];

/// What to do about keys that people use, and that this has not.
fn hint(key: &str) -> Option<&'static str> {
    Some(match key {
        "build" => "build the image in a step before, with `builtin:image`, and name it here as `image`",
        "container_name" | "hostname" => {
            "take it out: others reach a service by its name, or by `aliases` of a network"
        }
        "expose" | "links" => "take it out: services on one network reach all ports of each other, by name",
        "env_file" => "write the variables in `environment`; values from outside come from the step's `variables`",
        "secrets" | "configs" => {
            "a secret is a variable in `environment`: `variables = { NAME = { secret = \"name\" } }`"
        }
        "deploy" => "limits are `mem_limit` and `cpus` here; several replicas are `builtin:deploy`'s",
        "privileged" | "cap_add" | "devices" | "pid" | "ipc" | "userns_mode" | "security_opt" | "network_mode"
        | "cgroup_parent" => "a container of a pipeline gets no rights over its host",
        "profiles" => "write what is to be started, in a file or a table of its own",
        "extends" => "write the service in full, or use a YAML alias: `<<: *other`",
        "pull_policy" => "an image that the daemon does not have is pulled with `pull = true` of the step",
        "stop_grace_period" => "the step's `grace` holds for all services",
        "tmpfs" => "a table of `services` in pipeline.toml can have memory as a mount",
        "init" => "take it out: every container has an init process",
        _ => return None,
    })
}

/// Reads a service. None if it has mistakes, which are then among the problems.
pub(super) fn read(
    reader: &mut Reader<'_>,
    name: &Key,
    node: &Node,
    declared: &Declared,
    folder: &str,
) -> Option<Service> {
    let place = format!("services.{}.", name.text);
    let map = reader.map(node, place.trim_end_matches('.'))?;
    let mut spec = ContainerSpec::new("");
    let mut needs = Vec::new();
    let mut joined = None;
    for (key, node) in map {
        let at = format!("{place}{}", key.text);
        let at = at.as_str();
        // A key with nothing behind it is as if it were left out.
        if node.value == Yaml::Null && KEYS.contains(&&*key.text) {
            continue;
        }
        match &*key.text {
            "image" => spec.image = reader.text(node, at).unwrap_or_default(),
            "command" => spec.command = reader.words(node, at),
            "entrypoint" => spec.entrypoint = reader.words(node, at),
            "environment" => {
                let pairs = reader.pairs(node, at);
                spec.env = pairs.into_iter().map(|(name, value)| NamedValue { name, value }).collect();
            }
            "labels" => spec.labels = labels(reader, node, at),
            "ports" => spec.ports = each(reader, node, at, port),
            "volumes" => {
                spec.mounts =
                    each(reader, node, at, |reader, node, at| mounts::read(reader, node, at, declared, folder));
            }
            "networks" => joined = networks(reader, node, at, declared, &mut spec.aliases),
            "depends_on" => needs = depends_on(reader, node, at),
            "healthcheck" => spec.healthcheck = healthcheck(reader, node, at),
            "restart" => {
                spec.restart = reader
                    .read(node, at, "one of `no`, `always`, `unless-stopped`, `on-failure` and `on-failure:3`", restart)
                    .unwrap_or(Restart::No);
            }
            "user" => spec.user = reader.text(node, at),
            "working_dir" => spec.working_directory = reader.text(node, at),
            "mem_limit" => spec.memory = reader.read(node, at, "a size like `512m` or `1g`", bytes),
            "cpus" => spec.cpu_millis = cpus(reader, node, at),
            "read_only" => spec.read_only_root = reader.flag(node, at).unwrap_or_default(),
            other if other.starts_with("x-") => {}
            other => reader.unknown(key, &place, KEYS, hint(other)),
        }
    }
    if spec.image.is_empty() && !map.iter().any(|(key, _)| matches!(&*key.text, "image" | "build")) {
        reader.problems.add(name.line, format_args!("{place}image"), "every service needs an `image`");
    }
    spec.networks = joined.unwrap_or_else(|| vec![DEFAULT_NETWORK.to_owned()]);
    Some(Service { name: name.text.clone(), spec, pull: false, check: None, needs })
}

fn each<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    place: &str,
    mut read: impl FnMut(&mut Reader<'_>, &Node, &str) -> Option<T>,
) -> Vec<T> {
    let list = reader.list(node, place).unwrap_or_default();
    list.iter().enumerate().filter_map(|(index, item)| read(reader, item, &format!("{place}[{index}]"))).collect()
}

fn labels(reader: &mut Reader<'_>, node: &Node, place: &str) -> Vec<Pair> {
    let mut labels = Vec::new();
    for (name, value) in reader.pairs(node, place) {
        match value {
            Value::Plain(value) => labels.push(Pair { name, value }),
            Value::Secret(secret) => {
                reader.problems.add(
                    node.line,
                    format_args!("{place}.{name}"),
                    format_args!("the secret `{secret}` cannot be a label, which anybody can read"),
                );
            }
        }
    }
    labels
}

fn cpus(reader: &mut Reader<'_>, node: &Node, place: &str) -> Option<u32> {
    let number = reader.read(node, place, "a number of processors like `0.5`", |text| text.parse::<f64>().ok())?;
    reader.problems.or_add(node.line, place, cpu_millis(number))
}

fn restart(text: &str) -> Option<Restart> {
    Some(match text {
        "no" => Restart::No,
        "always" => Restart::Always,
        "unless-stopped" => Restart::UnlessStopped,
        "on-failure" => Restart::OnFailure(0),
        _ => Restart::OnFailure(text.strip_prefix("on-failure:")?.parse().ok()?),
    })
}

fn port(reader: &mut Reader<'_>, node: &Node, place: &str) -> Option<Port> {
    let Yaml::Map(_) = &node.value else {
        let wanted = "a port like `8080`, `80:8080` or `127.0.0.1:80:8080`; ranges are not supported";
        return reader.read(node, place, wanted, PublishedPort::parse).map(|port| port.0);
    };
    let (mut container, mut port) = (None, Port::tcp(0));
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
    for (key, item) in reader.map(node, place)? {
        let at = format!("{place}.{}", key.text);
        match &*key.text {
            "target" => container = reader.read(item, &at, "a port", number),
            "published" => port.host = reader.read(item, &at, "a port", number),
            "host_ip" => port.address = reader.text(item, &at),
            "protocol" => {
                port.protocol = reader.read(item, &at, "`tcp` or `udp`", |text| match text {
                    "tcp" => Some(Protocol::Tcp),
                    "udp" => Some(Protocol::Udp),
                    _ => None,
                })?;
            }
            _ => reader.unknown(key, &format!("{place}."), PORT, None),
        }
    }
    match container {
        Some(container) => Some(Port { container, ..port }),
        None => reader.wrong(node, place, "this needs a `target`, the port inside the container"),
    }
}

/// A list of names, or a mapping with aliases.
fn networks(
    reader: &mut Reader<'_>,
    node: &Node,
    place: &str,
    declared: &Declared,
    aliases: &mut Vec<String>,
) -> Option<Vec<String>> {
    let names = match &node.value {
        Yaml::Map(map) => {
            for (name, item) in map {
                let place = format!("{place}.{}.", name.text);
                for (key, item) in reader.map(item, place.trim_end_matches('.'))? {
                    match &*key.text {
                        "aliases" => {
                            let more = reader.texts(item, &format!("{place}aliases"))?;
                            aliases
                                .extend(more.into_iter().filter(|alias| !aliases.contains(alias)).collect::<Vec<_>>());
                        }
                        _ => reader.unknown(key, &place, &["aliases"], None),
                    }
                }
            }
            map.iter().map(|(key, _)| key.text.clone()).collect()
        }
        _ => reader.texts(node, place)?,
    };
    if let Some(unknown) = names.iter().find(|name| !declared.networks.contains_key(*name)) {
        return reader.wrong(
            node,
            place,
            format_args!("there is no network `{unknown}`; declare it in `networks` at the top"),
        );
    }
    Some(names)
}

/// A list of names, each of which has to be started, or a mapping with conditions.
fn depends_on(reader: &mut Reader<'_>, node: &Node, place: &str) -> Vec<Need> {
    let Yaml::Map(map) = &node.value else {
        let names = reader.texts(node, place).unwrap_or_default();
        return names.into_iter().map(|service| Need { service, condition: Condition::Started }).collect();
    };
    let mut needs = Vec::new();
    for (name, item) in map {
        let place = format!("{place}.{}.", name.text);
        let mut condition = Condition::Started;
        for (key, item) in reader.map(item, place.trim_end_matches('.')).unwrap_or_default() {
            let at = format!("{place}{}", key.text);
            match &*key.text {
                "condition" => {
                    let wanted = "supported; `service_started` and `service_healthy` are. What has to run to its end before others start is a step of its own";
                    let read = reader.read(item, &at, wanted, |text| match text {
                        "service_started" => Some(Condition::Started),
                        "service_healthy" => Some(Condition::Healthy),
                        _ => None,
                    });
                    condition = read.unwrap_or(condition);
                }
                _ => reader.unknown(key, &place, &["condition"], None),
            }
        }
        needs.push(Need { service: name.text.clone(), condition });
    }
    needs
}

/// With the defaults of compose.
fn healthcheck(reader: &mut Reader<'_>, node: &Node, place: &str) -> Option<Healthcheck> {
    let mut check =
        Healthcheck { command: Vec::new(), interval_ms: 30_000, timeout_ms: 30_000, retries: 3, start_period_ms: 0 };
    for (key, item) in reader.map(node, place)? {
        let at = format!("{place}.{}", key.text);
        match &*key.text {
            "test" => check.command = test(reader, item, &at)?,
            "interval" => check.interval_ms = reader.millis(item, &at)?,
            "timeout" => check.timeout_ms = reader.millis(item, &at)?,
            "start_period" => check.start_period_ms = reader.millis(item, &at)?,
            "retries" => check.retries = reader.read(item, &at, "a number", |text| text.parse().ok())?,
            "disable" => reader.unknown(key, &format!("{place}."), HEALTHCHECK, Some(NO_CHECK)),
            _ => reader.unknown(key, &format!("{place}."), HEALTHCHECK, None),
        }
    }
    if check.command.is_empty() {
        // The image's own check with other times cannot be said to the host.
        return reader.wrong(node, place, "this needs a `test`");
    }
    Some(check)
}

const NO_CHECK: &str = "the check of an image cannot be turned off; give the service one that fits it";

fn test(reader: &mut Reader<'_>, node: &Node, place: &str) -> Option<Vec<String>> {
    let shell = |script: String| vec!["/bin/sh".to_owned(), "-c".to_owned(), script];
    if let Yaml::Text(script) = &node.value {
        return Some(shell(script.clone()));
    }
    let mut words = reader.texts(node, place)?.into_iter();
    match (words.next().as_deref(), words.len()) {
        (Some("CMD"), 1..) => Some(words.collect()),
        (Some("CMD-SHELL"), 1) => words.next().map(shell),
        (Some("NONE"), 0) => reader.wrong(node, place, format_args!("not supported; {NO_CHECK}")),
        _ => reader.wrong(
            node,
            place,
            "a test is `[CMD, program, argument]`, `[CMD-SHELL, script]` or a script as a text",
        ),
    }
}
