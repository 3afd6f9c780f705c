//! A plugin's project in a fresh folder, and what its author does with it.

use super::{Counted, count};
use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use crate::setup::Toolchain;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What the project has from the template and keeps when it becomes another.
const KEPT: [&str; 2] = ["windlass", "node_modules"];

pub(super) struct Project {
    program: PathBuf,
    pub(super) envs: Vec<(String, String)>,
    pub(super) folder: PathBuf,
    pub(super) component: PathBuf,
}

impl Project {
    /// `windlass plugin new`, and the tools where its build looks for them.
    pub(super) fn new(context: &Context, tools: &Toolchain, within: &Path, language: &str, name: &str) -> Result<Self> {
        let folder = within.join(format!("{name}-{language}"));
        if folder.exists() {
            fs::remove_dir_all(&folder).doing(|| format!("remove {}", folder.display()))?;
        }
        let component = folder.join(format!("{name}.wasm"));
        let mut project = Self::built(context, tools, component);
        project.folder.clone_from(&folder);
        project.windlass().args(["plugin", "new", name, "--lang", language, "--in"]).arg(&folder).output()?;
        for (link, to) in &tools.links {
            let link = folder.join(link);
            symlink(to, &link).doing(|| format!("link {} to {}", link.display(), to.display()))?;
        }
        Ok(project)
    }

    /// A component that is there already.
    pub(super) fn built(context: &Context, tools: &Toolchain, component: PathBuf) -> Self {
        let mut envs = tools.envs.clone();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = tools.path.iter().cloned().chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(folders) {
            envs.push(("PATH".to_owned(), path.to_string_lossy().into_owned()));
        }
        // Builds in Rust share what they compile.
        let target = context.target.join("languages/target");
        envs.push(("CARGO_TARGET_DIR".to_owned(), target.display().to_string()));
        let folder = component.parent().unwrap_or(&context.target).to_owned();
        Self { program: context.target.join("debug/windlass"), envs, folder, component }
    }

    fn windlass(&self) -> Cmd {
        // What CI adds to a run, a lock above all, is not what this is about.
        Cmd::new(&self.program).envs(&self.envs).env_remove("CI")
    }

    /// Puts another source into the project.
    pub(super) fn replace(&self, source: &Path) -> Result<()> {
        let work = || -> std::io::Result<()> {
            for entry in fs::read_dir(&self.folder)? {
                let entry = entry?;
                if KEPT.iter().any(|kept| entry.file_name() == *kept) {
                    continue;
                }
                let path = entry.path();
                if entry.file_type()?.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
            }
            for entry in fs::read_dir(source)? {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    fs::copy(entry.path(), self.folder.join(entry.file_name()))?;
                }
            }
            Ok(())
        };
        work().doing(|| format!("copy {} to {}", source.display(), self.folder.display()))
    }

    /// `windlass plugin build`.
    pub(super) fn build(&self) -> Result<()> {
        self.windlass().args(["plugin", "build"]).arg(&self.folder).output()?;
        if self.component.is_file() {
            return Ok(());
        }
        Err(Failure::new(format!("the build has not made {}", self.component.display())))
    }

    /// `windlass plugin test` of the component.
    pub(super) fn test(&self, cases: &[PathBuf]) -> Result<Counted> {
        let test = self.windlass().args(["plugin", "test", "--format", "json", "--plugin"]).arg(&self.component);
        count(test.args(cases))
    }

    /// `windlass plugin run`: whom the template's plugin is told to greet it greets.
    pub(super) fn greets(&self) -> Result<()> {
        let run = self.windlass().dir(&self.folder).args(["plugin", "run", "--format", "json", "--with"]);
        let said = run.arg(r#"{"name":"grüße ✓"}"#).arg(&self.component).output()?;
        if said.contains("hello, grüße ✓") {
            return Ok(());
        }
        Err(Failure::new(format!("the plugin ran and greeted nobody; it said:\n{}", crate::proc::tail(&said, 20))))
    }
}
