//! What is there when a run has ended, and how two of them differ.

use super::docker::{self, Made};
use super::normalise::Own;
use super::place::Place;
use crate::failure::{Doing, Result};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long programs of the run may take to end after it.
const PROGRAMS: Duration = Duration::from_secs(3);

/// What is there after a run: facts by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct World {
    pub(super) facts: BTreeMap<String, String>,
    /// What was made in Docker, and how often.
    pub(super) made: Made,
    /// How often programs and requests ran that change something, by the step's name.
    pub(super) performed: BTreeMap<String, u64>,
}

impl World {
    /// Looks at everything; `code` is what the last process of the run ended with.
    pub(super) fn take(place: &Place<'_>, code: i32) -> Result<Self> {
        let mut world = Self::default();
        let show = place.show()?;
        let workspace = place.workspace.display().to_string();
        let own = Own { name: &place.name, run: show["run"].as_str().unwrap_or_default(), workspace: &workspace };
        world.fact("exit code", code);
        world.run(&show, &own);
        let harness = place.harness;
        for thing in docker::things(&harness.engine, &place.name)? {
            let count = world.facts.get(&thing.role).and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
            world.fact(&thing.role, count + 1);
        }
        for (name, id) in docker::images(&harness.engine, &format!("{}/{}", harness.registry, place.name))? {
            world.fact(&own.text(&format!("image {name}")), id);
        }
        for (name, value) in harness.router.facts(&place.name)? {
            world.fact(&name, value);
        }
        for (tag, digest) in docker::tags(&harness.registry, &place.name)? {
            world.fact(&format!("tag {tag} in the registry"), digest);
        }
        files(&place.workspace, &place.workspace, &mut world.facts)?;
        for program in programs(&place.workspace) {
            world.fact(&format!("program that still runs: {}", own.text(&program)), "");
        }
        world.made = harness.events.made(&place.name);
        world.performed = place.performed()?;
        Ok(world)
    }

    fn fact(&mut self, name: &str, value: impl ToString) {
        self.facts.insert(name.to_owned(), value.to_string());
    }

    /// What the record says of the run.
    fn run(&mut self, show: &Json, own: &Own<'_>) {
        self.fact("run", own.json(&show["state"]));
        self.fact("recorded exit code", own.json(&show["exit-code"]));
        for stage in show["stages"].as_array().into_iter().flatten() {
            let name = stage["name"].as_str().unwrap_or_default();
            self.fact(&format!("stage {name}"), own.json(&stage["status"]));
            for step in stage["steps"].as_array().into_iter().flatten() {
                let path = step["path"].as_str().unwrap_or_default();
                self.fact(&format!("step {path}"), own.json(&step["status"]));
                self.fact(&format!("step {path}, failure"), own.json(&step["failure"]["message"]));
                for (output, value) in step["outputs"].as_object().into_iter().flatten() {
                    // Under its name, which may say that it is only observed.
                    let value = own.json(&serde_json::json!({ output: value }));
                    self.fact(&format!("step {path}, output {output}"), value);
                }
            }
        }
    }

    /// What differs from what was expected, a line each.
    pub(super) fn differs(&self, expected: &Self) -> Vec<String> {
        let mut lines = differs("", &self.facts, &expected.facts);
        lines.extend(differs("how often: ", &self.made, &expected.made));
        lines.extend(differs("how often in step ", &self.performed, &expected.performed));
        lines
    }
}

fn differs<V: ToString + PartialEq>(
    what: &str,
    got: &BTreeMap<String, V>,
    expected: &BTreeMap<String, V>,
) -> Vec<String> {
    let mut names: Vec<&String> = got.keys().chain(expected.keys()).collect();
    names.sort();
    names.dedup();
    let text = |value: Option<&V>| value.map_or("nothing".to_owned(), ToString::to_string);
    let differ = names.into_iter().filter(|name| got.get(*name) != expected.get(*name));
    differ
        .map(|name| {
            format!("{what}{name}\n    expected {}\n    got      {}", text(expected.get(name)), text(got.get(name)))
        })
        .collect()
}

/// The files that the run has published, and what is left in its staging folder.
fn files(workspace: &Path, folder: &Path, facts: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in fs::read_dir(folder).doing(|| format!("list {}", folder.display()))?.flatten() {
        let path = entry.path();
        let name = path.strip_prefix(workspace).unwrap_or(&path).display().to_string();
        if path.is_dir() && name == ".windlass" {
            let staging = path.join("staging");
            if staging.is_dir() {
                files(workspace, &staging, facts)?;
            }
        } else if path.is_dir() && name != "lost+found" && name != "box" {
            files(workspace, &path, facts)?;
        } else if path.is_file() && folder != workspace {
            let content = fs::read(&path).doing(|| format!("read {}", path.display()))?;
            facts.insert(format!("file {name}"), String::from_utf8_lossy(&content).into_owned());
        }
    }
    Ok(())
}

/// The command lines of programs that run in the workspace, once those have ended that are about to.
fn programs(workspace: &Path) -> Vec<String> {
    let start = Instant::now();
    loop {
        let running: Vec<String> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(workspace)))
            .map(|process| {
                let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
                String::from_utf8_lossy(&line).replace('\0', " ").trim().to_owned()
            })
            .collect();
        if running.is_empty() || start.elapsed() > PROGRAMS {
            return running;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_what_was_expected() {
        let world = |count: u64, outcome: &str| World {
            facts: [("run".to_owned(), outcome.to_owned())].into(),
            made: [("create volume v".to_owned(), count)].into(),
            performed: BTreeMap::new(),
        };
        assert_eq!(world(1, "succeeded").differs(&world(1, "succeeded")), [""; 0]);
        assert_eq!(
            world(2, "failed").differs(&world(1, "succeeded")),
            [
                "run\n    expected succeeded\n    got      failed",
                "how often: create volume v\n    expected 1\n    got      2"
            ]
        );
        let none = World::default();
        assert!(none.differs(&world(1, "x"))[0].ends_with("got      nothing"));
    }
}
