//! A folder, the binary run in it, and what it printed, without what differs from run to run.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

/// A pipeline of one step that prints something.
pub(crate) const HELLO: &str = include_str!("../../../../examples/hello/pipeline.toml");

/// A folder in which the binary is run.
pub(crate) struct Folder {
    dir: TempDir,
    env: Vec<(String, String)>,
}

/// What the binary printed, and how it ended.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    settled: Vec<(String, String)>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), env: Vec::new() }
    }

    /// A folder with this `pipeline.toml`.
    pub(crate) fn with(pipeline: &str) -> Self {
        Self::new().file("pipeline.toml", pipeline)
    }

    #[must_use]
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Whether something was run here.
    pub(crate) fn was_run(&self) -> bool {
        self.path().join(".windlass").exists()
    }

    /// The ids of the runs, in no order.
    pub(crate) fn runs(&self) -> Vec<String> {
        let Ok(listed) = self.path().join(".windlass/runs").read_dir() else { return Vec::new() };
        listed.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command.args(args).current_dir(self.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path()).env("DOCKER_HOST", "unix:///nowhere/docker.sock");
        // Compiling the plugins takes longer than all the rest, so the tests share them.
        command.env("WINDLASS_CACHE_DIR", PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn windlass(&self, args: &[&str]) -> Done {
        let output = self.command(args).output().unwrap();
        self.done(output)
    }

    /// Starts the binary.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }

    /// Waits for its end.
    pub(crate) fn wait(&self, child: Child) -> Done {
        let output = child.wait_with_output().unwrap();
        self.done(output)
    }

    fn done(&self, output: Output) -> Done {
        let mut settled: Vec<_> = self.runs().into_iter().map(|run| (run, "[run]".to_owned())).collect();
        let real = self.path().canonicalize().unwrap();
        settled.push((real.display().to_string(), "[folder]".to_owned()));
        settled.push((self.path().display().to_string(), "[folder]".to_owned()));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr), settled }
    }
}

impl Done {
    /// Expects this exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.all());
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// Expects this text, wherever it is printed.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.all().contains(text), "`{text}` is not in\n{}", self.all());
        self
    }

    /// Expects that nothing is printed.
    #[track_caller]
    pub(crate) fn says_nothing(self) -> Self {
        assert_eq!((self.out.as_str(), self.err.as_str()), ("", ""));
        self
    }

    fn all(&self) -> String {
        format!("exit code {}\n{}{}", self.code, self.out, self.err)
    }

    /// The JSON values that it printed, one a line.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Json> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.out.lines().map(parse).collect()
    }

    /// Everything, as snapshots hold it.
    pub(crate) fn shown(&self) -> String {
        let mut text = format!("exit code {}\n", self.code);
        for (name, printed) in [("stdout", &self.out), ("stderr", &self.err)] {
            if !printed.is_empty() {
                text.push_str(&format!("---- {name} ----\n{printed}"));
            }
        }
        for (from, to) in &self.settled {
            text = text.replace(from, to);
        }
        text
    }
}

/// Takes out what differs from run to run, for as long as it lives.
pub(crate) fn settled() -> impl Drop {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(true);
    settings.set_omit_expression(true);
    settings.add_filter(r"sha256:[0-9a-f]{12,64}", "sha256:[digest]");
    settings.add_filter(r" +\+?\d+(\.\d)?(ms|s)\b", " [time]");
    settings.add_filter(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "[moment]");
    settings.add_filter(r"\d+ bytes", "[size] bytes");
    settings.add_filter(r"somebody@\S+", "somebody@[host]");
    settings.bind_to_scope()
}

/// Compares with a snapshot of this name.
macro_rules! snapshot {
    ($done:expr) => {{
        let _settled = $crate::support::settled();
        insta::assert_snapshot!($done.shown());
    }};
}
pub(crate) use snapshot;
