//! The format of `journal.db`: its version, its tables, and how to tell it from other files.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::JournalError;
use crate::lost;

/// The name of the store inside the journal's folder.
pub(crate) const DATABASE: &str = "journal.db";

/// `PRAGMA application_id` of a journal: `Wdls` in ASCII.
pub(crate) const APPLICATION_ID: i64 = 0x5764_6C73;

/// How long a commit waits for another process's commit before it gives up.
const BUSY: Duration = Duration::from_secs(10);

/// The WAL is cut back to this after a checkpoint: opening 4 MB costs 0.5 ms, 10 MB costs 11.
const WAL_LIMIT: i64 = 4 << 20;

/// The version of the journal's format; it stands in `PRAGMA user_version`.
///
/// Anything that an older reader would misread (a new kind of record, another meaning of a column)
/// makes a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FormatVersion {
    /// The first format.
    V1,
}

impl FormatVersion {
    /// The newest version: the one that is written.
    pub const LATEST: Self = Self::V1;

    /// The number in the file.
    pub const fn number(self) -> u32 {
        match self {
            Self::V1 => 1,
        }
    }

    /// The version with this number, if it is known here.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            _ => None,
        }
    }
}

/// The tables of [`FormatVersion::V1`].
///
/// `entry.place` is the run's key in the upper bits and the record's `seq` in the lower
/// [`SEQ_BITS`]: one integer key keeps the rows of a run together and every insert at the end.
/// Times are microseconds since the Unix epoch. `kind` and `status` are numbered in `row.rs`.
/// `name` is a stage's, step's or metric's name, or a call's function; `args` and `answer` are the
/// texts that crossed the gate, byte for byte; `took` is microseconds; `body` is JSON with whatever has
/// no column. `sum` is the checksum of the columns before it (see `sum.rs`); `run.pid` and
/// `run.seen_at` change all the time and say only who might be asked, so they have none; nor has
/// `inbox.taken_at`, which is the only column of a request (see `inbox.rs`) that ever changes.
const SCHEMA: &str = "
CREATE TABLE source (
    digest TEXT PRIMARY KEY NOT NULL,
    text TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE run (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    pipeline TEXT NOT NULL,
    file TEXT NOT NULL,
    source TEXT NOT NULL REFERENCES source (digest),
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    status INTEGER,
    exit_code INTEGER,
    failed_step TEXT,
    waiting_since INTEGER,
    sum INTEGER NOT NULL,
    pid INTEGER,
    seen_at INTEGER NOT NULL
);
CREATE TABLE entry (
    place INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    stage INTEGER,
    step INTEGER,
    attempt INTEGER,
    ordinal INTEGER,
    status INTEGER,
    name TEXT,
    args TEXT,
    answer TEXT,
    body TEXT,
    took INTEGER,
    sum INTEGER NOT NULL
);
CREATE TABLE inbox (
    key INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    stage TEXT,
    by TEXT NOT NULL,
    why TEXT,
    at INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    taken_at INTEGER
);
PRAGMA application_id = 0x57646C73;
PRAGMA user_version = 1;
";

/// How many of the bits of `entry.place` count records: 10^12 records a run, 8 million runs.
pub(crate) const SEQ_BITS: u32 = 40;

/// The places of a run's records after `seq`, and up to the last one it could have.
pub(crate) fn places_after(key: i64, seq: u64) -> (i64, i64) {
    let first = key << SEQ_BITS;
    let seq = i64::try_from(seq).unwrap_or(i64::MAX).min((1 << SEQ_BITS) - 1);
    (first | seq, first | ((1 << SEQ_BITS) - 1))
}

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A journal without its tables yet: nothing was ever committed to it.
    Blank,
    /// A journal.
    Journal(FormatVersion),
}

/// Whether there is a file of this name. Anything else of this name is no journal.
pub(crate) fn is_there(path: &Path) -> Result<bool, JournalError> {
    let why = match std::fs::metadata(path) {
        Ok(found) if found.is_file() => return Ok(true),
        Ok(found) if found.is_dir() => "it is a folder",
        Ok(_) => "it is no file",
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(JournalError::io(path, "read", e)),
    };
    Err(JournalError::NotAJournal { path: path.to_owned(), why: why.to_owned() })
}

/// Opens for writing. A new file is put into WAL mode; its tables come with the first commit
/// ([`ensure_schema`]), which saves a new journal one fsync.
pub(crate) fn open_writable(path: &Path) -> Result<(Connection, Identity), JournalError> {
    let err = |e| JournalError::store(path, "open", e);
    if !is_there(path)? {
        // Opening makes it, and from then on it is there.
        lost::refuse(path, || Ok(!is_there(path)?))?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let conn = Connection::open_with_flags(path, flags).map_err(err)?;
    conn.busy_timeout(BUSY).map_err(err)?;
    keep_wal(&conn).map_err(err)?;
    let identity = identify(&conn, path)?;
    if identity == Identity::Blank {
        lost::refuse(path, || Ok(identify(&conn, path)? == Identity::Blank))?;
        into_wal(&conn, path)?;
    }
    conn.pragma_update(None, "synchronous", "FULL").map_err(err)?;
    conn.pragma_update_and_check(None, "journal_size_limit", WAL_LIMIT, |_| Ok(())).map_err(err)?;
    Ok((conn, identity))
}

/// Opens for reading only.
pub(crate) fn open_readable(path: &Path) -> Result<(Connection, Identity), JournalError> {
    match open_read_only(path, "") {
        // SQLite wants its WAL and index beside the file. They are missing from a copy, and cannot
        // be made on a medium that is read-only; but then nobody writes the file either.
        Err(JournalError::NoPermission { .. }) if !path.with_extension("db-wal").exists() => {
            open_read_only(path, "?immutable=1")
        }
        opened => opened,
    }
}

fn open_read_only(path: &Path, query: &str) -> Result<(Connection, Identity), JournalError> {
    let err = |e| JournalError::store(path, "read", e);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE
        | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(uri(path, query), flags).map_err(err)?;
    conn.busy_timeout(BUSY).map_err(err)?;
    keep_wal(&conn).map_err(err)?;
    let identity = identify(&conn, path)?;
    if identity == Identity::Blank {
        lost::refuse(path, || Ok(identify(&conn, path)? == Identity::Blank))?;
    }
    Ok((conn, identity))
}

/// A path as SQLite reads it from a URI.
fn uri(path: &Path, query: &str) -> std::ffi::OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut uri = b"file:".to_vec();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'%' | b'?' | b'#' => uri.extend(format!("%{byte:02x}").bytes()),
            _ => uri.push(byte),
        }
    }
    uri.extend(query.bytes());
    std::ffi::OsString::from_vec(uri)
}

/// Leaves the WAL and its index when the last connection closes: readers find them and need not
/// make them, and a short run is spared a checkpoint.
fn keep_wal(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(drop)
}

/// What the file is, without changing it.
pub(crate) fn identify(conn: &Connection, path: &Path) -> Result<Identity, JournalError> {
    let err = |e| JournalError::store(path, "read", e);
    // One look at the file, unless the caller is in one: between two, another process may make its tables.
    let _one_look = conn.is_autocommit().then(|| conn.unchecked_transaction()).transpose().map_err(err)?;
    let pragma = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application = pragma("application_id").map_err(err)?;
    if application == 0 && pragma("schema_version").map_err(err)? == 0 {
        return Ok(Identity::Blank);
    }
    if application != APPLICATION_ID {
        let why = "it is a database of another program".to_owned();
        return Err(JournalError::NotAJournal { path: path.to_owned(), why });
    }
    let found = u32::try_from(pragma("user_version").map_err(err)?).unwrap_or(0);
    match FormatVersion::from_number(found) {
        Some(version) => Ok(Identity::Journal(version)),
        None if found > FormatVersion::LATEST.number() => {
            Err(JournalError::Newer { path: path.to_owned(), found, known: FormatVersion::LATEST })
        }
        None => {
            let why = format!("there is no format {found}");
            Err(JournalError::Damaged { path: path.to_owned(), why })
        }
    }
}

/// Puts an empty file into WAL mode, unless another process was first. Nothing in it can be lost
/// yet, so this step neither syncs nor keeps a rollback file; the first commit syncs the file (see
/// `store.rs`).
fn into_wal(conn: &Connection, path: &Path) -> Result<(), JournalError> {
    let err = |e| JournalError::store(path, "create", e);
    // Leaving WAL mode while another process enters it would break both, so one at a time. Where
    // folders cannot be locked, SQLite's own locks make one of the two fail.
    let folder = path.parent().and_then(|folder| File::open(folder).ok());
    let _held_until_here_ends = folder.as_ref().map(File::lock);
    identify(conn, path)?;
    let mode: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(err)?;
    if mode == "wal" {
        return Ok(());
    }
    conn.pragma_update(None, "synchronous", "OFF").map_err(err)?;
    conn.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(())).map_err(err)?;
    let until = Instant::now() + BUSY;
    loop {
        // SQLite does not use the busy handler for this lock, and another process may be looking.
        match conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())) {
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(1));
            }
            done => return done.map_err(err),
        }
    }
}

/// Makes the tables, inside the caller's transaction, unless another process was first.
pub(crate) fn ensure_schema(conn: &Connection, path: &Path) -> Result<(), JournalError> {
    match identify(conn, path)? {
        Identity::Blank => conn.execute_batch(SCHEMA).map_err(|e| JournalError::store(path, "create", e)),
        Identity::Journal(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_odd_characters_opens_also_without_its_wal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("50% off? #1.db");
        let (conn, identity) = open_writable(&path).unwrap();
        assert_eq!(identity, Identity::Blank);
        ensure_schema(&conn, &path).unwrap();
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(conn);
        std::fs::remove_file(path.with_extension("db-wal")).unwrap();
        std::fs::remove_file(path.with_extension("db-shm")).unwrap();
        let (conn, identity) = open_read_only(&path, "?immutable=1").unwrap();
        assert_eq!(identity, Identity::Journal(FormatVersion::V1));
        drop(conn);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(open_readable(&path).unwrap().1, Identity::Journal(FormatVersion::V1));
    }

    #[test]
    fn every_version_has_a_number_of_its_own() {
        assert_eq!(FormatVersion::from_number(FormatVersion::LATEST.number()), Some(FormatVersion::LATEST));
        assert_eq!(FormatVersion::from_number(0), None);
        assert_eq!(FormatVersion::from_number(FormatVersion::LATEST.number() + 1), None);
    }
}
