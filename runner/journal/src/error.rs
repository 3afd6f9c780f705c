//! What can go wrong with a journal, in words for the person who has to act.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::format::FormatVersion;
use crate::record::CallId;

/// What went wrong, where, why, and what to do next.
///
/// It is `Clone`, because one failed commit is the answer to everybody who waited for it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// There is no journal in the folder.
    #[error(
        "there is no journal in {}: no run was started here yet; start one with `windlass run`, or go to the folder of the pipeline",
        path.display()
    )]
    Absent {
        /// The folder that was looked in.
        path: PathBuf,
    },
    /// Something that is no folder is where the journal's folder has to be.
    #[error("{} is a file, and the journal needs a folder of that name; move the file away", path.display())]
    NotAFolder {
        /// What is there.
        path: PathBuf,
    },
    /// The system refuses access.
    #[error("no permission to {doing} {}: {why}; give this user access to the folder and what is in it", path.display())]
    NoPermission {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as `read`.
        doing: &'static str,
        /// What the system said.
        why: String,
    },
    /// The file is something else.
    #[error("{} is not a journal of Windlass ({why}); move it away, or use another folder", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// How it shows.
        why: String,
    },
    /// A newer Windlass wrote it.
    #[error(
        "{} has format {found}, and this Windlass knows formats up to {}; use the Windlass that wrote it, or a newer one",
        path.display(), known.number()
    )]
    Newer {
        /// The journal's file.
        path: PathBuf,
        /// The format it has.
        found: u32,
        /// The newest format that this Windlass knows.
        known: FormatVersion,
    },
    /// The file is a journal, but what it holds makes no sense.
    #[error(
        "{} is damaged ({why}); keep a copy of its folder, then move the folder away: the next run makes a new one",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What makes no sense.
        why: String,
    },
    /// Runs were here, and their records are not.
    #[error(
        "{} has no records, and the folder beside it has logs of {} that were recorded there: the records are lost; bring back journal.db and journal.db-wal from a copy, or move the folder {} away: the next run makes a new one",
        path.display(), runs(*logs), path.parent().unwrap_or(path).display()
    )]
    Lost {
        /// The journal's file, which is missing or blank.
        path: PathBuf,
        /// How many logs of runs there are.
        logs: usize,
    },
    /// Another process keeps the journal locked for longer than a commit takes.
    #[error("{} is locked by another process; end the other process (a stopped one keeps its lock), then try again", path.display())]
    Locked {
        /// The journal's file.
        path: PathBuf,
    },
    /// No room on the disk.
    #[error("the disk of {} is full; make room, then run again", path.display())]
    Full {
        /// The file that could not grow.
        path: PathBuf,
    },
    /// The system reports an error with a file or folder.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as `create`.
        doing: &'static str,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The store reports an error that has no variant of its own.
    #[error("cannot {doing} {}: {source}", path.display())]
    Store {
        /// The journal's file.
        path: PathBuf,
        /// What was tried, as `read`.
        doing: &'static str,
        /// What the store said.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A record could not be written as text.
    #[error("cannot write record {seq} of run {run}: {why}; this is a defect of Windlass, please report it")]
    Unwritable {
        /// The run.
        run: String,
        /// The record's place in it.
        seq: u64,
        /// Why not.
        why: String,
    },
    /// Nothing was run yet.
    #[error("the journal in {} has no runs yet; start one with `windlass run`", path.display())]
    NoRuns {
        /// The journal's folder.
        path: PathBuf,
    },
    /// What was given is not, and does not begin, the id of a run here.
    #[error("no run is called `{given}`{}; `windlass runs` lists all", listed("the newest are", recent))]
    UnknownRun {
        /// What was given.
        given: String,
        /// The newest runs there are.
        recent: Vec<String>,
    },
    /// What was given begins more than one run's id.
    #[error("`{given}` is the beginning of more than one run{}; give more characters", listed("these", candidates))]
    AmbiguousRun {
        /// What was given.
        given: String,
        /// The runs it could mean, newest first.
        candidates: Vec<String>,
    },
    /// What was given is too short to stand for an id.
    #[error("`{given}` is too short to name a run; give at least {least} characters of its id, or `latest`")]
    ShortId {
        /// What was given.
        given: String,
        /// How many characters it takes.
        least: usize,
    },
    /// A run with this id is there already.
    #[error("there is already a run `{run}` in {}; start it again, it gets another id", path.display())]
    RunExists {
        /// The id.
        run: String,
        /// The journal's folder.
        path: PathBuf,
    },
    /// A run id that is not made as run ids are.
    #[error("`{run}` cannot be the id of a run: ten characters of Crockford's base 32 are")]
    BadRunId {
        /// The id.
        run: String,
    },
    /// Another process writes this run.
    #[error("run `{run}` is alive{}; wait for its end, or end it with Ctrl-C{}", process(*pid), kill(*pid))]
    InUse {
        /// The run.
        run: String,
        /// The process that writes it, if it is known.
        pid: Option<u32>,
    },
    /// The run is over, so it cannot go on.
    #[error("run `{run}` has ended; start a new one with `windlass run`")]
    Ended {
        /// The run.
        run: String,
    },
    /// A run without a first record.
    #[error(
        "run `{run}` has no records: it was cut short before anything was stored; start a new one with `windlass run`"
    )]
    Empty {
        /// The run.
        run: String,
    },
    /// A call is missing in a run's record.
    #[error("record {seq} is call {} of its step, and the record has only {expected} before it: calls are missing", call.ordinal + 1)]
    Gap {
        /// The record's place in the run.
        seq: u64,
        /// Which call.
        call: CallId,
        /// How many calls there are before it.
        expected: usize,
    },
    /// The writer was closed before this record came.
    #[error(
        "the record of run `{run}` is closed, and something was still to be written to it; this is a defect of Windlass, please report it"
    )]
    Closed {
        /// The run.
        run: String,
    },
}

/// `" (the newest are: a, b)"`, or nothing for nothing.
fn listed(lead: &str, ids: &[String]) -> String {
    if ids.is_empty() { String::new() } else { format!(" ({lead}: {})", ids.join(", ")) }
}

/// `1 run`, `2 runs`.
fn runs(count: usize) -> String {
    format!("{count} run{}", if count == 1 { "" } else { "s" })
}

/// `" (process 17)"`, if it is known.
fn process(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

/// `" or `kill -INT 17`"`, if it is known.
fn kill(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" or `kill -INT {pid}`"))
}

impl JournalError {
    /// What the system said about a file, sorted by what a person can do about it.
    pub(crate) fn io(path: &Path, doing: &'static str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NoPermission { path, doing, why: source.to_string() }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { path, doing, source: Arc::new(source) },
        }
    }

    /// What the store said, sorted by what a person can do about it.
    pub(crate) fn store(path: &Path, doing: &'static str, source: rusqlite::Error) -> Self {
        use rusqlite::{Error, ErrorCode as Code};
        let path = path.to_owned();
        let why = source.to_string();
        match source.sqlite_error_code() {
            Some(Code::DiskFull) => Self::Full { path },
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::Locked { path },
            Some(Code::NotADatabase) => Self::NotAJournal { path, why },
            Some(Code::DatabaseCorrupt) => Self::Damaged { path, why },
            Some(Code::CannotOpen | Code::PermissionDenied | Code::ReadOnly) => Self::NoPermission { path, doing, why },
            // The queries are fixed: if one does not fit, the tables or the values are not ours.
            _ if matches!(
                source,
                Error::SqlInputError { .. }
                    | Error::FromSqlConversionFailure(..)
                    | Error::IntegralValueOutOfRange(..)
                    | Error::InvalidColumnType(..)
                    | Error::Utf8Error(..)
            ) =>
            {
                Self::Damaged { path, why }
            }
            _ => Self::Store { path, doing, source: Arc::new(source) },
        }
    }
}
