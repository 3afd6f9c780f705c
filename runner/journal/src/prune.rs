//! Removing runs that are over.
//!
//! Rows go first and in one transaction, then files; so a process that is killed in between leaves
//! files without rows, which mean nothing to any reader and which the next prune removes.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, params};

use crate::error::JournalError;
use crate::format::{self, DATABASE, Identity, SEQ_BITS};
use crate::id::is_run_id;
use crate::lease;
use crate::reader::Reader;
use crate::run::{RunState, RunSummary};

/// A file without a row may belong to a run that starts just now.
const YOUNG: Duration = Duration::from_secs(60);

/// Which runs to remove. A run goes when it is beyond the newest `keep` and older than `older_than`;
/// what is `None` does not keep it. One that is running is never removed.
#[derive(Clone, Debug, Default)]
pub struct PruneOptions {
    /// The newest runs that stay.
    pub keep: Option<usize>,
    /// What ended (or broke off) less than this long ago stays.
    pub older_than: Option<Duration>,
    /// The interrupted runs that may go too, although they could be resumed.
    pub interrupted: BTreeSet<String>,
    /// Only say what would go.
    pub dry_run: bool,
}

/// What was removed, or would be.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Pruned {
    /// The runs, newest first.
    pub runs: Vec<RunSummary>,
    /// Interrupted runs that stay only because they could be resumed.
    pub interrupted: Vec<RunSummary>,
    /// How many records they had.
    pub records: u64,
    /// How many pipelines' texts no other run has.
    pub sources: u64,
    /// Log files of runs that are not in the journal.
    pub orphans: Vec<PathBuf>,
    /// How many bytes the journal's own files gave back; about how many they would.
    pub freed: u64,
    /// Why the store could not be made smaller. Its free room is used by later runs.
    pub not_compacted: Option<JournalError>,
}

/// A journal that is being pruned.
struct Pruning<'a> {
    dir: &'a Path,
    path: PathBuf,
    conn: Connection,
}

/// Removes runs from the journal in the folder `dir`: their records, pipelines' texts that no other
/// run has, and their log files. What else there is of a run in the folder is the caller's to remove:
/// whatever is named after a run that [`Reader::has`] does not know.
///
/// # Errors
///
/// As [`crate::Journal::open`], and what the store and the system say.
pub fn prune(dir: &Path, options: &PruneOptions) -> Result<Pruned, JournalError> {
    let reader = Reader::open(dir)?;
    let dir = &std::path::absolute(dir).map_err(|e| JournalError::io(dir, "find", e))?;
    let path = dir.join(DATABASE);
    let all = reader.runs(usize::MAX)?;
    // What is written anew from a damaged store would look whole.
    reader.verify_all()?;
    let mut pruned = choose(&all, options, crate::now_micros());
    if options.dry_run {
        let size = store_size(&path);
        (pruned.records, pruned.freed) = reader.share(&pruned.runs, size)?;
        pruned.sources = sources_left_over(&all, &pruned.runs);
        pruned.orphans = orphans(dir, &reader)?;
        pruned.freed += log_sizes(dir, &pruned.runs) + pruned.orphans.iter().map(|file| len(file)).sum::<u64>();
        return Ok(pruned);
    }
    let (conn, identity) = format::open_writable(&path)?;
    if identity == Identity::Blank {
        return Ok(pruned);
    }
    let pruning = Pruning { dir, path, conn };
    let before = store_size(&pruning.path);
    // Held until their files are gone, so that nobody resumes what is being removed.
    let _leases = pruning.take_leases(&mut pruned);
    pruning.remove_rows(&mut pruned)?;
    for run in &pruned.runs {
        pruned.freed += remove(&lease::log_path(dir, &run.id))?;
    }
    pruned.orphans = orphans(dir, &reader)?;
    for file in &pruned.orphans {
        pruned.freed += remove(file)?;
    }
    // Readers keep the store from being cut.
    drop(reader);
    let running = all.iter().any(|run| run.state == RunState::Running);
    pruned.not_compacted = pruning.compact(running).err();
    pruned.freed += before.saturating_sub(store_size(&pruning.path));
    Ok(pruned)
}

/// What goes, and what stays only because it could be resumed.
fn choose(all: &[RunSummary], options: &PruneOptions, now: u64) -> Pruned {
    let age = options.older_than.map_or(0, |age| u64::try_from(age.as_micros()).unwrap_or(u64::MAX));
    let beyond = all.iter().skip(options.keep.unwrap_or(0));
    let old = beyond.filter(|run| now.saturating_sub(run.ended.unwrap_or(run.seen)) >= age);
    let mut pruned = Pruned::default();
    for run in old {
        match run.state {
            RunState::Running => {}
            RunState::Interrupted if !options.interrupted.contains(&run.id) => pruned.interrupted.push(run.clone()),
            _ => pruned.runs.push(run.clone()),
        }
    }
    pruned
}

impl Pruning<'_> {
    /// Takes the leases of interrupted runs. One that somebody goes on with meanwhile stays.
    fn take_leases(&self, pruned: &mut Pruned) -> Vec<File> {
        let mut leases = Vec::new();
        pruned.runs.retain(|run| {
            if run.state != RunState::Interrupted {
                return true;
            }
            let lease = lease::take_over(self.dir, &run.id, run.pid);
            lease.is_ok_and(|lease| {
                leases.push(lease);
                true
            })
        });
        leases
    }

    fn remove_rows(&self, pruned: &mut Pruned) -> Result<(), JournalError> {
        let removed = self.remove_rows_of(pruned);
        if removed.is_err() && !self.conn.is_autocommit() {
            // The first error is the one to tell.
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        removed.map_err(|e| JournalError::store(&self.path, "prune", e))
    }

    fn remove_rows_of(&self, pruned: &mut Pruned) -> rusqlite::Result<()> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        let mut gone = Vec::with_capacity(pruned.runs.len());
        for run in std::mem::take(&mut pruned.runs) {
            // Somebody else may have pruned it, or have ended it, since it was looked at.
            let sql = "DELETE FROM run WHERE key = ?1 AND id = ?2 AND (status IS NULL) = ?3";
            let open = run.state == RunState::Interrupted;
            if self.conn.execute(sql, params![run.key, run.id, open])? == 0 {
                continue;
            }
            let (first, last) = (run.key << SEQ_BITS, ((run.key + 1) << SEQ_BITS) - 1);
            let records = self.conn.execute("DELETE FROM entry WHERE place BETWEEN ?1 AND ?2", [first, last])?;
            pruned.records += records as u64;
            gone.push(run);
        }
        pruned.runs = gone;
        let sources = self.conn.execute("DELETE FROM source WHERE digest NOT IN (SELECT source FROM run)", [])?;
        pruned.sources = sources as u64;
        self.conn.execute_batch("COMMIT")
    }

    /// Gives the store's free room back, unless a run would have to wait for it.
    fn compact(&self, running: bool) -> Result<(), JournalError> {
        let err = |e| JournalError::store(&self.path, "make smaller", e);
        let free: i64 = self.conn.pragma_query_value(None, "freelist_count", |row| row.get(0)).map_err(err)?;
        if free > 0 && running {
            return Err(JournalError::Locked { path: self.path.clone() });
        }
        if free > 0 {
            self.conn.execute_batch("VACUUM").map_err(err)?;
        }
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(err)
    }
}

/// How large the store's files are.
pub(crate) fn store_size(path: &Path) -> u64 {
    len(path) + len(&path.with_extension("db-wal"))
}

fn len(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

fn log_sizes(dir: &Path, runs: &[RunSummary]) -> u64 {
    runs.iter().map(|run| len(&lease::log_path(dir, &run.id))).sum()
}

/// How many pipelines' texts only these runs have.
fn sources_left_over(all: &[RunSummary], gone: &[RunSummary]) -> u64 {
    let texts = |runs: &mut dyn Iterator<Item = &RunSummary>| -> BTreeSet<String> {
        runs.map(|run| run.source_digest.clone()).collect()
    };
    let staying = texts(&mut all.iter().filter(|run| !gone.contains(run)));
    texts(&mut gone.iter()).difference(&staying).count() as u64
}

/// Removes a file, if it is there; how large it was.
fn remove(path: &Path) -> Result<u64, JournalError> {
    let size = len(path);
    match fs::remove_file(path) {
        Ok(()) => Ok(size),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(e) => Err(JournalError::io(path, "remove", e)),
    }
}

/// The log files of runs that have no row: a prune was cut short, or a run before its first commit.
pub(crate) fn orphans(dir: &Path, reader: &Reader) -> Result<Vec<PathBuf>, JournalError> {
    let folder = dir.join("runs");
    let listed = match fs::read_dir(&folder) {
        Ok(listed) => listed,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(JournalError::io(&folder, "read", e)),
    };
    let mut orphans = Vec::new();
    for file in listed {
        let path = file.map_err(|e| JournalError::io(&folder, "read", e))?.path();
        let run = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| is_run_id(stem));
        let is_log = path.extension().is_some_and(|extension| extension == "log");
        if let Some(run) = run.filter(|_| is_log)
            && !reader.has(run)?
            && is_abandoned(dir, run, &path)
        {
            orphans.push(path);
        }
    }
    orphans.sort();
    Ok(orphans)
}

/// Whether a file or folder of a run that is not in the journal is nobody's: not of a run that starts
/// just now.
pub(crate) fn is_abandoned(dir: &Path, run: &str, path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|file| file.modified());
    let age = modified.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    age.is_some_and(|age| age >= YOUNG) && !lease::is_held(dir, run, 0)
}
