//! The inbox: what other processes ask of a run. One process writes the run; it takes each request and journals it as a
//! record of its own.
//!
//! A request is marked as taken in the transaction that commits its record, so it is taken once, whoever dies when. What
//! is asked of a run that no process writes is taken by the one that resumes it.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::clock::now_micros;
use crate::error::JournalError;
use crate::format::{self, DATABASE, Identity, places_after};
use crate::reader::Reader;
use crate::record::{Record, Status};
use crate::row::{self, Kind};
use crate::run::RunSummary;
use crate::sum::{self, Sum};
use crate::{decode, store};

/// What somebody asks of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What for.
    pub ask: Ask,
    /// Who asks.
    pub by: String,
    /// Why, if that was said.
    pub why: Option<String>,
    /// When, in microseconds since the Unix epoch.
    pub at: u64,
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The run is to end.
    Cancel,
    /// A stage that waits for a decision may go on, or may not.
    Decide {
        /// The stage's name.
        stage: String,
        /// Whether it may go on.
        approved: bool,
    },
}

/// How many columns of a request its sum is of; it comes after them.
const SUMMED: usize = 7;

const SELECT: &str = "SELECT key, run, kind, stage, by, why, at, sum FROM inbox WHERE run = ?1 AND taken_at IS NULL";

impl Ask {
    fn number(&self) -> i64 {
        match self {
            Self::Cancel => 1,
            Self::Decide { approved: true, .. } => 2,
            Self::Decide { approved: false, .. } => 3,
        }
    }

    fn stage(&self) -> Option<&str> {
        match self {
            Self::Cancel => None,
            Self::Decide { stage, .. } => Some(stage),
        }
    }
}

/// Leaves a request for whoever writes the run, durably. `early` says that a decision is welcome before its stage waits
/// for one.
///
/// # Errors
///
/// [`JournalError::Ended`] if the run is over; [`JournalError::Decided`] if somebody has decided before;
/// [`JournalError::NotWaiting`] if the stage does not wait; and what the store says.
pub fn send(
    dir: &Path,
    run: &RunSummary,
    ask: Ask,
    by: &str,
    why: Option<&str>,
    early: bool,
) -> Result<(), JournalError> {
    let path = std::path::absolute(dir).map_err(|e| JournalError::io(dir, "find", e))?.join(DATABASE);
    let err = |e| JournalError::store(&path, "write", e);
    let (mut conn, identity) = format::open_writable(&path)?;
    if identity == Identity::Blank {
        return Err(JournalError::NoRuns { path: dir.to_owned() });
    }
    // Of two that decide at the same time one is the first, and the other one is told so.
    let transaction = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(err)?;
    let ended: Option<Option<i64>> = transaction
        .query_row("SELECT status FROM run WHERE key = ?1 AND id = ?2", params![run.key, run.id], |row| row.get(0))
        .optional()
        .map_err(err)?;
    match ended {
        None => return Err(JournalError::UnknownRun { given: run.id.clone(), recent: Vec::new() }),
        Some(Some(_)) => return Err(JournalError::Ended { run: run.id.clone() }),
        Some(None) => {}
    }
    if let Ask::Decide { stage, .. } = &ask {
        may_decide(&transaction, &path, run, stage, early)?;
    }
    let at = now_micros().cast_signed();
    transaction
        .execute(
            "INSERT INTO inbox (run, kind, stage, by, why, at, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
            params![run.key, ask.number(), ask.stage(), by, why, at],
        )
        .map_err(err)?;
    let key = transaction.last_insert_rowid();
    let mut sum = Sum::default();
    sum.numbers([Some(key), Some(run.key), Some(ask.number())]);
    for text in [ask.stage(), Some(by), why] {
        sum.text(text.map(str::as_bytes));
    }
    sum.numbers([Some(at)]);
    transaction.execute("UPDATE inbox SET sum = ?2 WHERE key = ?1", [key, sum.finish()]).map_err(err)?;
    transaction.commit().map_err(err)
}

/// Whether a decision about this stage is wanted now.
fn may_decide(conn: &Connection, path: &Path, run: &RunSummary, stage: &str, early: bool) -> Result<(), JournalError> {
    let earlier = untaken(conn, path, run.key)?.into_iter().find_map(|(_, request)| match &request.ask {
        Ask::Decide { stage: of, approved } if of == stage => Some((*approved, request)),
        _ => None,
    });
    let decided = |approved: bool, by: String, why: Option<String>| {
        Err(JournalError::Decided { run: run.id.clone(), stage: stage.to_owned(), approved, by, why })
    };
    if let Some((approved, request)) = earlier {
        return decided(approved, request.by, request.why);
    }
    let waits = || JournalError::NotWaiting { run: run.id.clone(), stage: stage.to_owned() };
    match last_of(conn, path, run, stage)? {
        Some(Record::ApprovalAsked { .. }) => Ok(()),
        Some(Record::Decided { decision, .. }) => decided(decision.approved, decision.by, decision.why),
        Some(Record::StageEnded { .. }) => Err(waits()),
        _ if early => Ok(()),
        _ => Err(waits()),
    }
}

/// The last record about decisions of a stage, or its end.
fn last_of(conn: &Connection, path: &Path, run: &RunSummary, stage: &str) -> Result<Option<Record>, JournalError> {
    let err = |e| JournalError::store(path, "read", e);
    let sql =
        row::SELECT.replace("ORDER BY place", "AND kind IN (?3, ?4, ?5) AND name = ?6 ORDER BY place DESC LIMIT 1");
    let (after, last) = places_after(run.key, 0);
    let mut statement = conn.prepare(&sql).map_err(err)?;
    let [asked, decided, ended] = [Kind::ApprovalAsked, Kind::Decided, Kind::StageEnded].map(|kind| kind as i64);
    let mut rows = statement.query(params![after, last, asked, decided, ended, stage]).map_err(err)?;
    let Some(row) = rows.next().map_err(err)? else { return Ok(None) };
    let entry = decode::entry(row, run.key)
        .map_err(|why| JournalError::Damaged { path: path.to_owned(), why: format!("run {}, {why}", run.id) })?;
    Ok(Some(entry.record))
}

impl Reader {
    /// What was asked of the run and nobody has taken yet, in order.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn requests(&self, run: &RunSummary) -> Result<Vec<Request>, JournalError> {
        if !self.is_ready()? {
            return Ok(Vec::new());
        }
        let found = untaken(&self.conn, &store::database(self.dir()), run.key)?;
        Ok(found.into_iter().map(|(_, request)| request).collect())
    }
}

/// The requests that nobody has taken yet, with their keys, in order.
pub(crate) fn untaken(conn: &Connection, path: &Path, run: i64) -> Result<Vec<(i64, Request)>, JournalError> {
    let err = |e| JournalError::store(path, "read", e);
    let mut statement = conn.prepare_cached(&format!("{SELECT} ORDER BY key")).map_err(err)?;
    let mut rows = statement.query([run]).map_err(err)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(err)? {
        found.push(request(row).map_err(err)?.ok_or_else(|| {
            let why = "a request in the inbox is not what was written, by its checksum".to_owned();
            JournalError::Damaged { path: path.to_owned(), why }
        })?);
    }
    Ok(found)
}

/// A request with its key, if it is what was written.
fn request(row: &Row<'_>) -> rusqlite::Result<Option<(i64, Request)>> {
    let stage: Option<String> = row.get(3)?;
    let ask = match (row.get::<_, i64>(2)?, stage) {
        (1, None) => Ask::Cancel,
        (kind @ (2 | 3), Some(stage)) => Ask::Decide { stage, approved: kind == 2 },
        _ => return Ok(None),
    };
    let at = row.get::<_, i64>(6)?.cast_unsigned();
    let request = Request { ask, by: row.get(4)?, why: row.get(5)?, at };
    Ok(sum::holds(row, SUMMED).then_some((row.get(0)?, request)))
}

/// What marks the requests as taken that a record tells of: the statement, and the stage if it is about one.
pub(crate) fn taken_by(record: &Record) -> Option<(&'static str, Option<&str>)> {
    match record {
        Record::CancelRequested { .. } | Record::RunEnded { status: Status::Cancelled, .. } => Some((
            "UPDATE inbox SET taken_at = ?2 WHERE run = ?1 AND taken_at IS NULL AND kind = 1 AND stage IS ?3",
            None,
        )),
        Record::Decided { stage, .. } => {
            Some(("UPDATE inbox SET taken_at = ?2 WHERE run = ?1 AND taken_at IS NULL AND stage = ?3", Some(stage)))
        }
        _ => None,
    }
}
