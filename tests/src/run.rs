//! A workspace with a pipeline, and the real binary run in it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value as Json;

use crate::guests::{guest, root};

/// A folder with a `pipeline.toml` in it.
pub struct Workspace {
    folder: tempfile::TempDir,
    env: Vec<(String, String)>,
}

/// A run of the binary that has ended.
#[derive(Debug)]
pub struct Finished {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A run of the binary that has not ended yet.
pub struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    seen: String,
}

/// The binary under test.
pub(crate) fn windlass() -> PathBuf {
    std::env::var_os("WINDLASS_BIN").map_or_else(
        || {
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
            target.join("debug/windlass")
        },
        PathBuf::from,
    )
}

impl Workspace {
    /// A workspace with this pipeline.
    pub fn new(pipeline: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pipeline.toml"), pipeline).unwrap();
        Self { folder, env: Vec::new() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn file(self, path: &str, content: &str) -> Self {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Puts a test guest into the workspace as `NAME.wasm`.
    #[must_use]
    pub fn guest(self, name: &str) -> Self {
        std::fs::copy(guest(name), self.folder.path().join(format!("{name}.wasm"))).unwrap();
        self
    }

    /// A folder to build a tiny image in: busybox on nothing.
    #[must_use]
    pub fn busybox(self) -> Self {
        let busybox = std::env::var("WINDLASS_TEST_BUSYBOX").unwrap_or_else(|_| "/bin/busybox".to_owned());
        let folder = self.folder.path().join("box");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(&busybox, folder.join("busybox"))
            .unwrap_or_else(|error| panic!("{busybox}: {error}; `cargo xtask setup` installs busybox-static"));
        std::fs::write(
            folder.join("Dockerfile"),
            "FROM scratch\nCOPY busybox /bin/sh\nCOPY busybox /bin/sleep\nCOPY busybox /bin/httpd\nCMD [\"/bin/sh\"]\n",
        )
        .unwrap();
        self
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(windlass());
        command.args(args).current_dir(self.folder.path()).env("NO_COLOR", "1").env_remove("CI");
        for (name, value) in &self.env {
            command.env(name, value);
        }
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, args: &[&str]) -> Finished {
        let output = self
            .command(args)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", windlass().display()));
        Finished {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts the binary.
    pub fn start(&self, args: &[&str]) -> Running {
        let mut child =
            self.command(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (send, lines) = mpsc::channel();
        let stdout: Box<dyn std::io::Read + Send> = Box::new(child.stdout.take().unwrap());
        let stderr: Box<dyn std::io::Read + Send> = Box::new(child.stderr.take().unwrap());
        for stream in [stdout, stderr] {
            let send = send.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if send.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Running { child, lines, seen: String::new() }
    }

    /// Runs the binary until it has printed this, and kills it there.
    #[track_caller]
    pub fn killed_at(&self, args: &[&str], text: &str) {
        let mut running = self.start(args);
        running.until(text);
        running.signal(Signal::SIGKILL);
        let _ = running.finish();
    }

    /// Runs the binary until the record of the run has this call, and kills it there.
    #[track_caller]
    pub fn killed_in(&self, args: &[&str], call: &str) {
        let mut running = self.start(args);
        while !self.run(&["show", "--calls"]).stdout.contains(call) {
            assert!(running.is_alive(), "it ended without `{call}`:\n{}", self.show(&["--calls"]));
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        running.signal(Signal::SIGKILL);
        let finished = running.finish();
        assert_eq!(finished.code, -1, "it ended before it could be killed: {finished:?}");
    }

    /// Everything that the journal says of the last run.
    pub fn record(&self) -> String {
        let records = self.show(&["--calls", "--format", "json"]);
        records + &self.run(&["logs"]).stdout
    }

    /// The records of the last run, as `windlass show --format json` gives them.
    pub fn show(&self, args: &[&str]) -> String {
        let finished = self.run(&[&["show"], args].concat());
        assert_eq!(finished.code, 0, "{finished:?}");
        finished.stdout
    }

    pub fn show_json(&self) -> Json {
        serde_json::from_str(&self.show(&["--format", "json"])).unwrap()
    }

    /// The id of the last run.
    pub fn run_id(&self) -> String {
        let finished = self.run(&["runs", "--format", "json"]);
        assert_eq!(finished.code, 0, "{finished:?}");
        let first = finished.stdout.lines().next().unwrap_or_default();
        let value: Json = serde_json::from_str(first).or_else(|_| serde_json::from_str(&finished.stdout)).unwrap();
        let run = value.as_array().and_then(|runs| runs.first()).unwrap_or(&value);
        run["run"].as_str().unwrap_or_else(|| panic!("no id in {run}")).to_owned()
    }
}

impl Finished {
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    #[must_use]
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    #[must_use]
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.all().contains(text),
            "`{text}` is not in\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

impl Running {
    /// Waits for a line that has this text.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        while let Ok(line) = self.lines.recv() {
            self.seen.push_str(&line);
            self.seen.push('\n');
            if line.contains(text) {
                return;
            }
        }
        panic!("`{text}` never came:\n{}", self.seen);
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// Whether it has not ended yet.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Finished {
        let mut stdout = self.seen;
        while let Ok(line) = self.lines.recv() {
            stdout.push_str(&line);
            stdout.push('\n');
        }
        let status = self.child.wait().unwrap();
        let mut stderr = String::new();
        if let Some(mut rest) = self.child.stderr.take() {
            let _ = rest.read_to_string(&mut stderr);
        }
        Finished { code: status.code().unwrap_or(-1), stdout, stderr }
    }
}
