//! `--break-on-failure`: what a failed run has left to look at, and how to enter it.

use std::path::{Path, PathBuf};

use serde_json::json;
use windlass_journal::Journal;
use windlass_pipeline::Plan;

use crate::args::Format;
use crate::error::CliError;
use crate::finish::Told;
use crate::left_behind::{self, Thing};
use crate::style::{BOLD, DIM};
use crate::{files, output};

/// What may be left of a run.
pub(crate) struct Broken {
    run: String,
    state: PathBuf,
    staged: Vec<Staged>,
}

/// What a step wrote to a folder, if it is still there.
struct Staged {
    /// `STAGE/STEP`.
    step: String,
    /// The folder that it would have gone to.
    folder: String,
    path: PathBuf,
}

impl Broken {
    /// Notes where to look.
    pub(crate) fn new(run: &str, state: &Path, plan: &Plan) -> Self {
        let staging = state.join("staging").join(run);
        let staged = plan.steps.iter().enumerate().flat_map(|(index, step)| {
            let stage = &plan.stages[step.stage as usize].name;
            let folders = step.grants.of("files", "write").enumerate();
            let staging = &staging;
            folders.map(move |(number, rule)| Staged {
                step: format!("{stage}/{}", step.name),
                folder: rule.text.to_string(),
                path: staging.join(format!("{index}-{number}")),
            })
        });
        Self { run: run.to_owned(), state: state.to_owned(), staged: staged.collect() }
    }

    /// Tells what is there.
    pub(crate) fn tell(&self, told: Told) -> Result<(), CliError> {
        let reader = Journal::open(&self.state)?;
        let things = left_behind::of(&reader, &reader.resolve(Some(&self.run))?)?;
        let staged: Vec<&Staged> = self.staged.iter().filter(|staged| files::size(&staged.path) > 0).collect();
        match told.format {
            Format::Json => output::json(&self.json(&things, &staged))?,
            Format::Human if things.is_empty() && staged.is_empty() => {
                output::say(
                    "nothing is left to look at: no container, network or volume, and no file that was written",
                );
            }
            Format::Human => output::say(human(&things, &staged)),
        }
        Ok(())
    }

    fn json(&self, things: &[Thing], staged: &[&Staged]) -> serde_json::Value {
        let staged =
            staged.iter().map(|staged| json!({ "step": staged.step, "folder": staged.folder, "path": staged.path }));
        json!({
            "type": "broken",
            "run": self.run,
            "containers": things.iter().filter_map(Thing::container).collect::<Vec<_>>(),
            "files": staged.collect::<Vec<_>>(),
            "remove": things.iter().map(Thing::removed_by).collect::<Vec<_>>(),
        })
    }
}

fn human(things: &[Thing], staged: &[&Staged]) -> String {
    let mut text = format!("{BOLD}left as it was when it failed{BOLD:#}");
    let mut line = |line: String| {
        text.push('\n');
        text.push_str(&line);
    };
    for thing in things {
        line(format!("  {thing}"));
        if let Some(name) = thing.container() {
            line(format!("    while it runs:      docker exec -it {name} sh"));
            line(format!("    what it printed:    docker logs {name}"));
            line(format!(
                "    when it has ended:  docker commit {name} broken && docker run --rm -it --entrypoint sh broken"
            ));
        }
    }
    for Staged { step, folder, path } in staged {
        line(format!("  files that {step} wrote to `{folder}`, where they are not yet"));
        line(format!("    {}", path.display()));
    }
    if !things.is_empty() {
        line(format!("{DIM}to remove it all:{DIM:#}"));
    }
    for thing in things {
        line(format!("  {}", thing.removed_by()));
    }
    text
}
