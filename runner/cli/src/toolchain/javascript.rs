//! JavaScript and TypeScript: a script of the SDK bundles the plugin with esbuild, and componentize-js puts it into one
//! component with the engine that runs it.

use super::programs::{ask, find, program, run};
use super::{Language, Need};
use crate::error::CliError;
use crate::files;
use crate::project::Project;

/// The first version of Node.js that the tools run on.
const OLDEST: u32 = 20;
const PACKAGES: &[&str] = &["@bytecodealliance/componentize-js", "esbuild"];

/// JavaScript, and TypeScript, whose template is another.
pub(super) struct JavaScript {
    pub(super) template: &'static str,
}

impl Language for JavaScript {
    fn parts(&self) -> Vec<(&'static str, &'static str)> {
        vec![
            (self.template, ""),
            ("js/sdk", "windlass"),
            ("js/README.md", "windlass/README.md"),
            ("wit", "windlass/wit"),
        ]
    }

    fn taken(&self) -> &'static [&'static str] {
        &["windlass-plugin", "esbuild", "typescript"]
    }

    fn before(&self) -> Option<&'static str> {
        Some("npm install")
    }

    fn needs(&self, project: &Project) -> Vec<Need> {
        let node = find("node").and_then(|node| {
            let mut asked = program(node, &project.folder);
            asked.arg("--version");
            ask(asked).filter(|version| major(version) >= OLDEST)
        });
        // As Node.js looks for them: here, then further up.
        let is_there = |package: &&str| {
            project
                .folder
                .ancestors()
                .any(|above| above.join("node_modules").join(package).join("package.json").is_file())
        };
        let packages = PACKAGES.iter().all(is_there).then(|| PACKAGES.join(", "));
        vec![
            Need::new("Node.js 20 or newer", node, format!("install Node.js {OLDEST} or newer: https://nodejs.org")),
            Need::new("componentize-js", packages, format!("in {}: npm install", project.folder.display()))
                .in_project(),
        ]
    }

    fn build(&self, project: &Project) -> Result<Vec<u8>, CliError> {
        let aside = files::aside()?;
        let made = aside.path().join("plugin.wasm");
        let mut node = program("node", &project.folder);
        node.arg("windlass/build.mjs").args(&project.sources).arg("--output").arg(&made);
        run(node)?;
        files::read_plugin(&made).map_err(|why| CliError::usage(format!("cannot read {why}"), "build again"))
    }
}

/// As in `v20.19.2`.
fn major(version: &str) -> u32 {
    version.trim_start_matches('v').split('.').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
