//! Following a run that another process writes.

use std::time::{Duration, Instant};

use crate::entries::Entries;
use crate::error::JournalError;
use crate::reader::Reader;
use crate::record::Entry;
use crate::run::{RunState, RunSummary};

/// How often to look for something new.
const LOOK_EVERY: Duration = Duration::from_millis(30);

/// How often to ask whether the run's process is still there, while nothing new comes.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// The records of a run as they are committed, from [`Reader::follow`].
///
/// As an iterator it waits for the next record, and ends when the run has ended or its process has
/// died; [`Follow::state`] says which.
#[derive(Debug)]
pub struct Follow<'r> {
    reader: &'r Reader,
    run: RunSummary,
    entries: Entries<'r>,
    version: Option<i64>,
    asked: Option<Instant>,
}

impl<'r> Follow<'r> {
    pub(crate) fn new(reader: &'r Reader, run: &RunSummary, entries: Entries<'r>) -> Self {
        Self { reader, run: run.clone(), entries, version: None, asked: None }
    }

    /// Where the run stands, as far as is known.
    pub fn state(&self) -> RunState {
        self.run.state
    }

    /// The next record, if there is one now; it does not wait.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn try_next(&mut self) -> Result<Option<Entry>, JournalError> {
        if let Some(entry) = self.entries.buffered() {
            return Ok(Some(entry));
        }
        // The version is read first: a commit between the two is then seen the next time.
        let version = self.reader.data_version()?;
        if self.version == Some(version) {
            return Ok(None);
        }
        let entry = self.entries.fetch()?;
        if entry.is_none() {
            self.version = Some(version);
        }
        Ok(entry)
    }

    /// Whether nothing more can come; asks the system for the run's process now and then.
    fn is_over(&mut self) -> Result<bool, JournalError> {
        if self.run.state == RunState::Running && self.asked.is_none_or(|asked| asked.elapsed() >= ASK_EVERY) {
            self.run = self.reader.refresh(&self.run)?;
            self.asked = Some(Instant::now());
            // Its last records may have come between the last look and this answer.
            self.version = None;
            return Ok(false);
        }
        Ok(self.run.state != RunState::Running)
    }

    fn wait_next(&mut self) -> Result<Option<Entry>, JournalError> {
        loop {
            if let Some(entry) = self.try_next()? {
                return Ok(Some(entry));
            }
            if self.is_over()? {
                return Ok(None);
            }
            if self.version.is_some() {
                std::thread::sleep(LOOK_EVERY);
            }
        }
    }
}

impl Iterator for Follow<'_> {
    type Item = Result<Entry, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.wait_next().transpose()
    }
}
