//! Windlass and ninja, each run as a person would run it, in a folder of its own.

use super::sample::{Sample, measured, sample};
use crate::failure::{Doing, Result};
use crate::proc::Cmd;
use std::fs;
use std::path::{Path, PathBuf};

/// Both run as many things at a time: ninja's default would be more than the machine has cores.
const JOBS: &str = "2";

/// The program under test.
pub(super) struct Windlass {
    program: PathBuf,
    cache: PathBuf,
    envs: Vec<(String, String)>,
}

impl Windlass {
    /// Compiled plugins are kept in `cache` and not in the user's own folder, so that all runs
    /// but the first find them there.
    pub(super) fn new(program: PathBuf, cache: PathBuf) -> Self {
        Self { program, cache, envs: Vec::new() }
    }

    /// The same, with this environment.
    pub(super) fn with(&self, envs: &[(String, String)]) -> Self {
        Self { program: self.program.clone(), cache: self.cache.clone(), envs: envs.to_vec() }
    }

    /// Runs the pipeline in the folder.
    pub(super) fn run(&self, folder: &Path) -> Result<Sample> {
        let command = measured(&self.program)?.args(["run", "pipeline.toml", "--quiet", "--jobs", JOBS]);
        // What is measured has no `pipeline.lock`, which is wanted where CI is set.
        let command = command.env_remove("CI");
        sample(command.dir(folder).env("WINDLASS_CACHE_DIR", &self.cache).envs(&self.envs))
    }

    /// What `windlass plugin check` says of a component.
    pub(super) fn check(&self, component: &Path) -> Result<serde_json::Value> {
        let command = Cmd::new(&self.program).args(["plugin", "check", "--format", "json"]).arg(component);
        let told = command.env("WINDLASS_CACHE_DIR", &self.cache).envs(&self.envs).output()?;
        serde_json::from_str(&told).doing(|| format!("read what windlass says of {}", component.display()))
    }

    /// Empties the cache of compiled plugins.
    pub(super) fn forget(&self) -> Result<()> {
        if self.cache.exists() {
            fs::remove_dir_all(&self.cache).doing(|| format!("remove {}", self.cache.display()))?;
        }
        Ok(())
    }

    /// The environment to run a peer in.
    pub(super) fn envs(&self) -> &[(String, String)] {
        &self.envs
    }
}

/// Runs the ninja file in the folder.
pub(super) fn ninja(folder: &Path) -> Result<Sample> {
    sample(measured("ninja")?.args(["--quiet", "-j", JOBS]).dir(folder))
}

/// Makes the folder anew, with these files in it.
pub(super) fn fresh(folder: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).doing(|| format!("remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).doing(|| format!("create {}", folder.display()))?;
    for (name, content) in files {
        let path = folder.join(name);
        fs::write(&path, content).doing(|| format!("write {}", path.display()))?;
    }
    Ok(())
}
