//! The common subset of a compose file. What it does not have is refused by name: a key that is passed over would be a
//! service that is not what its file says.

mod interpolate;
mod mounts;
mod problems;
mod service;
mod values;

use std::collections::BTreeMap;

use windlass_plugin::{Failure, bail};

pub(crate) use interpolate::Variables;

use crate::stack::{DEFAULT_NETWORK, Stack};
use crate::yaml::{self, Key, Node, Yaml};
use problems::Problems;
use values::Reader;

/// What stands at the top.
const TOP: &[&str] = &["services", "networks", "volumes"];
const NETWORK: &[&str] = &["internal"];

/// Where a compose file comes from.
pub(crate) struct Source<'s> {
    /// Its name in messages.
    pub(crate) name: &'s str,
    /// The folder that its paths are relative to, itself relative to the pipeline's.
    pub(crate) folder: &'s str,
}

/// What the file declares for all of its services.
#[derive(Default)]
struct Declared {
    /// Networks, and whether they are cut off from the outside.
    networks: BTreeMap<String, bool>,
    volumes: Vec<String>,
}

/// Reads a compose file.
///
/// # Errors
/// All of its mistakes, and all that is not supported, with lines and places.
pub(crate) fn read(text: &str, source: &Source<'_>, variables: &Variables) -> Result<Stack, Failure> {
    let root = yaml::read(source.name, text)?;
    let Yaml::Map(top) = root.value else {
        bail!("{}:{}: a compose file is a mapping, and this is {}", source.name, root.line, root.value.kind());
    };
    let mut problems = Problems::default();
    let mut declared =
        Declared { networks: BTreeMap::from([(DEFAULT_NETWORK.to_owned(), false)]), ..Declared::default() };
    let mut services: Vec<(Key, Node)> = Vec::new();
    for (key, mut node) in top {
        // `x-...` is where people keep what they refer to by aliases.
        if matches!(&*key.text, "name" | "version") || key.text.starts_with("x-") {
            continue;
        }
        interpolate::interpolate(&mut node, &key.text, variables, &mut problems);
        let mut reader = Reader { problems: &mut problems };
        match &*key.text {
            "services" => match node.value {
                Yaml::Map(map) => services = map,
                _ => reader.map(&node, "services").map_or((), |_| ()),
            },
            "networks" => networks(&mut reader, &node, &mut declared),
            "volumes" => volumes(&mut reader, &node, &mut declared),
            other => reader.unknown(&key, "", TOP, top_hint(other)),
        }
    }
    if services.is_empty() {
        problems.add(root.line, "services", "there is no service in this file");
    }
    let mut stack = Stack::default();
    for (key, node) in &services {
        let mut reader = Reader { problems: &mut problems };
        if let Some(service) = service::read(&mut reader, key, node, &declared, source.folder) {
            for network in &service.spec.networks {
                stack.networks.insert(network.clone(), declared.networks.get(network).copied().unwrap_or_default());
            }
            stack.volumes.extend(mounts::volumes_of(&service.spec.mounts));
            stack.services.push(service);
        }
    }
    problems.finish(source.name)?;
    stack.ordered("depends_on").map_err(|failure| failure.context(source.name))
}

fn top_hint(key: &str) -> Option<&'static str> {
    Some(match key {
        "secrets" | "configs" => {
            "give a service a secret by a variable in `environment`, and a file by a bind in `volumes`"
        }
        "include" => "write the services of the other file here, or in a step of their own",
        _ => return None,
    })
}

fn networks(reader: &mut Reader<'_>, node: &Node, declared: &mut Declared) {
    for (name, network) in reader.map(node, "networks").unwrap_or_default() {
        let place = format!("networks.{}.", name.text);
        let mut internal = false;
        for (key, node) in reader.map(network, place.trim_end_matches('.')).unwrap_or_default() {
            let at = format!("{place}{}", key.text);
            match &*key.text {
                "internal" => internal = reader.flag(node, &at).unwrap_or_default(),
                // What is made anyway.
                "driver" => {
                    let _ = reader.read(node, &at, "supported: a network here is of the driver `bridge`", is("bridge"));
                }
                _ if key.text.starts_with("x-") => {}
                "external" | "name" => reader.unknown(key, &place, NETWORK, Some(BY_NAME)),
                _ => reader.unknown(key, &place, NETWORK, None),
            }
        }
        declared.networks.insert(name.text.clone(), internal);
    }
}

/// Why nothing needs to be said of where a network or a volume comes from.
const BY_NAME: &str =
    "take it out: one of this name that the pipeline made before is taken as it is, another one is never touched";

fn volumes(reader: &mut Reader<'_>, node: &Node, declared: &mut Declared) {
    for (name, volume) in reader.map(node, "volumes").unwrap_or_default() {
        let place = format!("volumes.{}.", name.text);
        for (key, node) in reader.map(volume, place.trim_end_matches('.')).unwrap_or_default() {
            let at = format!("{place}{}", key.text);
            match &*key.text {
                "driver" => {
                    let _ = reader.read(node, &at, "supported: a volume here is of the driver `local`", is("local"));
                }
                _ if key.text.starts_with("x-") => {}
                "external" | "name" => reader.unknown(key, &place, &[], Some(BY_NAME)),
                _ => reader.unknown(key, &place, &[], Some("a volume has a name and nothing else")),
            }
        }
        declared.volumes.push(name.text.clone());
    }
}

fn is(wanted: &'static str) -> impl FnOnce(&str) -> Option<()> {
    move |text| (text == wanted).then_some(())
}

#[cfg(test)]
mod tests;
