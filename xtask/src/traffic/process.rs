//! Processes that live beside the load, and are killed when a scenario says so.

use crate::failure::{Doing, Failure, Result};
use crate::proc;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, OpenOptions};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a process gets to end before it is killed.
const FAREWELL: Duration = Duration::from_secs(10);

/// A process that ends at the latest when this is dropped.
pub(super) struct Process {
    child: Child,
    line: String,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

/// Waits until `ready` gives something; fails after `limit`, and when somebody ends us.
pub(super) fn until<T>(what: &str, limit: Duration, mut ready: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(done) = ready()? {
            return Ok(done);
        }
        if proc::interrupted().is_some() {
            return Err(Failure::new("interrupted"));
        }
        if start.elapsed() > limit {
            return Err(Failure::new(format!("waited {} s in vain: {what}", limit.as_secs())));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Process {
    /// Starts it; what it prints is appended to `log`.
    pub(super) fn start(mut command: Command, log: &Path) -> Result<Self> {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let line = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let open = || OpenOptions::new().append(true).create(true).open(log);
        let (stdout, stderr) =
            open().and_then(|file| Ok((file, open()?))).doing(|| format!("write {}", log.display()))?;
        // A group of its own: Ctrl-C in a terminal ends us, and we end it.
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).process_group(0);
        let child = command.spawn().doing(|| format!("start `{line}`"))?;
        Ok(Self { child, line, log: log.to_owned(), ended: None })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().doing(|| format!("look at `{}`", self.line))?;
        }
        Ok(self.ended)
    }

    /// Waits for its end, and gives its exit code; one that a signal ended has none.
    pub(super) fn wait(&mut self, limit: Duration) -> Result<Option<i32>> {
        let what = format!("`{}` ends; it has said:\n{}", self.line, self.said(20));
        let ended = until(&what, limit, || self.ended())?;
        Ok(ended.code())
    }

    /// Sends it a signal; one that has ended gets none.
    pub(super) fn signal(&mut self, signal: Signal) -> Result<()> {
        if self.ended()?.is_some() {
            return Err(Failure::new(format!(
                "`{}` has ended before it could be sent {signal}:\n{}",
                self.line,
                self.said(20)
            )));
        }
        let pid = i32::try_from(self.child.id()).doing(|| "read a process id".to_owned())?;
        kill(Pid::from_raw(pid), signal).doing(|| format!("send {signal} to `{}`", self.line))
    }

    /// Kills it at once, and waits until it is gone.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.signal(Signal::SIGKILL)?;
        let status = self.child.wait().doing(|| format!("wait for `{}`", self.line))?;
        self.ended = Some(status);
        match status.signal() {
            Some(9) => Ok(()),
            _ => Err(Failure::new(format!("`{}` ended by itself ({status}), and was to be killed", self.line))),
        }
    }

    /// The last lines of what it has said.
    pub(super) fn said(&self, lines: usize) -> String {
        proc::tail(&String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()), lines)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.signal(Signal::SIGTERM).is_err() {
            return;
        }
        let start = Instant::now();
        while start.elapsed() < FAREWELL {
            if matches!(self.ended(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of this machine that nobody has.
pub(super) fn free_port() -> Result<u16> {
    std::net::TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .doing(|| "find a free port".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleep(name: &str) -> Result<(Process, PathBuf)> {
        let log = std::env::temp_dir().join(format!("windlass-xtask-{name}-{}", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo here; exec sleep 60"]);
        Ok((Process::start(command, &log)?, log))
    }

    #[test]
    fn a_process_is_killed_and_says_what_it_said() -> Result<()> {
        let (mut process, log) = sleep("killed")?;
        until("it speaks", Duration::from_secs(5), || Ok(process.said(5).contains("here").then_some(())))?;
        process.kill()?;
        assert!(process.signal(Signal::SIGTERM).is_err(), "it is gone");
        fs::remove_file(log).doing(|| "clean up".to_owned())
    }

    #[test]
    fn a_process_ends_with_its_guard() -> Result<()> {
        let (process, log) = sleep("dropped")?;
        let pid = Pid::from_raw(i32::try_from(process.pid()).unwrap_or(i32::MAX));
        drop(process);
        assert!(kill(pid, None).is_err());
        fs::remove_file(log).doing(|| "clean up".to_owned())
    }
}
