//! The table on disk: written beside its place, synced, and renamed, so that there is always a whole one.

use super::Folder;
use crate::table::Table;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

const FORMAT: &str = "windlass-router-table-1";

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    format: String,
    table: T,
}

/// The table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The disk says no.
    #[error("cannot read the routing table {path}: {why}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// It is no table, or one that must not be.
    #[error(
        "the routing table {path} is not in order: {why}. Move the file away to start with an empty table, and \
         declare the services again"
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads the table; none is an empty one.
pub(crate) fn load(folder: &Folder) -> Result<Table, LoadError> {
    let path = folder.table();
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Table::default()),
        Err(why) => return Err(LoadError::Read { path, why }),
    };
    let broken = |why: String| LoadError::Broken { path: path.clone(), why };
    let stored: Stored<Table> = serde_json::from_slice(&text).map_err(|why| broken(why.to_string()))?;
    if stored.format != FORMAT {
        return Err(broken(format!("its format is {:?}, and this router reads {FORMAT:?}", stored.format)));
    }
    stored.table.check().map_err(|why| broken(why.to_string()))?;
    Ok(stored.table)
}

/// Returns when the table is durable.
pub(crate) fn save(folder: &Folder, table: &Table) -> io::Result<()> {
    let stored = Stored { format: FORMAT.to_owned(), table };
    let text = serde_json::to_vec(&stored)?;
    let temp = folder.path().join("table.json.new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temp)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&temp, folder.table())?;
    // The name is durable when the folder is.
    File::open(folder.path())?.sync_all()
}
