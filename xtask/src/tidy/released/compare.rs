//! What of a released contract the present one breaks: plugins are out there that were compiled against it.

use super::shape::{Contract, Interface, Package, Shape, World};
use std::collections::BTreeMap;
use wit_parser::PackageName;

/// Something that plugins were compiled against and that is no longer so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// The package of the present contract, if it is still there.
    pub(super) package: Option<String>,
    pub(super) text: String,
}

/// Holds the present contract against a released one. Only additions pass: packages, interfaces, functions, types and
/// imports of a world.
pub(super) fn broken(released: &Contract, present: &Contract) -> Vec<Broken> {
    let mut found = Vec::new();
    for (track, old) in &released.0 {
        let Some(new) = present.0.get(track) else {
            let text = format!(
                "{} is released, and its package is gone: plugins that were built against it need it for ever; bring it \
                 back, and put a new version beside it",
                old.name
            );
            found.push(Broken { package: None, text });
            continue;
        };
        found.extend(package(old, new).into_iter().map(|what| Broken {
            package: Some(new.name.to_string()),
            text: format!(
                "{what}, but {} is released, and plugins that were built against it would no longer run: leave it as it \
                 was, and make the change in a new {}, beside this one",
                old.name,
                next(&new.name)
            ),
        }));
    }
    found
}

fn package(old: &Package, new: &Package) -> Vec<String> {
    let mut broken = Vec::new();
    if new.name.version < old.name.version {
        broken.push(format!("{} is older than what was released", new.name));
    }
    for (name, old) in &old.interfaces {
        let place = format!("interface `{name}` of {}", new.name);
        match new.interfaces.get(name) {
            Some(new) => broken.extend(interface(&place, old, new)),
            None => broken.push(format!("{place} is gone")),
        }
    }
    for (name, old) in &old.worlds {
        let place = format!("world `{name}` of {}", new.name);
        match new.worlds.get(name) {
            Some(new) => broken.extend(world(&place, old, new)),
            None => broken.push(format!("{place} is gone")),
        }
    }
    broken
}

fn interface(place: &str, old: &Interface, new: &Interface) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, old) in &old.types {
        match new.types.get(name) {
            Some(new) => broken.extend(shape(&format!("`{name}` in {place}"), old, new)),
            None => broken.push(format!("type `{name}` in {place} is gone")),
        }
    }
    for (name, old) in &old.functions {
        match new.functions.get(name) {
            Some(new) if new == old => {}
            Some(new) => broken.push(format!("function `{name}` in {place} was `{old}` and is now `{new}`")),
            None => broken.push(format!("function `{name}` in {place} is gone")),
        }
    }
    broken
}

fn shape(place: &str, old: &Shape, new: &Shape) -> Vec<String> {
    match (old, new) {
        (old, new) if old == new => Vec::new(),
        (Shape::Parts { kind, part, parts: old }, Shape::Parts { kind: now, parts: new, .. }) if kind == now => {
            parts(&format!("{kind} {place}"), part, old, new)
        }
        (Shape::Alias(old), Shape::Alias(new)) => vec![format!("type {place} was `{old}` and is now `{new}`")],
        (old, new) => vec![format!("type {place} was {} and is now {}", kind(old), kind(new))],
    }
}

fn kind(shape: &Shape) -> String {
    match shape {
        Shape::Parts { kind, .. } => format!("of kind {kind}"),
        Shape::Alias(of) => format!("`{of}`"),
    }
}

/// Fields or cases. Their number, order and types are the layout of the value in a plugin's memory.
fn parts(place: &str, part: &str, old: &[(String, String)], new: &[(String, String)]) -> Vec<String> {
    let find = |parts: &[(String, String)], name: &str| parts.iter().find(|(n, _)| n == name).map(|(_, ty)| ty.clone());
    let typed = |ty: String| if ty.is_empty() { "without a value".to_owned() } else { format!("`{ty}`") };
    let mut broken = Vec::new();
    for (name, old) in old {
        match find(new, name) {
            Some(new) if new == *old => {}
            Some(new) => {
                let (old, new) = (typed(old.clone()), typed(new));
                broken.push(format!("{part} `{name}` of {place} was {old} and is now {new}"));
            }
            None => broken.push(format!("{part} `{name}` of {place} is gone")),
        }
    }
    let added = new.iter().filter(|(name, _)| find(old, name).is_none());
    broken.extend(added.map(|(name, _)| format!("{part} `{name}` of {place} is new")));
    if broken.is_empty() {
        broken.push(format!("the {part}s of {place} have another order"));
    }
    broken
}

fn world(place: &str, old: &World, new: &World) -> Vec<String> {
    let mut broken = kept(place, "imports", &old.imports, &new.imports);
    broken.extend(kept(place, "exports", &old.exports, &new.exports));
    // No older plugin has what a world begins to ask for.
    let asked = new.exports.keys().filter(|name| !old.exports.contains_key(*name));
    broken.extend(asked.map(|name| format!("{place} asks plugins for `{name}` besides")));
    broken
}

fn kept(place: &str, does: &str, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<String> {
    let changed = old.iter().filter_map(|(name, old)| match new.get(name) {
        Some(new) if new == old => None,
        Some(_) => Some(format!("what {place} {does} as `{name}` has changed")),
        None => Some(format!("{place} no longer {does} `{name}`")),
    });
    changed.collect()
}

/// The version that may differ, in words.
fn next(name: &PackageName) -> String {
    let (step, version) = match &name.version {
        Some(version) if version.major > 0 => ("major", format!("@{}.0.0", version.major + 1)),
        Some(version) => ("minor", format!("@0.{}.0", version.minor + 1)),
        None => ("minor", String::new()),
    };
    format!("{step} version, {}:{}{version}", name.namespace, name.name)
}
