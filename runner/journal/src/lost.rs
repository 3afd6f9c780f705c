//! A journal without records is a new one, unless there are logs of runs that it should know.
//!
//! A run's log stays empty until the run is in the journal for good, so a run that is killed before
//! its first commit leaves nothing that speaks against a blank journal.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::error::JournalError;
use crate::id::is_run_id;

/// Refuses a blank or missing journal whose runs have left logs. `is_blank` looks again: a first
/// commit may have come since, and the log after it.
///
/// # Errors
///
/// [`JournalError::Lost`], and what the system and `is_blank` say.
pub(crate) fn refuse(
    database: &Path,
    is_blank: impl FnOnce() -> Result<bool, JournalError>,
) -> Result<(), JournalError> {
    let logs = logs(database.parent().unwrap_or(database))?;
    if logs > 0 && is_blank()? {
        return Err(JournalError::Lost { path: database.to_owned(), logs });
    }
    Ok(())
}

/// How many logs of runs have content.
fn logs(dir: &Path) -> Result<usize, JournalError> {
    let folder = dir.join("runs");
    let listed = match fs::read_dir(&folder) {
        Ok(listed) => listed,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(0),
        Err(e) => return Err(JournalError::io(&folder, "read", e)),
    };
    let mut logs = 0;
    for file in listed {
        let path = file.map_err(|e| JournalError::io(&folder, "read", e))?.path();
        let of_run = path.file_stem().and_then(|stem| stem.to_str()).is_some_and(is_run_id);
        let is_log = path.extension().is_some_and(|extension| extension == "log");
        logs += usize::from(of_run && is_log && fs::metadata(&path).is_ok_and(|file| file.len() > 0));
    }
    Ok(logs)
}
