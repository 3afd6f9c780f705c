//! The processes below a keeper: how to see them, and how to end them.

use std::io;
use std::process::Child;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{self, Signal};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::Pid;

/// Time between SIGTERM and SIGKILL.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// A process may have forked while it was being killed, so it is looked again after this time.
const AGAIN: Duration = Duration::from_millis(10);

/// The exit code of a program that a signal ended is this and the signal's number, as in shells.
const SIGNALLED: i32 = 128;

/// Makes this process the parent of orphans below it.
pub(super) fn adopt_orphans() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true)?;
    Ok(())
}

/// A program and everything below it.
#[derive(Clone, Copy)]
pub(super) struct Tree {
    program: Pid,
}

impl Tree {
    pub(super) fn of(program: &Child) -> Self {
        // The system's process numbers are positive `i32`s that the standard library shows as `u32`.
        Self { program: Pid::from_raw(program.id().cast_signed()) }
    }

    /// Waits until there is none left. Says when the program itself has ended; answers with its exit code.
    pub(super) fn wait(self, program_ended: impl Fn()) -> i32 {
        let mut code = None;
        loop {
            match wait() {
                Ok(WaitStatus::Exited(pid, exit)) if pid == self.program => code = Some(exit),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == self.program => {
                    code = Some(SIGNALLED + signal as i32)
                }
                // An orphan has ended.
                Ok(_) | Err(Errno::EINTR) => continue,
                // Somebody was ended by a signal that has no name (a real-time one), perhaps the program.
                Err(Errno::EINVAL) if code.is_none() && signal::kill(self.program, None).is_err() => {
                    code = Some(SIGNALLED)
                }
                Err(Errno::EINVAL) => continue,
                // There is nobody left.
                Err(_) => break,
            }
            program_ended();
        }
        #[cfg(not(target_os = "linux"))]
        self.kill();
        code.unwrap_or(SIGNALLED)
    }

    /// Ends all of it, with an iron hand after the time of grace. Never returns: the keeper ends when nobody is left.
    pub(super) fn end(self) -> ! {
        self.signal(Signal::SIGTERM);
        thread::sleep(GRACE);
        loop {
            self.kill();
            thread::sleep(AGAIN);
        }
    }

    /// Ends all of it at once.
    pub(super) fn kill(self) {
        self.signal(Signal::SIGKILL);
    }

    #[cfg(target_os = "linux")]
    fn signal(self, signal: Signal) {
        for pid in proc::below(Pid::this()) {
            // It may be gone already.
            let _ = signal::kill(pid, signal);
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn signal(self, signal: Signal) {
        let _ = signal::killpg(self.program, signal);
    }
}

/// Who is whose child, by the system's own list.
#[cfg(target_os = "linux")]
mod proc {
    use std::collections::HashMap;
    use std::fs;

    use nix::unistd::Pid;

    /// All processes below this one, parents before their children.
    pub(super) fn below(root: Pid) -> Vec<Pid> {
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        for (pid, parent) in all() {
            children.entry(parent).or_default().push(pid);
        }
        let mut found = vec![root.as_raw()];
        let mut next = 0;
        while let Some(parent) = found.get(next) {
            // Taking a parent's children away ends the walk even if numbers were reused meanwhile.
            let below = children.remove(parent).unwrap_or_default();
            found.extend(below);
            next += 1;
        }
        found.into_iter().skip(1).map(Pid::from_raw).collect()
    }

    fn all() -> impl Iterator<Item = (i32, i32)> {
        fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            Some((pid, parent(&fs::read_to_string(entry.path().join("stat")).ok()?)?))
        })
    }

    /// The parent in a line of `/proc/<pid>/stat`: `pid (name) state parent ...`. The name can be anything.
    fn parent(stat: &str) -> Option<i32> {
        let (_, after_name) = stat.rsplit_once(')')?;
        after_name.split_ascii_whitespace().nth(1)?.parse().ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_name_cannot_feign_a_parent() {
            assert_eq!(parent("17 (sh) S 5 17 17 0"), Some(5));
            assert_eq!(parent("17 (a) S 1 (b) R 6 17"), Some(6));
            assert_eq!(parent("17 (sh"), None);
        }

        #[test]
        fn this_process_is_below_its_parent() {
            assert!(below(Pid::parent()).contains(&Pid::this()));
            assert!(!below(Pid::this()).contains(&Pid::this()));
        }
    }
}
