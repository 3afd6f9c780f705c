//! One measured run of a program: how long it took, and how much memory it had at its peak.
//!
//! The kernel tells the peak of *all* children a process has waited for, as one number. So each
//! program is run by a process of its own (`xtask measure`), which waits for nothing else, asks
//! the kernel, and prints both. Its own peak is a floor under what it can see, since a forked
//! child begins as its parent; that is why it is this small program, and no larger one.

use crate::failure::{Doing, Failure, Result};
use crate::proc::Cmd;
use nix::sys::resource::{UsageWho, getrusage};
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What one run cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// From just before it was started until it was waited for.
    pub(super) time: Duration,
    /// Its largest resident set, or that of the largest program that it ran in turn.
    pub(super) peak_kib: u64,
}

/// A command to be measured; folder and environment can be added to it.
pub(super) fn measured(program: impl AsRef<OsStr>) -> Result<Cmd> {
    Ok(Cmd::new(this()?).args(["measure", "--"]).arg(program))
}

/// Runs what [`measured`] gave. It has to succeed: what fails early is not quick.
pub(super) fn sample(command: Cmd) -> Result<Sample> {
    let said = command.output()?;
    read(&said).doing(|| format!("read the measurement {said:?}"))
}

fn this() -> Result<String> {
    let path = std::env::current_exe().doing(|| "find this program".to_owned())?;
    // A build may have replaced it meanwhile; the kernel still has the one that runs.
    Ok(if path.exists() { path.display().to_string() } else { "/proc/self/exe".to_owned() })
}

fn read(said: &str) -> Option<Sample> {
    let (nanoseconds, kib) = said.trim().split_once(' ')?;
    Some(Sample { time: Duration::from_nanos(nanoseconds.parse().ok()?), peak_kib: kib.parse().ok()? })
}

/// `cargo xtask measure -- command...`: runs it once, and prints nanoseconds and KiB.
pub(crate) fn command(words: &[String]) -> Result<()> {
    let Some((program, args)) = words.split_first() else {
        return Err(Failure::new("`cargo xtask measure` needs a command: cargo xtask measure -- true"));
    };
    // What it prints is no part of our answer. It goes where failures go, so that a program which
    // complains on stdout is heard.
    let aside = std::io::stderr().as_fd().try_clone_to_owned().doing(|| "copy stderr".to_owned())?;
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(aside);
    let start = Instant::now();
    let status = command.spawn().and_then(|mut child| child.wait());
    let time = start.elapsed();
    let status = status.doing(|| format!("run `{program}`"))?;
    if !status.success() {
        return Err(Failure::new(format!("`{}` failed ({status})", words.join(" "))));
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).doing(|| "ask the kernel for a peak of memory".to_owned())?;
    println!("{} {}", time.as_nanos(), usage.max_rss());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_is_read() {
        let expected = Sample { time: Duration::from_micros(1_500), peak_kib: 9_400 };
        assert_eq!(read("1500000 9400\n"), Some(expected));
        assert_eq!(read("nothing"), None);
    }
}
