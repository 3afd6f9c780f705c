//! Where a reader types: a folder of its own, with `windlass` and the tools of the languages on the path.

use super::markdown::Command;
use crate::context::Context;
use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use crate::setup::{Registry, Toolchain};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the commands of one block may take together: the first build in Rust compiles what the SDK is made of.
const LIMIT: Duration = Duration::from_secs(300);
/// What no program prints: an ASCII record separator.
const MARK: char = '\u{1e}';
/// The registry that documents speak of, which stands for the one that is there.
const REGISTRY: &str = "localhost:5000";

/// What is installed for a reader.
pub(super) struct Tools {
    path: Vec<PathBuf>,
    links: Vec<(&'static str, PathBuf)>,
    envs: Vec<(String, String)>,
}

impl Tools {
    pub(super) fn new(context: &Context) -> Self {
        // Builds in Rust share what they compile, also with `cargo xtask languages`.
        let target = context.target.join("languages/target").display().to_string();
        Self {
            path: vec![context.target.join("debug")],
            links: Vec::new(),
            envs: vec![("CARGO_TARGET_DIR".to_owned(), target), ("NO_COLOR".to_owned(), "1".to_owned())],
        }
    }

    pub(super) fn add(&mut self, toolchain: Toolchain) {
        self.path.extend(toolchain.path);
        self.links.extend(toolchain.links);
        self.envs.extend(toolchain.envs);
    }
}

/// What a command printed, both streams as they came, and its exit code.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) code: i32,
}

/// A shell in a folder.
pub(super) struct Shell {
    base: PathBuf,
    folder: PathBuf,
    envs: Vec<(String, String)>,
    registry: String,
    links: Vec<(&'static str, PathBuf)>,
}

impl Shell {
    pub(super) fn new(base: PathBuf, tools: &Tools, registry: &Registry) -> Self {
        let mut envs = tools.envs.clone();
        let path = std::env::var_os("PATH").unwrap_or_default();
        if let Ok(path) = std::env::join_paths(tools.path.iter().cloned().chain(std::env::split_paths(&path))) {
            envs.push(("PATH".to_owned(), path.to_string_lossy().into_owned()));
        }
        let folder = base.clone();
        Self { base, folder, envs, registry: registry.address.clone(), links: tools.links.clone() }
    }

    /// Goes to a folder, which is made if it is not there.
    pub(super) fn enter(&mut self, folder: &str) -> Result<()> {
        self.folder = self.base.join(folder);
        fs::create_dir_all(&self.folder).doing(|| format!("create {}", self.folder.display()))
    }

    /// Writes a file where one is.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        let folder = path.parent().unwrap_or(&self.folder);
        let written =
            fs::create_dir_all(folder).and_then(|()| fs::write(&path, text.replace(REGISTRY, &self.registry)));
        written.doing(|| format!("write {}", path.display()))
    }

    /// Runs the commands of a block in one shell, and stays where it ends.
    pub(super) fn run(&mut self, commands: &[Command]) -> Result<Vec<Answer>> {
        let script = script(commands, &self.links).replace(REGISTRY, &self.registry);
        // What CI adds to a run, a lock above all, is not what a reader sees.
        let shell = Cmd::new("sh").arg("-c").arg(script).dir(&self.folder).envs(&self.envs).env_remove("CI");
        let said = shell.limit(LIMIT).output()?.replace(&self.registry, REGISTRY);
        let mut parts = said.split(MARK);
        let mut answers = Vec::new();
        while let (Some(text), Some(end)) = (parts.next(), parts.next()) {
            let (code, folder) = end.split_once(' ').doing(|| "read the shell's answer".to_owned())?;
            let code = code.parse().doing(|| format!("read the exit code `{code}`"))?;
            self.folder = Path::new(folder).to_owned();
            answers.push(Answer { text: text.to_owned(), code });
        }
        if answers.is_empty() && !commands.is_empty() {
            return Err(Failure::new(format!("the shell could not run this; it printed:\n{said}")));
        }
        Ok(answers)
    }
}

/// Each command, and after it a mark with its exit code and where one is then. The next command finds that code in `$?`.
fn script(commands: &[Command], links: &[(&str, PathBuf)]) -> String {
    let mut script = String::from("exec 2>&1\nlast=0\n");
    for Command { text, .. } in commands {
        let text = installed(text, links).unwrap_or_else(|| text.clone());
        let _ = writeln!(script, "(exit $last)\n{text}\nlast=$?\nprintf '\\036%s %s\\036' \"$last\" \"$PWD\"");
    }
    script
}

/// Commands that fetch the tools of a language: set-up has fetched the same, in the versions that the templates pin, and
/// they are brought from there.
fn installed(command: &str, links: &[(&str, PathBuf)]) -> Option<String> {
    match command {
        "npm install" => {
            let (_, modules) = links.iter().find(|(name, _)| *name == "node_modules")?;
            Some(format!("ln -s '{}' node_modules", modules.display()))
        }
        "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt" => Some(":".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_run_in_one_shell_and_say_how_they_ended() -> Result<()> {
        let base = std::env::temp_dir().join(format!("windlass-docs-{}", std::process::id()));
        let folder = base.clone();
        let mut shell = Shell { base, folder, envs: Vec::new(), registry: "here:1".to_owned(), links: Vec::new() };
        shell.enter("a")?;
        shell.write("b/c", "x\n")?;
        let commands = ["cd b", "cat c no", "echo $?", "echo localhost:5000 here:1"];
        let commands = commands.map(|text| Command { text: text.to_owned(), ..Command::default() });
        let answers = shell.run(&commands)?;
        let codes: Vec<i32> = answers.iter().map(|answer| answer.code).collect();
        assert_eq!(codes, [0, 1, 0, 0]);
        assert!(answers[1].text.starts_with("x\n") && answers[1].text.contains("no"), "{}", answers[1].text);
        assert_eq!(answers[2].text, "1\n");
        assert_eq!(answers[3].text, "localhost:5000 localhost:5000\n");
        assert_eq!(shell.folder, shell.base.join("a/b"));
        let _ = fs::remove_dir_all(&shell.base);
        Ok(())
    }
}
