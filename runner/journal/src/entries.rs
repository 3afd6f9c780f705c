//! Reading a run's records, page by page.

use rusqlite::Row;

use crate::decode;
use crate::error::JournalError;
use crate::format::places_after;
use crate::reader::Reader;
use crate::record::{Entry, Record};
use crate::row;
use crate::run::{RunState, RunSummary};

/// A page of records is read at once: so many ...
const PAGE_ROWS: usize = 512;
/// ... or about so many bytes, whichever comes first. Short reads keep the WAL short.
const PAGE_BYTES: usize = 1 << 20;

/// The records of a run, in order, from [`Reader::entries`].
#[derive(Debug)]
pub struct Entries<'r> {
    reader: &'r Reader,
    run: RunSummary,
    after: u64,
    page: std::vec::IntoIter<Entry>,
    /// Whether the last record that was read is the last one of the run.
    ended: bool,
    over: bool,
}

impl<'r> Entries<'r> {
    pub(crate) fn new(reader: &'r Reader, run: &RunSummary, after: u64) -> Self {
        Self { reader, run: run.clone(), after, page: Vec::new().into_iter(), ended: after > 0, over: false }
    }

    /// The next record of the page at hand.
    pub(crate) fn buffered(&mut self) -> Option<Entry> {
        self.page.next()
    }

    /// Reads the next page, and gives its first record; `None` if there is nothing new.
    pub(crate) fn fetch(&mut self) -> Result<Option<Entry>, JournalError> {
        if !self.reader.is_ready()? {
            return Ok(None);
        }
        let page = self.read_page()?;
        match page.last() {
            Some(last) => {
                self.after = last.seq;
                self.ended = matches!(last.record, Record::RunEnded { .. });
            }
            None if !self.ended && matches!(self.run.state, RunState::Ended(_)) => {
                let why = format!("run {}, record {}: it is missing", self.run.id, self.after + 1);
                return Err(self.reader.damaged(why));
            }
            None => {}
        }
        self.page = page.into_iter();
        Ok(self.page.next())
    }

    fn read_page(&self) -> Result<Vec<Entry>, JournalError> {
        let store = |e| self.reader.store(e);
        let mut statement = self.reader.conn.prepare_cached(row::SELECT).map_err(store)?;
        let (after, last) = places_after(self.run.key, self.after);
        let mut rows = statement.query([after, last]).map_err(store)?;
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < PAGE_ROWS && bytes < PAGE_BYTES {
            let Some(row) = rows.next().map_err(store)? else { break };
            bytes += decode::text_size(row);
            match self.read_row(row, self.after + 1 + page.len() as u64) {
                Ok(entry) => page.push(entry),
                Err(error) if page.is_empty() => return Err(error),
                // What is whole comes first; the next page begins, and ends, with the error.
                Err(_) => break,
            }
        }
        Ok(page)
    }

    fn read_row(&self, row: &Row<'_>, expected: u64) -> Result<Entry, JournalError> {
        let damaged = |why| self.reader.damaged(format!("run {}, {why}", self.run.id));
        let mut entry = decode::entry(row, self.run.key).map_err(damaged)?;
        if entry.seq != expected {
            return Err(damaged(format!("record {expected}: it is missing")));
        }
        if let Record::RunStarted(started) = &mut entry.record {
            started.source = self.reader.source(&self.run)?.into();
        }
        Ok(entry)
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(entry) = self.page.next() {
            return Some(Ok(entry));
        }
        if self.over {
            return None;
        }
        let next = self.fetch().transpose();
        // After an error, as at the end, there is nothing more to say.
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}
