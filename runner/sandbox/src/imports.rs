//! Looks at a component's imports and exports before it is instantiated, and says in human words
//! what is missing or too new.

use crate::error::SandboxError;
use crate::identity::Identity;

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

/// What a plugin exports.
pub(crate) const STEP: &str = "windlass:step/step";
/// What a plugin may export besides.
const CHECK: &str = "windlass:step/check";
/// What a program exports that knows nothing of Windlass.
pub(crate) const COMMAND: &str = "wasi:cli/run";

/// How a component becomes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is a plugin.
    Step,
    /// It is a program.
    Command,
}

/// Whether the component is one that this host can run, and how.
pub(crate) fn check(plugin: &Identity, exports: &[String], imports: &[String]) -> Result<Way, SandboxError> {
    let exported = |interface: &str| exports.iter().find(|name| split(name).0 == interface);
    let way = match (exported(STEP), exported(COMMAND)) {
        (Some(name), _) if compatible(split(name).1, "0.1.0") => Way::Step,
        (Some(name), _) => {
            let advice = if newer(split(name).1, "0.1.0") {
                "update Windlass, or use an older version of the plugin"
            } else {
                "use a newer version of the plugin"
            };
            return Err(other_version(plugin, name, "windlass:step/step@0.1", advice));
        }
        (None, Some(name)) if compatible(split(name).1, "0.2.0") => Way::Command,
        (None, Some(name)) => {
            return Err(other_version(plugin, name, "wasi:cli/run@0.2", "build it for wasm32-wasip2"));
        }
        (None, None) => {
            let exports = if exports.is_empty() { "nothing".to_owned() } else { format!("`{}`", exports.join("`, `")) };
            return Err(SandboxError::OtherWorld { plugin: plugin.clone(), exports });
        }
    };
    let missing = |import: &String| problem(import).map(|problem| format!("  `{import}`: {problem}"));
    let imports: Vec<String> = imports.iter().filter_map(missing).collect();
    if imports.is_empty() { Ok(way) } else { Err(SandboxError::Imports { plugin: plugin.clone(), imports }) }
}

/// The export by which a plugin says beforehand what makes no sense, if it has one that this host knows.
pub(crate) fn checking(exports: &[String]) -> Option<&String> {
    exports.iter().find(|name| matches!(split(name), (CHECK, version) if compatible(version, "0.1.0")))
}

fn other_version(plugin: &Identity, found: &str, runs: &'static str, advice: &'static str) -> SandboxError {
    SandboxError::OtherVersion { plugin: plugin.clone(), found: found.to_owned(), runs, advice }
}

/// The capabilities that the imported interfaces belong to.
pub(crate) fn capabilities(imports: &[String]) -> impl Iterator<Item = &str> {
    let served =
        imports.iter().map(|import| split(import).0).filter(|name| SERVED.iter().any(|(known, _)| known == name));
    let package = served.filter_map(|name| name.strip_prefix("windlass:")?.split('/').next());
    // Types are no capability.
    package.filter(|package| *package != "value")
}

/// What is wrong with an import, if anything is, and what to do.
pub(crate) fn problem(import: &str) -> Option<String> {
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
        return Some(format!("this Windlass serves {served}; {advice}"));
    }
    let (package, _) = interface.split_once('/').unwrap_or((interface, ""));
    if let Some(wasi) = package.strip_prefix("wasi:") {
        let problem = match (WASI.contains(&wasi), version.starts_with("0.2.")) {
            (true, true) => return None,
            (true, false) => "this Windlass serves WASI 0.2; build the plugin for wasm32-wasip2",
            (false, _) if wasi == "http" => "HTTP goes through the gate; use `windlass:http/http` instead",
            (false, _) => "this part of WASI is not served to plugins",
        };
        return Some(problem.to_owned());
    }
    Some("there is no such interface; it may be from a newer Windlass or from another host".to_owned())
}

/// A name's interface and version.
pub(crate) fn split(name: &str) -> (&str, &str) {
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
        insta::assert_snapshot!(problem("windlass:docker/docker@0.2.0").unwrap(), @"this Windlass serves 0.1.0; it is too new; update Windlass, or use an older version of the plugin");
        insta::assert_snapshot!(problem("windlass:teleport/teleport@0.1.0").unwrap(), @"there is no such interface; it may be from a newer Windlass or from another host");
        insta::assert_snapshot!(problem("wasi:http/outgoing-handler@0.2.0").unwrap(), @"HTTP goes through the gate; use `windlass:http/http` instead");
        insta::assert_snapshot!(problem("wasi:cli/stdout@0.3.0").unwrap(), @"this Windlass serves WASI 0.2; build the plugin for wasm32-wasip2");
    }

    #[test]
    fn a_plugin_is_told_from_a_program() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let plugin = Identity::of("x.wasm", "sha256:0123456789abcdef");
        let way = |exports: &[&str]| check(&plugin, &names(exports), &[]);
        assert_eq!(way(&["windlass:step/step@0.1.0", "wasi:cli/run@0.2.0"]).unwrap(), Way::Step);
        assert_eq!(way(&["wasi:cli/run@0.2.6"]).unwrap(), Way::Command);
        insta::assert_snapshot!(way(&["wasi:cli/run@0.3.0"]).unwrap_err(), @"plugin `x.wasm` (sha256:0123456789ab) exports `wasi:cli/run@0.3.0`, and this Windlass runs `wasi:cli/run@0.2`; build it for wasm32-wasip2");
        assert!(matches!(way(&["run"]), Err(SandboxError::OtherWorld { .. })));
        let imports = names(&["windlass:value/value@0.1.0", "windlass:http/http@0.1.0", "wasi:io/poll@0.2.0"]);
        assert_eq!(capabilities(&imports).collect::<Vec<_>>(), ["http"]);
    }

    #[test]
    fn a_later_patch_fits_and_a_later_minor_does_not() {
        assert!(compatible("0.1.3", "0.1.0"));
        assert!(!compatible("0.2.0", "0.1.0"));
        assert!(compatible("1.4.0", "1.2.0"));
        assert!(!compatible("2.0.0", "1.2.0"));
    }
}
