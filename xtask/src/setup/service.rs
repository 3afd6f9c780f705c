//! A daemon that lives exactly as long as its guard.

use super::leftover;
use crate::failure::{Doing, Failure, Result};
use crate::proc::{self, on_path};
use crate::ui;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A started daemon with a folder of its own. Dropping it ends the one and removes the other,
/// after an error, a panic and a signal too; should we be killed outright, the kernel ends it.
pub(crate) struct Service {
    name: &'static str,
    child: Child,
    folder: PathBuf,
}

impl Service {
    /// Starts `command` and waits until `ready` says yes. The folder exists already and is the
    /// service's from now on.
    pub(crate) fn start(name: &'static str, folder: &Path, command: &[&str], ready: impl Fn() -> bool) -> Result<Self> {
        let log = folder.join("log");
        let output = File::create(&log).doing(|| format!("write {}", log.display()))?;
        let errors = output.try_clone().doing(|| format!("write {}", log.display()))?;
        // The kernel's word to a child whose parent dies needs code between fork and exec, which
        // setpriv brings; without it (no util-linux) only a killed xtask leaves a daemon behind.
        let wrapper: &[&str] = if on_path("setpriv") { &["setpriv", "--pdeathsig", "TERM", "--"] } else { &[] };
        let words: Vec<&str> = wrapper.iter().chain(command).copied().collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            // Ctrl-C in a terminal must not end it before what runs in it is gone.
            .process_group(0)
            .spawn()
            .doing(|| format!("start {name} (`{}`)", command.join(" ")))?;
        let mut service = Self { name, child, folder: folder.to_owned() };
        let start = Instant::now();
        loop {
            if ready() {
                ui::note(&format!("{name} is ready after {}", ui::took(start.elapsed())));
                return Ok(service);
            }
            let ended = service.child.try_wait().doing(|| format!("look at {name}"))?;
            if ended.is_some() || start.elapsed() > Duration::from_secs(60) {
                let why = ended.map_or("did not get ready within 60 s".into(), |s| format!("ended at once ({s})"));
                let said = proc::tail(&fs::read_to_string(&log).unwrap_or_default(), 15);
                return Err(Failure::new(format!("{name} {why}. Its last words:\n{said}")));
            }
            if proc::interrupted().is_some() {
                return Err(Failure::new("interrupted"));
            }
            std::thread::sleep(Duration::from_millis(25));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).unwrap_or(i32::MAX);
        let mut gone = matches!(self.child.try_wait(), Ok(Some(_)));
        if !gone {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            let start = Instant::now();
            while !gone && start.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(20));
                gone = matches!(self.child.try_wait(), Ok(Some(_)));
            }
        }
        if !gone {
            ui::warn(&format!("{} did not end in 20 s and is killed", self.name));
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if let Err(why) = leftover::remove(&self.folder) {
            ui::warn(&format!("cannot remove {}: {why}", self.folder.display()));
        }
    }
}

/// A new folder for a service, named after us: its path is short, since a socket's may have only
/// 107 bytes, and the name tells a later run whose it was.
pub(crate) fn folder(kind: &str) -> Result<PathBuf> {
    let temp = std::env::temp_dir();
    let temp = if temp.as_os_str().len() > 50 { PathBuf::from("/tmp") } else { temp };
    let folder = temp.join(format!("windlass-{kind}-{}", std::process::id()));
    fs::create_dir(&folder).doing(|| format!("create {}", folder.display()))?;
    Ok(folder)
}

/// Removes what killed runs left in folders of this kind, daemons and containers with it.
pub(crate) fn sweep(kind: &str) {
    let prefix = format!("windlass-{kind}-");
    let temps = [std::env::temp_dir(), PathBuf::from("/tmp")];
    for entry in temps.iter().filter_map(|t| fs::read_dir(t).ok()).flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(owner) = name.strip_prefix(&prefix).and_then(|pid| pid.parse::<u32>().ok()) else {
            continue;
        };
        let lives = owner != std::process::id() && Path::new("/proc").join(owner.to_string()).exists();
        if lives || !entry.path().exists() {
            continue;
        }
        let path = entry.path();
        ui::note(&format!("removing {}, left over by a killed run", path.display()));
        for pid in processes_with(&path.to_string_lossy()) {
            end(pid);
        }
        if let Err(why) = leftover::remove(&path) {
            ui::warn(&format!("cannot remove {}: {why}", path.display()));
        }
    }
}

/// The processes whose command line names this path.
fn processes_with(path: &str) -> Vec<i32> {
    processes().filter(|(_, line)| line.iter().any(|word| word.contains(path))).map(|(pid, _)| pid).collect()
}

/// Every process's id and command line.
pub(super) fn processes() -> impl Iterator<Item = (i32, Vec<String>)> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let words = line.split(|b| *b == 0).filter(|w| !w.is_empty());
        Some((pid, words.map(|w| String::from_utf8_lossy(w).into_owned()).collect()))
    })
}

fn end(pid: i32) {
    let pid = Pid::from_raw(pid);
    let _ = kill(pid, Signal::SIGTERM);
    for _ in 0..500 {
        if kill(pid, None).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = kill(pid, Signal::SIGKILL);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_ends_with_its_guard() -> Result<()> {
        let folder = folder("service-test")?;
        let service = Service::start("sleep", &folder, &["sleep", "300"], || true)?;
        let pid = Pid::from_raw(i32::try_from(service.child.id()).unwrap_or(i32::MAX));
        assert!(kill(pid, None).is_ok());
        drop(service);
        assert!(kill(pid, None).is_err() && !folder.exists());
        Ok(())
    }

    #[test]
    fn a_service_that_dies_says_why() -> Result<()> {
        let folder = folder("service-dies")?;
        let failed = Service::start("sh", &folder, &["sh", "-c", "echo no such thing; exit 1"], || false);
        let why = failed.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(why.contains("no such thing") && why.contains("exit status: 1"), "{why}");
        assert!(!folder.exists());
        Ok(())
    }
}
