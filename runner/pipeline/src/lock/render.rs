//! The lock as a file: in a fixed order, so that a change of the pipeline is a small change of the lock.

use std::fmt::Write as _;

use super::{Lock, VERSION};
use crate::suggest::toml_string;

const HEAD: &str = "\
# The digest of each plugin of the pipeline, and what each step was granted, when somebody last looked at it.
# Written by `windlass plugin add` and `windlass plugin update`. It belongs into version control, beside the pipeline.
";

impl Lock {
    /// The text of the file.
    pub fn render(&self) -> String {
        let mut out = String::from(HEAD);
        // Writing to a string does not fail.
        let _ = writeln!(out, "version = {VERSION}\npipeline = {}", toml_string(&self.pipeline));
        for plugin in &self.plugins {
            let _ = writeln!(out, "\n[[plugin]]\nsource = {}", toml_string(&plugin.source.to_string()));
            let _ = writeln!(out, "digest = {}", toml_string(&plugin.digest));
            if let Some(manifest) = &plugin.manifest {
                let _ = writeln!(out, "manifest = {}", toml_string(manifest));
            }
            if let Some(key) = &plugin.key {
                let _ = writeln!(out, "key = {}", toml_string(key));
            }
        }
        for step in &self.steps {
            let _ = writeln!(out, "\n[[step]]\nname = {}", toml_string(&step.step));
            if let Some(environment) = &step.environment {
                let _ = writeln!(out, "environment = {}", toml_string(environment));
            }
            let _ = writeln!(out, "plugin = {}\ngrants = [", toml_string(&step.plugin));
            for rule in &step.rules {
                let _ = writeln!(out, "  {},", toml_string(&rule.to_string()));
            }
            out.push_str("]\n");
        }
        out
    }
}
