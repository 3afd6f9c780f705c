//! What the journal's thread writes to: the database and the run's log file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use crate::buffer::Batch;
use crate::clock::now_micros;
use crate::encode::{RowError, insert};
use crate::error::JournalError;
use crate::format::{self, places_after};
use crate::lease::{HEARTBEAT, log_path};
use crate::record::{Entry, Record, RunStarted, Status, StepIndex};
use crate::row::{self, Kind, status_number};
use crate::run;
use crate::sum::{self, digest};

/// A WAL beyond this is moved into the database when a run ends, so that the next start is quick.
const WAL_LEFT: u64 = 1 << 20;

/// Small log chunks are written together, up to this much.
const WRITE_TOGETHER: usize = 64 << 10;

/// One run's part of a journal, open for writing. Its lease lasts as long as it.
pub(crate) struct Store {
    pub(crate) run: Arc<str>,
    pub(crate) dir: PathBuf,
    /// The database's file.
    pub(crate) path: PathBuf,
    pub(crate) conn: Connection,
    /// The database's file, if it has to be synced with the first commit.
    pub(crate) fresh: Fresh,
    pub(crate) log: File,
    /// How long the log file is.
    pub(crate) log_len: u64,
    pub(crate) progress: Progress,
}

/// Whether the database is new. Its file stays open as long as the connection: closing any
/// descriptor of it would drop SQLite's locks on it.
#[derive(Debug)]
pub(crate) enum Fresh {
    /// It was there.
    No,
    /// It has no tables yet, and may vanish in a power cut.
    Yes(File),
    /// The first commit was made, and the file is durable.
    Synced(#[expect(dead_code, reason = "it is held open, see above")] File),
}

/// What is known of the run from one commit to the next.
#[derive(Default)]
pub(crate) struct Progress {
    /// The run's key, once its row is there.
    pub(crate) key: Option<i64>,
    /// Steps whose last attempt failed, with the place of that record.
    pub(crate) failing: BTreeMap<StepIndex, u64>,
    /// When the run's row last said that this process is alive; `None` if it never did.
    pub(crate) seen: Option<Instant>,
}

impl Progress {
    /// Takes note of how a step's attempt ended.
    pub(crate) fn note(&mut self, entry: &Entry) {
        match &entry.record {
            Record::StepEnded { step, status: Status::Failed, .. } => {
                self.failing.insert(*step, entry.seq);
            }
            Record::StepEnded { step, .. } if !self.failing.is_empty() => {
                self.failing.remove(step);
            }
            _ => {}
        }
    }
}

impl Store {
    /// When the run's row last said that this process is alive.
    pub(crate) fn seen(&self) -> Option<Instant> {
        self.progress.seen
    }

    /// Whether the run has to be in the journal before anything is in its log: a log with content
    /// beside a blank journal is damage (see `lost.rs`).
    pub(crate) fn is_first(&self) -> bool {
        matches!(self.fresh, Fresh::Yes(_))
    }

    /// Writes the batch's log bytes and tells its log records where they are.
    pub(crate) fn write_log(&mut self, batch: &mut Batch) -> Result<(), JournalError> {
        if batch.chunks.is_empty() {
            return Ok(());
        }
        for (chunk, owner) in batch.chunks.iter_mut().zip(&batch.owners) {
            chunk.offset = self.log_len;
            self.log_len += chunk.bytes.len() as u64;
            if let Record::Log { offset, .. } = &mut batch.entries[*owner].record {
                *offset = chunk.offset;
            }
        }
        let mut out = BufWriter::with_capacity(WRITE_TOGETHER, &self.log);
        let written = batch.chunks.iter().try_for_each(|chunk| out.write_all(&chunk.bytes));
        written.and_then(|()| out.flush()).map_err(|e| self.log_error("write", e))
    }

    /// Makes the log's bytes durable.
    pub(crate) fn sync_log(&self) -> Result<(), JournalError> {
        if self.log_len == 0 {
            return Ok(());
        }
        self.log.sync_data().map_err(|e| self.log_error("sync", e))?;
        sync_folder(&self.dir.join("runs"))
    }

    /// Makes records durable, all or none. The run is known from its first commit on.
    pub(crate) fn commit(&mut self, entries: &[Entry]) -> Result<(), JournalError> {
        let result = self.transaction(entries);
        if result.is_err() && !self.conn.is_autocommit() {
            // The first error is the one to tell.
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        self.progress.key = Some(result?);
        self.sync_fresh()
    }

    /// Says that the run's process is alive. It need not survive a power cut (nothing that is alive
    /// does), so it costs no fsync; and a failure is no failure of the run.
    pub(crate) fn heartbeat(&mut self) {
        self.skip_heartbeat();
        let Some(key) = self.progress.key else { return };
        let _ = self.conn.execute_batch("PRAGMA synchronous = NORMAL");
        let _ = self.note_seen(key);
        let _ = self.conn.execute_batch("PRAGMA synchronous = FULL");
    }

    /// Lets the next sign of life wait its time again.
    pub(crate) fn skip_heartbeat(&mut self) {
        self.progress.seen = Some(Instant::now());
    }

    /// Closes the database, then gives the lease back.
    pub(crate) fn close(self) {
        if self.progress.key.is_none() {
            // Nothing was ever recorded, so nobody knows this run.
            let _ = std::fs::remove_file(log_path(&self.dir, &self.run));
        }
        let wal = self.path.with_extension("db-wal");
        if std::fs::metadata(&wal).is_ok_and(|wal| wal.len() > WAL_LEFT) {
            // Best effort: while somebody reads, it stays for the next run to do.
            let _ = self.conn.busy_timeout(Duration::ZERO);
            let _ = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }

    fn transaction(&mut self, entries: &[Entry]) -> Result<i64, JournalError> {
        self.execute("BEGIN IMMEDIATE", [])?;
        if let Fresh::Yes(_) = self.fresh {
            format::ensure_schema(&self.conn, &self.path)?;
        }
        let key = match (self.progress.key, entries.first()) {
            (None, Some(Entry { record: Record::RunStarted(started), at, .. })) => self.insert_run(started, *at)?,
            (key, _) => key.unwrap_or_default(),
        };
        {
            let mut statement = self.conn.prepare_cached(row::INSERT).map_err(|e| self.error(e))?;
            for entry in entries {
                insert(&mut statement, key, entry).map_err(|e| match e {
                    RowError::Store(e) => self.error(e),
                    RowError::Json(e) => {
                        JournalError::Unwritable { run: self.run.to_string(), seq: entry.seq, why: e.to_string() }
                    }
                })?;
            }
        }
        if self.progress.seen.is_none_or(|seen| seen.elapsed() >= HEARTBEAT) {
            self.note_seen(key)?;
        }
        for entry in entries {
            self.index(key, entry)?;
        }
        self.execute("COMMIT", [])?;
        Ok(key)
    }

    /// Keeps the run's row in step with its records.
    fn index(&mut self, key: i64, entry: &Entry) -> Result<(), JournalError> {
        self.progress.note(entry);
        let Record::RunEnded { status, exit_code } = &entry.record else { return Ok(()) };
        let failed = self.failed_step(key)?;
        self.execute(
            "UPDATE run SET ended_at = ?2, status = ?3, exit_code = ?4, failed_step = ?5, pid = NULL, seen_at = ?2 \
             WHERE key = ?1",
            params![key, entry.at.cast_signed(), status_number(*status), exit_code, failed],
        )?;
        self.seal(key)
    }

    /// Gives the run's row its checksum.
    fn seal(&self, key: i64) -> Result<(), JournalError> {
        let mut statement = self.conn.prepare_cached(run::SELECT_SUMMED).map_err(|e| self.error(e))?;
        let sum = statement.query_row([key], |row| sum::of_row(row, run::SUMMED)).map_err(|e| self.error(e))?;
        self.execute("UPDATE run SET sum = ?2 WHERE key = ?1", [key, sum])
    }

    /// The name of the step that failed first, of those that did not succeed later.
    fn failed_step(&self, key: i64) -> Result<Option<String>, JournalError> {
        let Some((step, _)) = self.progress.failing.iter().min_by_key(|(_, seq)| **seq) else { return Ok(None) };
        let (after, last) = places_after(key, 0);
        self.conn
            .query_row(
                "SELECT name FROM entry WHERE place > ?1 AND place <= ?2 AND kind = ?3 AND step = ?4 LIMIT 1",
                params![after, last, Kind::StepStarted as i64, step.0],
                |row| row.get(0),
            )
            .optional()
            .map_err(|e| self.error(e))
    }

    fn insert_run(&self, started: &RunStarted, at: u64) -> Result<i64, JournalError> {
        let digest = digest(&started.source);
        self.execute("INSERT OR IGNORE INTO source (digest, text) VALUES (?1, ?2)", params![digest, started.source])?;
        let RunStarted { run, pipeline, file, .. } = started;
        self.execute(
            "INSERT INTO run (id, pipeline, file, source, started_at, pid, seen_at, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5, 0)",
            params![run, pipeline, file, digest, at.cast_signed(), std::process::id()],
        )?;
        let key = self.conn.last_insert_rowid();
        self.seal(key)?;
        Ok(key)
    }

    fn note_seen(&mut self, key: i64) -> Result<(), JournalError> {
        self.skip_heartbeat();
        self.execute(
            "UPDATE run SET seen_at = ?2, pid = ?3 WHERE key = ?1",
            params![key, now_micros().cast_signed(), std::process::id()],
        )
    }

    /// A new database must not vanish in a power cut: SQLite would then drop its WAL too. The WAL
    /// and the folder's names were synced by SQLite with the commit.
    fn sync_fresh(&mut self) -> Result<(), JournalError> {
        if let Fresh::Yes(file) = &self.fresh {
            file.sync_data().map_err(|e| JournalError::io(&self.path, "sync", e))?;
            if let Some(parent) = self.dir.parent() {
                sync_folder(parent)?;
            }
        }
        self.fresh = match std::mem::replace(&mut self.fresh, Fresh::No) {
            Fresh::Yes(file) => Fresh::Synced(file),
            fresh => fresh,
        };
        Ok(())
    }

    fn execute(&self, sql: &str, params: impl rusqlite::Params) -> Result<(), JournalError> {
        let mut statement = self.conn.prepare_cached(sql).map_err(|e| self.error(e))?;
        statement.execute(params).map(drop).map_err(|e| self.error(e))
    }

    fn error(&self, error: rusqlite::Error) -> JournalError {
        JournalError::store(&self.path, "write", error)
    }

    fn log_error(&self, doing: &'static str, error: std::io::Error) -> JournalError {
        JournalError::io(&log_path(&self.dir, &self.run), doing, error)
    }
}

/// Makes the names in a folder durable.
fn sync_folder(path: &Path) -> Result<(), JournalError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|e| JournalError::io(path, "sync", e))
}
