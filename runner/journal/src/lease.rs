//! Who writes a run: a lock on the run's log file, which the system takes back when its owner dies.
//!
//! A lock is exact where a heartbeat guesses: a killed process has lost it at once, so `resume` need
//! not wait, and a stopped process still holds it, so nobody else takes the run over.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::clock::now_micros;
use crate::error::JournalError;

/// How often the journal's thread notes that it is alive.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(2);

/// Where locks do not work, a run is taken for dead when it was silent for this long.
const SILENCE_MICROS: u64 = 10_000_000;

/// How long a reader may hold the lock while it looks; a writer that resumes waits for it.
const LOOK: Duration = Duration::from_millis(200);

/// The log file of a run.
pub(crate) fn log_path(dir: &Path, run: &str) -> PathBuf {
    dir.join("runs").join(format!("{run}.log"))
}

/// Makes the log file of a new run and takes its lock.
pub(crate) fn create(dir: &Path, run: &str) -> Result<File, JournalError> {
    let path = log_path(dir, run);
    let open = || OpenOptions::new().append(true).create_new(true).open(&path);
    let file = open().or_else(|e| {
        if e.kind() != io::ErrorKind::NotFound {
            return Err(e);
        }
        std::fs::create_dir_all(dir.join("runs"))?;
        open()
    });
    let file = file.map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => JournalError::RunExists { run: run.to_owned(), path: dir.to_owned() },
        _ => JournalError::io(&path, "create", e),
    })?;
    lock(&file, run, None)?;
    Ok(file)
}

/// Opens the log file of a run that goes on and takes its lock, if nobody else has it.
pub(crate) fn take_over(dir: &Path, run: &str, pid: Option<u32>) -> Result<File, JournalError> {
    let path = log_path(dir, run);
    let file = OpenOptions::new().append(true).create(true).open(&path);
    let file = file.map_err(|e| JournalError::io(&path, "open", e))?;
    lock(&file, run, pid)?;
    Ok(file)
}

fn lock(file: &File, run: &str, pid: Option<u32>) -> Result<(), JournalError> {
    let until = Instant::now() + LOOK;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { run: run.to_owned(), pid }),
            // No locks on this file system: readers go by the heartbeat.
            Err(TryLockError::Error(_)) => return Ok(()),
        }
    }
}

/// Whether somebody writes the run now.
pub(crate) fn is_held(dir: &Path, run: &str, seen_at: u64) -> bool {
    let Ok(file) = File::open(log_path(dir, run)) else { return false };
    match file.try_lock_shared() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(_)) => now_micros().saturating_sub(seen_at) < SILENCE_MICROS,
    }
}
