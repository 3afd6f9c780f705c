//! A plugin's project in a fresh folder, and what its author does with it.

use super::{Counted, count};
use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use crate::setup::Toolchain;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What the project has from the template and keeps when it becomes another.
const KEPT: [&str; 2] = ["windlass", "node_modules"];
/// What else is there where somebody has built or run something by hand.
const BUILT: [&str; 6] = [".venv", ".windlass", "__pycache__", "dist", "proof", "target"];

pub(crate) struct Project {
    program: PathBuf,
    pub(super) envs: Vec<(String, String)>,
    pub(crate) folder: PathBuf,
    pub(crate) component: PathBuf,
}

impl Project {
    /// `windlass plugin new` in this folder, and the tools where its build looks for them.
    pub(crate) fn new(
        context: &Context,
        program: &Path,
        tools: &Toolchain,
        folder: &Path,
        language: &str,
        name: &str,
    ) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder).doing(|| format!("remove {}", folder.display()))?;
        }
        let project = Self::at(context, program, tools, folder, folder.join(format!("{name}.wasm")));
        project.windlass().args(["plugin", "new", name, "--lang", language, "--in"]).arg(folder).output()?;
        for (link, to) in &tools.links {
            let link = folder.join(link);
            symlink(to, &link).doing(|| format!("link {} to {}", link.display(), to.display()))?;
        }
        Ok(project)
    }

    /// A project that is there already, with the component that it makes or has made.
    pub(crate) fn at(context: &Context, program: &Path, tools: &Toolchain, folder: &Path, component: PathBuf) -> Self {
        let mut envs = tools.envs.clone();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = tools.path.iter().cloned().chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(folders) {
            envs.push(("PATH".to_owned(), path.to_string_lossy().into_owned()));
        }
        // Builds in Rust share what they compile.
        let target = context.target.join("languages/target");
        envs.push(("CARGO_TARGET_DIR".to_owned(), target.display().to_string()));
        Self { program: program.to_owned(), envs, folder: folder.to_owned(), component }
    }

    /// `windlass`, with the tools that it builds with.
    pub(crate) fn windlass(&self) -> Cmd {
        // What CI adds to a run, a lock above all, is not what this is about.
        Cmd::new(&self.program).envs(&self.envs).env_remove("CI")
    }

    /// Puts another source into the project.
    pub(crate) fn replace(&self, source: &Path) -> Result<()> {
        let clear = || -> io::Result<()> {
            for entry in fs::read_dir(&self.folder)? {
                let entry = entry?;
                if KEPT.iter().any(|kept| entry.file_name() == *kept) {
                    continue;
                }
                let path = entry.path();
                if entry.file_type()?.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
            }
            Ok(())
        };
        clear().doing(|| format!("clear {}", self.folder.display()))?;
        copy(source, &self.folder)
    }

    /// `windlass plugin build`; gives what that prints.
    pub(crate) fn build(&self) -> Result<String> {
        let build = self.windlass().args(["plugin", "build", "--format", "json", "--output"]).arg(&self.component);
        let told = build.arg(&self.folder).output()?;
        if self.component.is_file() {
            return Ok(told);
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

/// Copies a folder of sources with everything in it but what is built or fetched.
pub(super) fn copy(source: &Path, to: &Path) -> Result<()> {
    let work = || -> io::Result<Vec<PathBuf>> {
        fs::create_dir_all(to)?;
        let mut folders = Vec::new();
        for entry in fs::read_dir(source)? {
            let entry = entry?;
            let (kind, name) = (entry.file_type()?, entry.file_name());
            if kind.is_dir() && !KEPT.iter().chain(&BUILT).any(|other| name == *other) {
                folders.push(name.into());
            } else if kind.is_file() {
                fs::copy(entry.path(), to.join(&name))?;
            }
        }
        Ok(folders)
    };
    let folders = work().doing(|| format!("copy {} to {}", source.display(), to.display()))?;
    folders.iter().try_for_each(|folder| copy(&source.join(folder), &to.join(folder)))
}
