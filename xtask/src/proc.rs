//! Running other programs, and ending them when somebody ends us.
//!
//! On a signal a thread only raises a flag and ends the child that runs; the main thread then
//! finds its child dead and unwinds as from any failure, so the guards of `setup` clean up in
//! one place whatever the cause.

use crate::failure::{Doing, Failure, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

static SIGNAL: AtomicU8 = AtomicU8::new(0);
static RUNNING: Mutex<Vec<i32>> = Mutex::new(Vec::new());

/// The signal that asked us to end, if one did.
pub(crate) fn interrupted() -> Option<u8> {
    Some(SIGNAL.load(Ordering::SeqCst)).filter(|s| *s != 0)
}

fn running() -> std::sync::MutexGuard<'static, Vec<i32>> {
    RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn end_running(signal: Signal) {
    for pid in running().iter() {
        // The child may have ended by itself: nothing to do then.
        let _ = kill(Pid::from_raw(*pid), signal);
    }
}

/// From now on SIGINT, SIGTERM and SIGHUP end the running child instead of us.
pub(crate) fn watch_signals() -> Result<()> {
    let mut signals =
        signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]).doing(|| "watch for signals".to_owned())?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            let again = SIGNAL.swap(u8::try_from(signal).unwrap_or(1), Ordering::SeqCst) != 0;
            if again {
                end_running(Signal::SIGKILL);
            } else if signal == SIGINT && std::io::stdin().is_terminal() {
                // The terminal sent it to the child as well: leave it the time to end in order.
                std::thread::spawn(|| {
                    std::thread::sleep(Duration::from_secs(8));
                    end_running(Signal::SIGTERM);
                });
            } else {
                end_running(Signal::SIGTERM);
            }
        }
    });
    Ok(())
}

/// A command line to be; every way of running it fails with the command in the message.
pub(crate) struct Cmd {
    command: Command,
    limit: Option<Duration>,
    /// Shown in front of a failure instead of the bare command line.
    hint: Option<String>,
}

impl Cmd {
    pub(crate) fn new(program: impl AsRef<std::ffi::OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        // `cargo run` tells a program about its own package; a nested cargo must not pass that on.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        Self { command, limit: None, hint: None }
    }

    pub(crate) fn args<S: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn arg(self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.args([arg])
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn envs(mut self, all: &[(String, String)]) -> Self {
        self.command.envs(all.iter().map(|(n, v)| (n, v)));
        self
    }

    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Ends the program when it takes longer.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Everything that it prints goes to this file.
    pub(crate) fn output_to(mut self, file: &std::fs::File) -> Result<Self> {
        let copy = || file.try_clone().doing(|| format!("write the output of `{}`", self.line()));
        let (stdout, stderr) = (copy()?, copy()?);
        self.command.stdout(stdout).stderr(stderr);
        Ok(self)
    }

    /// What to do about a failure.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The command line as a person would type it.
    pub(crate) fn line(&self) -> String {
        let words = std::iter::once(self.command.get_program()).chain(self.command.get_args());
        words.map(|w| w.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    fn start(&mut self) -> Result<Running> {
        if interrupted().is_some() {
            return Err(Failure::new("interrupted"));
        }
        let line = self.line();
        let child = self.command.spawn().doing(|| format!("start `{line}`"))?;
        // A pid always fits; the fallback is one that cannot be signalled.
        let pid = i32::try_from(child.id()).unwrap_or(i32::MAX);
        running().push(pid);
        Ok(Running { child, pid })
    }

    fn wait(&self, mut running: Running) -> Result<ExitStatus> {
        let line = self.line();
        let deadline = self.limit.map(|l| Instant::now() + l);
        let status = match deadline {
            None => running.child.wait().doing(|| format!("wait for `{line}`"))?,
            Some(deadline) => loop {
                if let Some(status) = running.child.try_wait().doing(|| format!("wait for `{line}`"))? {
                    break status;
                }
                if Instant::now() > deadline {
                    let _ = running.child.kill();
                    let _ = running.child.wait();
                    return Err(Failure::new(format!("`{line}` took longer than its limit and was ended")));
                }
                std::thread::sleep(Duration::from_millis(20));
            },
        };
        if interrupted().is_some() { Err(Failure::new("interrupted")) } else { Ok(status) }
    }

    fn check(&self, status: ExitStatus, said: &str) -> Result<()> {
        if status.success() {
            return Ok(());
        }
        let mut text = format!("`{}` failed ({status})", self.line());
        if !said.trim().is_empty() {
            text.push_str(&format!(":\n{}", said.trim_end()));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\n{hint}"));
        }
        Err(Failure::new(text))
    }

    /// Runs it with our own terminal.
    pub(crate) fn run(mut self) -> Result<()> {
        let status = self.start().and_then(|r| self.wait(r))?;
        self.check(status, "")
    }

    /// Runs it with our own terminal; a failure of the program is the caller's to judge.
    pub(crate) fn status(mut self) -> Result<ExitStatus> {
        self.start().and_then(|r| self.wait(r))
    }

    /// Runs it in silence and gives what it wrote to stdout; stderr is part of a failure.
    pub(crate) fn output(mut self) -> Result<String> {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = self.start()?;
        let stderr = running.child.stderr.take();
        let said = std::thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(mut stderr) = stderr {
                let _ = stderr.read_to_end(&mut text);
            }
            String::from_utf8_lossy(&text).into_owned()
        });
        let stdout = running.child.stdout.take();
        let got = std::thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(mut stdout) = stdout {
                let _ = stdout.read_to_end(&mut text);
            }
            String::from_utf8_lossy(&text).into_owned()
        });
        let status = self.wait(running)?;
        self.check(status, &tail(&said.join().unwrap_or_default(), 40))?;
        got.join().map_err(|_| Failure::new("a reader of output failed"))
    }

    /// Runs it and hands each line of stdout to `line`; stderr goes to our terminal.
    pub(crate) fn lines(mut self, mut line: impl FnMut(&str)) -> Result<ExitStatus> {
        self.command.stdout(Stdio::piped());
        let mut running = self.start()?;
        if let Some(stdout) = running.child.stdout.take() {
            let mut reader = BufReader::new(stdout);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
                line(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']));
                bytes.clear();
            }
        }
        self.wait(running)
    }
}

/// A child that a signal must also reach.
struct Running {
    child: Child,
    pid: i32,
}

impl Drop for Running {
    fn drop(&mut self) {
        running().retain(|pid| *pid != self.pid);
    }
}

/// Is there a program of this name to run?
pub(crate) fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_failure_say_what_happened() -> Result<()> {
        assert_eq!(Cmd::new("sh").args(["-c", "echo out; echo err >&2"]).output()?, "out\n");
        let failed = Cmd::new("sh").args(["-c", "echo why >&2; exit 3"]).hint("Do this.").output();
        let text = failed.err().map(|f| f.to_string()).unwrap_or_default();
        assert!(text.contains("exit status: 3") && text.contains("why") && text.ends_with("Do this."), "{text}");
        Ok(())
    }

    #[test]
    fn a_limit_ends_the_program() {
        let start = Instant::now();
        let failed = Cmd::new("sleep").arg("30").limit(Duration::from_millis(100)).status();
        assert!(failed.is_err() && start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn lines_arrive_one_by_one() -> Result<()> {
        let mut seen = Vec::new();
        Cmd::new("printf").arg("a\\nb\\nc").lines(|l| seen.push(l.to_owned()))?;
        assert_eq!(seen, ["a", "b", "c"]);
        Ok(())
    }
}
