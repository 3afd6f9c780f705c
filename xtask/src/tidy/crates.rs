//! Rules about crates: floors (a crate uses only floors below its own), walls (one crate per
//! outside world), and a reason beside every dependency.

use super::Finding;
use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The floors, by folder. `capability/` and the rest stand for every crate below them.
const FLOORS: [(&str, u8); 12] = [
    ("runner/pipeline", 1),
    ("runner/journal", 1),
    ("runner/router", 1),
    ("runner/gate", 2),
    ("runner/view", 2),
    ("runner/capability", 3),
    ("runner/registry", 3),
    ("runner/sandbox", 3),
    ("runner/engine", 4),
    ("runner/testkit", 5),
    ("runner/cli", 6),
    // Not of the house, but beside it: these may use every floor, and nobody uses them.
    ("tests", u8::MAX),
];

/// The walls: who alone may depend on crates with these names (a `*` stands for any ending).
const WALLS: [(&str, &[&str]); 7] = [
    ("bollard*", &["runner/capability/docker", "tests"]),
    ("wasmtime*", &["runner/sandbox"]),
    ("rusqlite", &["runner/journal", "tests"]),
    ("pingora*", &["runner/router"]),
    ("oci-client", &["runner/registry"]),
    ("wit-component", &["runner/sandbox"]),
    ("reqwest", &["runner/capability/http", "runner/registry", "tests"]),
];

struct Crate {
    name: String,
    folder: String,
    dependencies: Vec<(String, Kind)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    Dev,
}

pub(super) fn check(root: &Path, files: &[PathBuf]) -> Result<Vec<Finding>> {
    let crates = crates(root)?;
    let mut findings = floors(&crates);
    findings.extend(walls(&crates));
    for manifest in files.iter().filter(|f| f.ends_with("Cargo.toml")) {
        let text = std::fs::read_to_string(root.join(manifest)).doing(|| format!("read {}", manifest.display()))?;
        findings.extend(reasons(&manifest.display().to_string(), &text));
    }
    Ok(findings)
}

/// The members of the workspace, as cargo sees them.
fn crates(root: &Path) -> Result<Vec<Crate>> {
    let answer = Cmd::new("cargo").args(["metadata", "--no-deps", "--format-version=1"]).dir(root).output()?;
    let answer: Value = serde_json::from_str(&answer).doing(|| "read the answer of `cargo metadata`".to_owned())?;
    let packages = answer["packages"].as_array().into_iter().flatten();
    packages
        .map(|package| {
            let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
            let folder = manifest.parent().and_then(|f| f.strip_prefix(root).ok());
            let folder = folder.ok_or_else(|| Failure::new(format!("{} is outside the tree", manifest.display())))?;
            let dependencies = package["dependencies"].as_array().into_iter().flatten().map(|d| {
                let kind = if d["kind"] == "dev" { Kind::Dev } else { Kind::Normal };
                (d["name"].as_str().unwrap_or_default().to_owned(), kind)
            });
            Ok(Crate {
                name: package["name"].as_str().unwrap_or_default().to_owned(),
                folder: folder.display().to_string(),
                dependencies: dependencies.collect(),
            })
        })
        .collect()
}

fn floor(folder: &str) -> Option<u8> {
    let under = |base: &str| folder == base || folder.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
    FLOORS.iter().find(|(base, _)| under(base)).map(|(_, floor)| *floor)
}

fn floors(crates: &[Crate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in crates {
        let place = format!("{}/Cargo.toml", one.folder);
        let Some(mine) = floor(&one.folder).or((one.folder == "xtask").then_some(u8::MAX)) else {
            findings.push(Finding::new(place, "this crate has no floor: give it one in xtask/src/tidy/crates.rs"));
            continue;
        };
        // Tests may reach up: what they use is not built into anything.
        for (name, _) in one.dependencies.iter().filter(|(_, kind)| *kind == Kind::Normal) {
            let Some(other) = crates.iter().find(|c| c.name == *name) else {
                continue;
            };
            let theirs = floor(&other.folder).unwrap_or(u8::MAX);
            // A crate inside another's folder (its derive macros, say) is a part of it.
            let part = other.folder.starts_with(&format!("{}/", one.folder));
            if theirs >= mine && !part {
                findings.push(Finding::new(
                    &place,
                    format!(
                        "{} (floor {mine}) may not depend on {name} (floor {theirs}): a crate uses only floors \
                         below its own",
                        one.name
                    ),
                ));
            }
        }
    }
    findings
}

fn walls(crates: &[Crate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in crates {
        for (name, _) in &one.dependencies {
            let wall = WALLS.iter().find(|(pattern, _)| match pattern.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => name == pattern,
            });
            if let Some((_, owners)) = wall
                && !owners.contains(&one.folder.as_str())
            {
                findings.push(Finding::new(
                    format!("{}/Cargo.toml", one.folder),
                    format!("only {} may depend on {name}: ask it instead", owners.join(" and ")),
                ));
            }
        }
    }
    findings
}

/// Every shared dependency has a comment behind it, or above it, that says what it is for. Our
/// own crates are known by their names.
fn reasons(place: &str, manifest: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut inside = false;
    let mut above = false;
    for (at, line) in manifest.lines().map(str::trim).enumerate() {
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
        } else if inside
            && let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.trim().contains([' ', '#']))
            && !value.contains("path =")
            && !above
            && !comment(value)
        {
            findings.push(Finding::new(
                format!("{place}:{}", at + 1),
                format!("the dependency {} has no reason: say in a comment behind it what it is for", name.trim()),
            ));
        }
        above = line.starts_with('#');
    }
    findings
}

/// Is there a comment with words in it, outside of strings?
fn comment(value: &str) -> bool {
    let mut quoted = false;
    for (at, c) in value.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return !value[at + 1..].trim().is_empty(),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, folder: &str, dependencies: &[&str]) -> Crate {
        let dependencies = dependencies.iter().map(|d| ((*d).to_owned(), Kind::Normal)).collect();
        Crate { name: name.into(), folder: folder.into(), dependencies }
    }

    #[test]
    fn a_crate_uses_only_lower_floors() {
        let gate = || of("gate", "runner/gate", &["journal"]);
        let journal = || of("journal", "runner/journal", &[]);
        assert_eq!(floors(&[gate(), journal()]), []);
        assert_eq!(floors(&[of("view", "runner/view", &["gate"]), gate()]).len(), 1, "the same floor");
        assert_eq!(
            floors(&[of("journal", "runner/journal", &["docker"]), of("docker", "runner/capability/docker", &[])])
                .len(),
            1
        );
        let derive = of("wire", "runner/sandbox/wire", &[]);
        assert_eq!(floors(&[of("sandbox", "runner/sandbox", &["wire"]), derive]), []);
        assert_eq!(floors(&[of("new", "runner/new", &[])]).len(), 1, "a crate without a floor");
        assert_eq!(floors(&[of("xtask", "xtask", &["journal"]), journal()]), []);
        assert_eq!(floors(&[of("cli", "runner/cli", &["tests"]), of("tests", "tests", &[])]).len(), 1);
    }

    #[test]
    fn walls_have_one_owner() {
        assert_eq!(walls(&[of("sandbox", "runner/sandbox", &["wasmtime", "wasmtime-wasi"])]), []);
        assert_eq!(walls(&[of("engine", "runner/engine", &["wasmtime-wasi", "rusqlite", "reqwest"])]).len(), 3);
    }

    #[test]
    fn every_dependency_has_its_reason() {
        let text = "[workspace.dependencies]\nours = { path = \"x\" }\na = \"1\" # why\n# why\nb = \"1\"\n\
                    c = { version = \"1\", features = [\"#\"] }\nd = \"1\" #\n[other]\ne = \"1\"\n";
        let places: Vec<String> = reasons("Cargo.toml", text).into_iter().map(|f| f.place).collect();
        assert_eq!(places, ["Cargo.toml:6", "Cargo.toml:7"]);
    }
}
