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
        self.spawn(options, run, log, buffer, Progress { seen: Some(Instant::now()), ..Progress::default() })
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
        let (buffer, progress) = resume::read(&self.conn, &self.path, run, &found)?;
        self.spawn(options, run.into(), log, buffer, progress)
    }

    fn spawn(
        self,
        options: WriterOptions,
        run: Arc<str>,
        log: File,
        buffer: Buffer,
        progress: Progress,
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
            observer: options.observer,
            flush_after: options.flush_after,
        };
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || committer.run());
        let thread = thread.map_err(|e| JournalError::io(&dir, "start a thread for", e))?;
        Ok(Writer::new(shared, thread))
    }
}
