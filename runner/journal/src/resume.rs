//! What a process needs to know to go on with a run that another one left.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use crate::buffer::Buffer;
use crate::decode;
use crate::error::JournalError;
use crate::format::places_after;
use crate::record::Record;
use crate::row::{self, Kind};
use crate::store::Progress;

/// A run's row, as far as a writer needs it.
pub(crate) struct Found {
    key: i64,
    /// The process that wrote it last.
    pub(crate) pid: Option<u32>,
}

/// Looks a run up.
pub(crate) fn find(conn: &Connection, path: &Path, run: &str, blank: bool) -> Result<Found, JournalError> {
    let unknown = || JournalError::UnknownRun { given: run.to_owned(), recent: Vec::new() };
    if blank {
        return Err(unknown());
    }
    conn.query_row("SELECT key, pid FROM run WHERE id = ?1", [run], |row| {
        Ok(Found { key: row.get(0)?, pid: row.get(1)? })
    })
    .optional()
    .map_err(|e| JournalError::store(path, "read", e))?
    .ok_or_else(unknown)
}

/// Reads how far the run got. The caller holds its lease, so nothing changes meanwhile.
pub(crate) fn read(
    conn: &Connection,
    path: &Path,
    run: &str,
    found: &Found,
) -> Result<(Buffer, Progress), JournalError> {
    let err = |e| JournalError::store(path, "read", e);
    let key = found.key;
    let status: Option<i64> =
        conn.query_row("SELECT status FROM run WHERE key = ?1", [key], |row| row.get(0)).map_err(err)?;
    if status.is_some() {
        return Err(JournalError::Ended { run: run.to_owned() });
    }
    let (first, last) = places_after(key, 0);
    let (place, at): (i64, i64) = conn
        .query_row(
            "SELECT place, at FROM entry WHERE place > ?1 AND place <= ?2 ORDER BY place DESC LIMIT 1",
            [first, last],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(err)?;
    let mut buffer = Buffer::resumed((place - first).cast_unsigned(), at.cast_unsigned());
    let mut progress = Progress { key: Some(key), ..Progress::default() };

    let sql = row::SELECT.replace("ORDER BY", "AND kind IN (?3, ?4, ?5) ORDER BY");
    let mut statement = conn.prepare(&sql).map_err(err)?;
    let kinds = [Kind::StepEnded, Kind::Log, Kind::LogCut].map(|kind| kind as i64);
    let mut rows = statement.query(params![first, last, kinds[0], kinds[1], kinds[2]]).map_err(err)?;
    while let Some(row) = rows.next().map_err(err)? {
        let entry = decode::entry(row, key)
            .map_err(|why| JournalError::Damaged { path: path.to_owned(), why: format!("run {run}, {why}") })?;
        match entry.record {
            Record::StepEnded { .. } => progress.note(&entry),
            record => buffer.count(&record),
        }
    }
    Ok((buffer, progress))
}
