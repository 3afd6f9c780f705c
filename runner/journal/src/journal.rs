//! The journal's folder, and the start of a run's record.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::buffer::Buffer;
use crate::error::JournalError;
use crate::format::{self, DATABASE, Identity};
use crate::id::is_run_id;
use crate::inbox::Request;
use crate::lease;
use crate::reader::Reader;
use crate::record::{Record, RunStarted};
use crate::resume;
use crate::store::{Fresh, Progress, Store};
use crate::thread::{Committer, Observer};
use crate::writer::{Shared, Writer};

/// A journal that is open for writing one run.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    path: PathBuf,
    conn: Connection,
    fresh: Fresh,
}

/// How a run's record is written. Take the defaults and change what you need:
///
/// ```
/// let options = windlass_journal::WriterOptions { observer: None, ..Default::default() };
/// ```
pub struct WriterOptions {
    /// Sees every batch once it is durable.
    pub observer: Option<Box<dyn Observer>>,
    /// How long a record may wait for others before they are committed together: 10 ms.
    pub flush_after: Duration,
    /// How many bytes may be pending, about, before writers wait for the disk: 16 MiB. As much again
    /// may be on its way to the disk.
    pub pending_limit: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { observer: None, flush_after: Duration::from_millis(10), pending_limit: 16 << 20 }
    }
}

impl std::fmt::Debug for WriterOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriterOptions")
            .field("observer", &self.observer.is_some())
            .field("flush_after", &self.flush_after)
            .field("pending_limit", &self.pending_limit)
            .finish()
    }
}

impl Journal {
    /// Opens the journal in the folder `dir` (`.windlass`) for writing, and makes both if they are
    /// not there.
    ///
    /// # Errors
    ///
    /// [`JournalError::Newer`], [`JournalError::NotAJournal`], [`JournalError::Damaged`],
    /// [`JournalError::NoPermission`] and what else the system says.
    pub fn open_or_create(dir: &Path) -> Result<Self, JournalError> {
        // Whatever becomes of the working directory, the folder stays the same.
        let dir = &std::path::absolute(dir).map_err(|e| JournalError::io(dir, "find", e))?;
        let path = dir.join(DATABASE);
        if !dir.is_dir() {
            if dir.exists() {
                return Err(JournalError::NotAFolder { path: dir.to_owned() });
            }
            std::fs::create_dir_all(dir).map_err(|e| JournalError::io(dir, "create", e))?;
            let ignore = dir.join(".gitignore");
            std::fs::write(&ignore, "*\n").map_err(|e| JournalError::io(&ignore, "write", e))?;
        }
        let (conn, identity) = format::open_writable(&path)?;
        let fresh = match identity {
            Identity::Blank => Fresh::Yes(File::open(&path).map_err(|e| JournalError::io(&path, "open", e))?),
            Identity::Journal(_) => Fresh::No,
        };
        Ok(Self { dir: dir.to_owned(), path, conn, fresh })
    }

    /// Opens the journal in the folder `dir` for reading. Nothing is made or changed.
    ///
    /// # Errors
    ///
    /// [`JournalError::Absent`], [`JournalError::Newer`], [`JournalError::NotAJournal`],
    /// [`JournalError::Damaged`], [`JournalError::NoPermission`] and what else the system says.
    pub fn open(dir: &Path) -> Result<Reader, JournalError> {
        Reader::open(dir)
    }

    /// The newest run of a pipeline that was interrupted, among the last few.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn interrupted(&self, pipeline: &str) -> Result<Option<String>, JournalError> {
        if matches!(self.fresh, Fresh::Yes(_)) {
            return Ok(None);
        }
        let open = || {
            let mut statement = self.conn.prepare(
                "SELECT id, seen_at FROM (SELECT * FROM run ORDER BY key DESC LIMIT 20) \
                 WHERE status IS NULL AND waiting_since IS NULL AND pipeline = ?1",
            )?;
            let rows = statement.query_map([pipeline], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let open = open().map_err(|error| JournalError::store(&self.path, "read", error))?;
        let free = |(run, seen): &(String, i64)| !lease::is_held(&self.dir, run, seen.cast_unsigned());
        Ok(open.into_iter().find(free).map(|(run, _)| run))
    }

    /// Starts the record of a new run with `started` as its first record, and the journal's thread.
    ///
    /// # Errors
    ///
    /// [`JournalError::RunExists`], [`JournalError::BadRunId`], and what the system says about the
    /// run's log file. An error of the first commit comes with the first durable record.
    pub fn start_run(self, options: WriterOptions, started: RunStarted) -> Result<Writer, JournalError> {
        if !is_run_id(&started.run) {
            return Err(JournalError::BadRunId { run: started.run });
        }
        let run: Arc<str> = started.run.as_str().into();
        let log = lease::create(&self.dir, &run)?;
        let mut buffer = Buffer::new(1);
        buffer.push(Record::RunStarted(Box::new(started)));
        let now = Some(Instant::now());
        let progress = Progress { seen: now, looked: now, ..Progress::default() };
        self.spawn(options, run, log, buffer, progress, Vec::new())
    }

    /// Goes on with the record of an interrupted run, after its last record. Its id is given in full.
    ///
    /// # Errors
    ///
    /// [`JournalError::UnknownRun`], [`JournalError::Ended`], [`JournalError::InUse`] if its process
    /// is alive, and what the system or the store says.
    pub fn resume_run(self, options: WriterOptions, run: &str) -> Result<Writer, JournalError> {
        let found = resume::find(&self.conn, &self.path, run, matches!(self.fresh, Fresh::Yes(_)))?;
        let log = lease::take_over(&self.dir, run, found.pid)?;
        let (buffer, mut progress) = resume::read(&self.conn, &self.path, run, &found)?;
        // Who goes on with a run knows at once what was asked meanwhile.
        let asked = progress.look(&self.conn, &self.path)?;
        self.spawn(options, run.into(), log, buffer, progress, asked)
    }

    fn spawn(
        self,
        options: WriterOptions,
        run: Arc<str>,
        log: File,
        buffer: Buffer,
        progress: Progress,
        asked: Vec<Request>,
    ) -> Result<Writer, JournalError> {
        let log_len = log.metadata().map_err(|e| JournalError::io(&lease::log_path(&self.dir, &run), "read", e))?.len();
        let shared = Arc::new(Shared {
            run: Arc::clone(&run),
            buffer: Mutex::new(buffer),
            wake: Condvar::new(),
            room: Condvar::new(),
            pending_limit: options.pending_limit,
        });
        let dir = self.dir.clone();
        let (sender, requests) = tokio::sync::mpsc::unbounded_channel();
        // The other end is here, so nothing can go wrong.
        asked.into_iter().for_each(|request| drop(sender.send(request)));
        let committer = Committer {
            shared: Arc::clone(&shared),
            store: Store {
                run,
                dir: self.dir,
                path: self.path,
                conn: self.conn,
                fresh: self.fresh,
                log,
                log_len,
                progress,
            },
            requests: sender,
            observer: options.observer,
            flush_after: options.flush_after,
        };
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || committer.run());
        let thread = thread.map_err(|e| JournalError::io(&dir, "start a thread for", e))?;
        Ok(Writer::new(shared, thread, requests))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Status;

    fn started() -> RunStarted {
        RunStarted {
            run: crate::new_run_id(),
            pipeline: "p".to_owned(),
            file: "pipeline.toml".to_owned(),
            workspace: "/".to_owned(),
            source: "".into(),
            facts: Default::default(),
            plugins: Vec::new(),
            versions: Default::default(),
            stages: 0,
            steps: 0,
            flags: Default::default(),
        }
    }

    fn wait<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn a_full_database_fails_the_commit_and_keeps_what_was_durable() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open_or_create(folder.path()).unwrap();
        journal.conn.pragma_update_and_check(None, "max_page_count", 30, |_| Ok(())).unwrap();
        let writer = journal.start_run(WriterOptions::default(), started()).unwrap();
        let note = |message: String| Record::Notice { step: None, message };
        wait(writer.append_durable(note("small".to_owned()))).unwrap();
        let error = wait(writer.append_durable(note("large".repeat(100_000)))).unwrap_err();
        assert!(matches!(error, JournalError::Full { .. }), "{error}");
        assert!(matches!(wait(writer.append_durable(note(String::new()))), Err(JournalError::Full { .. })));
        drop(writer);
        let reader = Journal::open(folder.path()).unwrap();
        assert_eq!(reader.entries(&reader.resolve(None).unwrap(), 0).unwrap().count(), 2);
    }

    #[test]
    fn a_journal_that_stays_locked_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let other = Journal::open_or_create(folder.path()).unwrap();
        let journal = Journal::open_or_create(folder.path()).unwrap();
        journal.conn.busy_timeout(Duration::from_millis(20)).unwrap();
        other.conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        let writer = journal.start_run(WriterOptions::default(), started()).unwrap();
        let ended = Record::RunEnded { status: Status::Succeeded, exit_code: 0 };
        let error = wait(writer.close(ended)).unwrap_err();
        assert!(matches!(error, JournalError::Locked { .. }), "{error}");
        // Nobody will ever know this run.
        assert_eq!(std::fs::read_dir(folder.path().join("runs")).unwrap().count(), 0);
    }

    #[test]
    fn two_new_processes_may_meet() {
        // The moment in which they could harm each other is short: often enough to hit it.
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        let writer = Journal::open_or_create(folder.path()).unwrap();
                        let writer = writer.start_run(WriterOptions::default(), started()).unwrap();
                        wait(writer.close(Record::RunEnded { status: Status::Succeeded, exit_code: 0 })).unwrap();
                    });
                }
            });
            assert_eq!(Journal::open(folder.path()).unwrap().runs(10).unwrap().len(), 4);
        }
    }
}
