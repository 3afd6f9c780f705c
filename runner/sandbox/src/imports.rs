//! Looks at a component's imports and exports before it is instantiated, and says in human words
//! what is missing or too new.

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::SandboxError;

/// The interfaces that the host serves, with their versions.
pub(crate) const SERVED: &[(&str, &str)] = &[
    ("windlass:value/value", "0.1.0"),
    ("windlass:log/log", "0.1.0"),
    ("windlass:docker/docker", "0.1.0"),
    ("windlass:process/process", "0.1.0"),
    ("windlass:health/health", "0.1.0"),
    ("windlass:http/http", "0.1.0"),
    ("windlass:artifacts/artifacts", "0.1.0"),
    ("windlass:metrics/metrics", "0.1.0"),
    ("windlass:metrics/query", "0.1.0"),
    ("windlass:timer/timer", "0.1.0"),
    ("windlass:traffic/traffic", "0.1.0"),
    ("windlass:approval/approval", "0.1.0"),
];

/// The packages of WASI 0.2 that the host serves.
const WASI: &[&str] = &["cli", "clocks", "filesystem", "io", "random", "sockets"];

const STEP: &str = "windlass:step/step";

/// Whether the component is a plugin that this host can run.
pub(crate) fn check(plugin: &str, engine: &Engine, component: &Component) -> Result<(), SandboxError> {
    let ty = component.component_type();
    let exports: Vec<String> = ty.exports(engine).map(|(name, _)| name.to_owned()).collect();
    match exports.iter().find(|name| split(name).0 == STEP) {
        Some(name) if compatible(split(name).1, "0.1.0") => {}
        Some(name) => {
            let newer = newer(split(name).1, "0.1.0");
            let advice = if newer {
                "update Windlass, or use an older version of the plugin"
            } else {
                "use a newer version of the plugin"
            };
            return Err(SandboxError::OtherStep { plugin: plugin.to_owned(), found: name.clone(), advice });
        }
        None => {
            let exports = if exports.is_empty() { "nothing".to_owned() } else { format!("`{}`", exports.join("`, `")) };
            return Err(SandboxError::OtherWorld { plugin: plugin.to_owned(), exports });
        }
    }
    let imports: Vec<String> = ty.imports(engine).filter_map(|(name, _)| problem(name)).collect();
    if imports.is_empty() { Ok(()) } else { Err(SandboxError::Imports { plugin: plugin.to_owned(), imports }) }
}

/// What is wrong with an import, if anything is.
fn problem(import: &str) -> Option<String> {
    let (interface, version) = split(import);
    if let Some((_, served)) = SERVED.iter().find(|(name, _)| *name == interface) {
        if compatible(version, served) {
            return None;
        }
        let advice = if newer(version, served) {
            "it is too new; update Windlass, or use an older version of the plugin"
        } else {
            "it is too old; use a newer version of the plugin"
        };
        return Some(format!("  `{interface}` in version {version}: this Windlass serves {served}; {advice}"));
    }
    let (package, _) = interface.split_once('/').unwrap_or((interface, ""));
    if let Some(wasi) = package.strip_prefix("wasi:") {
        return match (WASI.contains(&wasi), version.starts_with("0.2.")) {
            (true, true) => None,
            (true, false) => {
                Some(format!("  `{import}`: this Windlass serves WASI 0.2; build the plugin for wasm32-wasip2"))
            }
            (false, _) if wasi == "http" => {
                Some(format!("  `{import}`: HTTP goes through the gate; use `windlass:http/http` instead"))
            }
            (false, _) => Some(format!("  `{import}`: this part of WASI is not served to plugins")),
        };
    }
    Some(format!("  `{import}`: there is no such interface; it may be from a newer Windlass or from another host"))
}

fn split(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, ""))
}

fn numbers(version: &str) -> [u64; 3] {
    let mut parts = version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

/// Whether a host that serves `served` can serve a guest built for `wanted`: the same major
/// version, or the same minor one before 1.0. A later patch may have functions that are missing
/// here; that is noticed when it is linked.
fn compatible(wanted: &str, served: &str) -> bool {
    let (wanted, served) = (numbers(wanted), numbers(served));
    if served[0] > 0 { wanted[0] == served[0] } else { wanted[..2] == served[..2] }
}

fn newer(wanted: &str, served: &str) -> bool {
    numbers(wanted) > numbers(served)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_import_of_the_world_is_served() {
        let world = include_str!("../../../wit/plugin.wit");
        for line in world.lines().filter_map(|line| line.trim().strip_prefix("import ")) {
            let import = line.trim_end_matches(';');
            assert_eq!(problem(import), None, "{import}");
        }
    }

    #[test]
    fn says_what_is_too_new_and_what_is_unknown() {
        insta::assert_snapshot!(problem("windlass:docker/docker@0.2.0").unwrap(), @"  `windlass:docker/docker` in version 0.2.0: this Windlass serves 0.1.0; it is too new; update Windlass, or use an older version of the plugin");
        insta::assert_snapshot!(problem("windlass:teleport/teleport@0.1.0").unwrap(), @"  `windlass:teleport/teleport@0.1.0`: there is no such interface; it may be from a newer Windlass or from another host");
        insta::assert_snapshot!(problem("wasi:http/outgoing-handler@0.2.0").unwrap(), @"  `wasi:http/outgoing-handler@0.2.0`: HTTP goes through the gate; use `windlass:http/http` instead");
        insta::assert_snapshot!(problem("wasi:cli/stdout@0.3.0").unwrap(), @"  `wasi:cli/stdout@0.3.0`: this Windlass serves WASI 0.2; build the plugin for wasm32-wasip2");
    }

    #[test]
    fn a_later_patch_fits_and_a_later_minor_does_not() {
        assert!(compatible("0.1.3", "0.1.0"));
        assert!(!compatible("0.2.0", "0.1.0"));
        assert!(compatible("1.4.0", "1.2.0"));
        assert!(!compatible("2.0.0", "1.2.0"));
    }
}
