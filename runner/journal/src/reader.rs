//! Reading runs; nothing here changes anything.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::entries::Entries;
use crate::error::JournalError;
use crate::follow::Follow;
use crate::format::{self, DATABASE, Identity};
use crate::id::{SHORTEST_PREFIX, normalise};
use crate::lease::{is_held, log_path};
use crate::log::LogBytes;
use crate::lost;
use crate::row;
use crate::run::{self, RunState, RunSummary};
use crate::sum::{self, digest};

/// How many runs an error lists.
const LISTED: usize = 10;

/// The rows of the table `run`, as [`summary`] reads them.
const SELECT_RUN: &str = "SELECT key, id, pipeline, file, source, started_at, ended_at, status, exit_code, failed_step, sum, pid, seen_at FROM run ";

/// Reads a journal, also while another process writes it.
pub struct Reader {
    dir: PathBuf,
    path: PathBuf,
    pub(crate) conn: Connection,
    /// The tables are there; they come with the first commit.
    ready: Cell<bool>,
    /// The structure of the store was looked through.
    verified: Cell<bool>,
    /// That of the table of runs was.
    verified_runs: Cell<bool>,
    /// The log file that was read last.
    log: RefCell<Option<(String, File)>>,
}

impl Reader {
    pub(crate) fn open(dir: &Path) -> Result<Self, JournalError> {
        let dir = &std::path::absolute(dir).map_err(|e| JournalError::io(dir, "find", e))?;
        let path = dir.join(DATABASE);
        if let Ok(found) = std::fs::metadata(dir)
            && !found.is_dir()
        {
            return Err(JournalError::NotAFolder { path: dir.to_owned() });
        }
        if !format::is_there(&path)? {
            lost::refuse(&path, || Ok(!format::is_there(&path)?))?;
            return Err(JournalError::Absent { path: dir.to_owned() });
        }
        let (conn, identity) = format::open_readable(&path)?;
        let ready = Cell::new(identity != Identity::Blank);
        Ok(Self {
            dir: dir.to_owned(),
            path,
            conn,
            ready,
            verified: Cell::new(false),
            verified_runs: Cell::new(false),
            log: RefCell::new(None),
        })
    }

    /// The newest runs, newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn runs(&self, limit: usize) -> Result<Vec<RunSummary>, JournalError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.select("ORDER BY key DESC LIMIT ?1", params![limit])
    }

    /// The run with this id, or whose id begins with it (at least three characters); the newest run
    /// for `None` and for `latest`.
    ///
    /// # Errors
    ///
    /// [`JournalError::NoRuns`], [`JournalError::ShortId`], [`JournalError::UnknownRun`],
    /// [`JournalError::AmbiguousRun`], and what the store says.
    pub fn resolve(&self, id: Option<&str>) -> Result<RunSummary, JournalError> {
        let Some(given) = id.filter(|id| *id != "latest") else {
            return self.runs(1)?.pop().ok_or_else(|| JournalError::NoRuns { path: self.dir.clone() });
        };
        if given.chars().count() < SHORTEST_PREFIX {
            return Err(JournalError::ShortId { given: given.to_owned(), least: SHORTEST_PREFIX });
        }
        let mut found = match normalise(given) {
            // `{` comes after `z`, the last letter of an id.
            Some(prefix) => self.select(
                // `+`: by the rows themselves. They have checksums, the index of ids has none, and
                // they are few.
                "WHERE +id >= ?1 AND +id < ?1 || '{' ORDER BY key DESC LIMIT ?2",
                params![prefix, LISTED as i64],
            )?,
            None => Vec::new(),
        };
        match found.len() {
            0 => {
                let recent = self.runs(LISTED)?.into_iter().map(|run| run.id).collect();
                Err(JournalError::UnknownRun { given: given.to_owned(), recent })
            }
            1 => Ok(found.remove(0)),
            _ => {
                let candidates = found.into_iter().map(|run| run.id).collect();
                Err(JournalError::AmbiguousRun { given: given.to_owned(), candidates })
            }
        }
    }

    /// The run's records after `after_seq` (0 for all), in order, as many as are committed when the
    /// iterator gets to them. They are read in pages, never all into memory.
    ///
    /// # Errors
    ///
    /// What the store says. Damage in a record comes with the iterator.
    pub fn entries(&self, run: &RunSummary, after_seq: u64) -> Result<Entries<'_>, JournalError> {
        if self.is_ready()? && run.state == RunState::Interrupted {
            self.verify_all()?;
        }
        Ok(Entries::new(self, run, after_seq))
    }

    /// The run's records after `after_seq`, then those that its process commits from now on.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn follow(&self, run: &RunSummary, after_seq: u64) -> Result<Follow<'_>, JournalError> {
        Ok(Follow::new(self, run, self.entries(run, after_seq)?))
    }

    /// The text of the run's `pipeline.toml`.
    ///
    /// # Errors
    ///
    /// [`JournalError::Damaged`] if it is not there, and what the store says.
    pub fn source(&self, run: &RunSummary) -> Result<String, JournalError> {
        let text: Option<String> = self
            .conn
            .query_row("SELECT text FROM source WHERE digest = ?1", [&run.source_digest], |row| row.get(0))
            .optional()
            .map_err(|e| self.store(e))?;
        let text = text.ok_or_else(|| self.damaged(format!("the pipeline of run {} is missing", run.id)))?;
        if digest(&text) != run.source_digest {
            return Err(self.damaged(format!("the pipeline of run {} is not what was written", run.id)));
        }
        Ok(text)
    }

    /// The `len` bytes at `offset` of the run's log, as a [`crate::Record::Log`] gives them.
    ///
    /// # Errors
    ///
    /// What the system says. Bytes that are not there are no error: see [`LogBytes::missing`].
    pub fn log_bytes(&self, run: &RunSummary, offset: u64, len: u64) -> Result<LogBytes, JournalError> {
        let path = log_path(&self.dir, &run.id);
        let err = |e| JournalError::io(&path, "read", e);
        let mut cached = self.log.borrow_mut();
        if cached.as_ref().is_none_or(|(id, _)| *id != run.id) {
            match File::open(&path) {
                Ok(file) => *cached = Some((run.id.clone(), file)),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    return Ok(LogBytes { bytes: Vec::new(), missing: len });
                }
                Err(e) => return Err(err(e)),
            }
        }
        let mut bytes = Vec::new();
        if let Some((_, file)) = cached.as_mut() {
            file.seek(SeekFrom::Start(offset)).map_err(err)?;
            file.take(len).read_to_end(&mut bytes).map_err(err)?;
        }
        let missing = len - bytes.len() as u64;
        Ok(LogBytes { bytes, missing })
    }

    /// The run's index row as it is now.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn refresh(&self, run: &RunSummary) -> Result<RunSummary, JournalError> {
        let found = self.select("WHERE key = ?1", [run.key])?.pop();
        found.ok_or_else(|| self.damaged(format!("run {} is missing", run.id)))
    }

    /// The journal's folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The log file of a run.
    pub(crate) fn log_path(&self, run: &str) -> PathBuf {
        log_path(&self.dir, run)
    }

    /// How large the store's files are.
    pub(crate) fn store_size(&self) -> u64 {
        crate::prune::store_size(&self.path)
    }

    /// A number that changes when another connection commits.
    pub(crate) fn data_version(&self) -> Result<i64, JournalError> {
        let mut statement = self.conn.prepare_cached("PRAGMA data_version").map_err(|e| self.store(e))?;
        statement.query_row([], |row| row.get(0)).map_err(|e| self.store(e))
    }

    fn select(&self, rest: &str, params: impl rusqlite::Params) -> Result<Vec<RunSummary>, JournalError> {
        if !self.is_ready()? {
            return Ok(Vec::new());
        }
        self.verify(&self.verified_runs, "PRAGMA integrity_check(run)")?;
        let rows = || {
            let mut statement = self.conn.prepare_cached(&format!("{SELECT_RUN}{rest}"))?;
            statement.query_map(params, summary)?.collect::<rusqlite::Result<Vec<_>>>()
        };
        let rows = rows().map_err(|e| self.store(e))?;
        let mut runs = rows.into_iter().map(|row| self.held(row)).collect::<Result<Vec<_>, _>>()?;
        for run in &mut runs {
            if run.state == RunState::Running && !is_held(&self.dir, &run.id, run.seen) {
                // It may have ended, and given its lease back, since its row was read.
                *run = self.row(run.key)?;
                if run.state == RunState::Running {
                    run.state = RunState::Interrupted;
                }
            }
        }
        Ok(runs)
    }

    /// A run's row, whose lease was not looked at.
    fn row(&self, key: i64) -> Result<RunSummary, JournalError> {
        let row = || {
            let mut statement = self.conn.prepare_cached(&format!("{SELECT_RUN}WHERE key = ?1"))?;
            statement.query_row([key], summary)
        };
        self.held(row().map_err(|e| self.store(e))?)
    }

    /// A run's row, if it is what was written.
    fn held(&self, (run, holds): (RunSummary, bool)) -> Result<RunSummary, JournalError> {
        if holds {
            return Ok(run);
        }
        Err(self.damaged(format!("run {}: its row is not what was written, by its checksum", run.id)))
    }

    /// Has SQLite hold the whole store against itself.
    pub(crate) fn verify_all(&self) -> Result<(), JournalError> {
        self.verify(&self.verified, "PRAGMA quick_check(1)")
    }

    /// Has SQLite hold a part of the store against itself, once. Every record has a checksum and a
    /// number, and a run that has ended has a last one; so the whole is looked at only for a run
    /// that has none, where the end could be missing, and else the table of runs alone, which is
    /// small.
    fn verify(&self, done: &Cell<bool>, check: &str) -> Result<(), JournalError> {
        if !done.get() {
            let said: String = self.conn.query_row(check, [], |row| row.get(0)).map_err(|e| self.store(e))?;
            if said != "ok" {
                return Err(self.damaged(said));
            }
            done.set(true);
        }
        Ok(())
    }

    /// Whether the tables are there by now.
    pub(crate) fn is_ready(&self) -> Result<bool, JournalError> {
        if !self.ready.get() {
            self.ready.set(format::identify(&self.conn, &self.path)? != Identity::Blank);
        }
        Ok(self.ready.get())
    }

    pub(crate) fn store(&self, error: rusqlite::Error) -> JournalError {
        JournalError::store(&self.path, "read", error)
    }

    pub(crate) fn damaged(&self, why: String) -> JournalError {
        JournalError::Damaged { path: self.path.clone(), why }
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// A row of the table `run`, and whether it is what was written; a run without an end counts as running until its lease is looked at.
fn summary(row: &Row<'_>) -> rusqlite::Result<(RunSummary, bool)> {
    let status: Option<i64> = row.get(7)?;
    let run = RunSummary {
        key: row.get(0)?,
        id: row.get(1)?,
        pipeline: row.get(2)?,
        file: row.get(3)?,
        source_digest: row.get(4)?,
        started: row.get::<_, i64>(5)?.cast_unsigned(),
        ended: row.get::<_, Option<i64>>(6)?.map(i64::cast_unsigned),
        state: match status {
            None => RunState::Running,
            Some(number) => {
                RunState::Ended(row::status_from(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(7, number))?)
            }
        },
        exit_code: row.get(8)?,
        failed_step: row.get(9)?,
        pid: row.get(11)?,
        seen: row.get::<_, i64>(12)?.cast_unsigned(),
    };
    Ok((run, sum::holds(row, run::SUMMED)))
}
