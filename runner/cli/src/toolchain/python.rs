//! Python: componentize-py puts the interpreter and the plugin into one component.

use std::path::{Path, PathBuf};

use super::programs::{find, is_program, program, run};
use super::{Language, Need};
use crate::error::CliError;
use crate::files;
use crate::project::Project;

const TOOL: &str = "componentize-py";
/// The version that the SDK is tested with.
const VERSION: &str = "0.25.1";

/// Python.
pub(super) struct Python;

impl Language for Python {
    fn parts(&self) -> Vec<(&'static str, &'static str)> {
        vec![
            ("python/templates/project", ""),
            ("python/sdk", "windlass/sdk"),
            ("python/README.md", "windlass/README.md"),
            ("wit", "windlass/wit"),
        ]
    }

    fn before(&self) -> Option<&'static str> {
        Some("python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
    }

    fn needs(&self, project: &Project) -> Vec<Need> {
        let get = format!(
            "in {}: python3 -m venv .venv && .venv/bin/pip install {TOOL}=={VERSION}",
            project.folder.display()
        );
        vec![Need::new(TOOL, tool(&project.folder).map(|tool| tool.display().to_string()), get).in_project()]
    }

    fn build(&self, project: &Project) -> Result<Vec<u8>, CliError> {
        let aside = files::aside()?;
        let made = aside.path().join("plugin.wasm");
        let Some(tool) = tool(&project.folder) else {
            return Err(CliError::machine(format!("{TOOL} is not there"), "install it"));
        };
        let module = project.sources.first().map_or("app", |source| source.trim_end_matches(".py"));
        let mut command = program(tool, &project.folder);
        command.args(["-d", "windlass/wit", "-w", "plugin", "componentize", module]);
        command.args(["-p", ".", "-p", "windlass/sdk", "-o"]).arg(&made);
        // With it, componentize-py shows its own backtrace in the place of the author's mistake.
        command.env_remove("RUST_BACKTRACE");
        run(command)?;
        files::read_plugin(&made).map_err(|why| CliError::usage(format!("cannot read {why}"), "build again"))
    }
}

/// The project's own, else the one in the path.
fn tool(folder: &Path) -> Option<PathBuf> {
    let own = folder.join(".venv/bin").join(TOOL);
    if is_program(&own) { Some(own) } else { find(TOOL) }
}
