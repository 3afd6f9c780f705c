//! Reading what shapes a run, and of its calls only those that are wanted.
//!
//! A run that deploys something has a handful of records that say so among thousands that do not. To look through many
//! runs, their large columns are not read where nobody asks for them.

use std::collections::HashSet;

use rusqlite::{OptionalExtension as _, Row};

use crate::decode;
use crate::error::JournalError;
use crate::format::{SEQ_BITS, places_after};
use crate::reader::Reader;
use crate::record::{Entry, Record};
use crate::row::{self, Kind};
use crate::run::{RunState, RunSummary};

/// What tells whether a record is wanted.
const GLANCE: &str =
    "SELECT place, kind, step, attempt, ordinal, name FROM entry WHERE place > ?1 AND place <= ?2 ORDER BY place";

/// A call, as the rows of its two records name it.
type Of = (Option<u32>, Option<u32>, Option<u32>);

impl Reader {
    /// The run's records in order, without those of calls whose function is not `wanted`, and without what was printed,
    /// measured and seen. Where no call is wanted there is nothing at all.
    ///
    /// What is left out is only counted: a reader that has to know whether all of it is as it was written reads
    /// [`Reader::entries`].
    ///
    /// # Errors
    ///
    /// What the store says; damage in a record that is wanted; records that are missing.
    pub fn outline(&self, run: &RunSummary, wanted: impl Fn(&str) -> bool) -> Result<Vec<Entry>, JournalError> {
        if !self.is_ready()? {
            return Ok(Vec::new());
        }
        if run.state.is_open() {
            self.verify_all()?;
        }
        let (places, calls) = self.glance(run, wanted)?;
        if !calls {
            return Ok(Vec::new());
        }
        let sql = row::SELECT.replace("place > ?1 AND place <= ?2 ORDER BY place", "place = ?1");
        let mut statement = self.conn.prepare_cached(&sql).map_err(|e| self.store(e))?;
        let damaged = |why| self.damaged(format!("run {}, {why}", run.id));
        let mut entries = Vec::with_capacity(places.len());
        for place in places {
            let read = |row: &Row<'_>| Ok(decode::entry(row, run.key));
            let seq = place & ((1 << SEQ_BITS) - 1);
            let entry = statement.query_row([place], read).optional().map_err(|e| self.store(e))?;
            let entry = entry.unwrap_or_else(|| Err(format!("record {seq}: it is missing")));
            let mut entry = entry.map_err(damaged)?;
            if let Record::RunStarted(started) = &mut entry.record {
                started.source = self.source(run)?.into();
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    /// Where the wanted records stand, and whether a call is among them.
    fn glance(&self, run: &RunSummary, wanted: impl Fn(&str) -> bool) -> Result<(Vec<i64>, bool), JournalError> {
        let store = |e| self.store(e);
        let mut statement = self.conn.prepare_cached(GLANCE).map_err(store)?;
        let (first, last) = places_after(run.key, 0);
        let mut rows = statement.query([first, last]).map_err(store)?;
        let (mut places, mut calls) = (Vec::new(), false);
        let mut open: HashSet<Of> = HashSet::new();
        let mut before = first;
        let (mut ended, mut gap) = (false, false);
        while let Some(row) = rows.next().map_err(store)? {
            let place: i64 = row.get(0).map_err(store)?;
            if place != before + 1 {
                gap = true;
                break;
            }
            before = place;
            let kind = Kind::from_number(row.get(1).map_err(store)?);
            ended = kind == Some(Kind::RunEnded);
            let of = || Ok::<Of, rusqlite::Error>((row.get(2)?, row.get(3)?, row.get(4)?));
            let is_wanted = || Ok::<_, rusqlite::Error>(row.get_ref(5)?.as_str().is_ok_and(&wanted));
            let keep = match kind {
                Some(Kind::Log | Kind::LogCut | Kind::Metric | Kind::StepInputs | Kind::SecretRead) => false,
                Some(Kind::CallStarted) => {
                    let keep = is_wanted().map_err(store)?;
                    if keep {
                        open.insert(of().map_err(store)?);
                    }
                    calls |= keep;
                    keep
                }
                Some(Kind::CallRecorded) => {
                    let keep = is_wanted().map_err(store)?;
                    calls |= keep;
                    keep
                }
                Some(Kind::CallEnded | Kind::InDoubtAnswered) if open.is_empty() => false,
                Some(Kind::CallEnded) => open.remove(&of().map_err(store)?),
                Some(Kind::InDoubtAnswered) => open.contains(&of().map_err(store)?),
                // One that is not known is damage, which decoding tells.
                _ => true,
            };
            if keep {
                places.push(place);
            }
        }
        if !gap && (ended || !matches!(run.state, RunState::Ended(_))) {
            return Ok((places, calls));
        }
        let missing = (before + 1) & ((1 << SEQ_BITS) - 1);
        Err(self.damaged(format!("run {}, record {missing}: it is missing", run.id)))
    }
}
