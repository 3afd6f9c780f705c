//! Which digest a file had when it was last read, so that it need not be read again.
//!
//! A memory, not a record: what cannot be read or written here is forgotten, and costs time only.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::inputs::tree::{Node, digest_of, hex_of};
use crate::inputs::walk::Stat;

/// A file that was changed within this time before it was read could be changed again without its
/// times telling: file systems count in ticks, the coarsest of two seconds. Nanoseconds.
const TICK: i128 = 2_000_000_000;

/// What is known of the files of one folder.
pub(super) struct Known {
    path: Option<PathBuf>,
    before: BTreeMap<String, Memory>,
    now: BTreeMap<String, Memory>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Memory {
    stat: Stat,
    digest: String,
}

impl Known {
    /// What is known of this folder.
    pub(super) fn load(memories: &Path, folder: &Path) -> Self {
        let name = digest_of(folder.as_os_str().as_encoded_bytes());
        let path = hex_of(&name).map(|hex| memories.join(hex));
        let text = path.as_ref().and_then(|path| fs::read(path).ok());
        let before = text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        Self { path, before, now: BTreeMap::new() }
    }

    /// The digest of a file that is still as it was.
    pub(super) fn digest(&mut self, name: &str, stat: &Stat) -> Option<String> {
        let memory = self.before.get(name).filter(|memory| memory.stat == *stat)?;
        self.now.insert(name.to_owned(), memory.clone());
        Some(memory.digest.clone())
    }

    /// Remembers a file that was read; `stat` is of the time before.
    pub(super) fn remember(&mut self, name: &str, stat: Stat, node: &Node) {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let settled = i128::try_from(time.as_nanos()).unwrap_or_default() - TICK;
        if let Node::File { digest, size, .. } = node
            && *size == stat.size
            && stat.modified < settled
            && stat.changed < settled
        {
            self.now.insert(name.to_owned(), Memory { stat, digest: digest.clone() });
        }
    }

    /// Writes it down, whole or not at all. What is not in the folder any more is forgotten.
    pub(super) fn save(self) {
        let (Some(path), true) = (self.path, self.now != self.before) else { return };
        let Some(folder) = path.parent() else { return };
        let written = fs::create_dir_all(folder).and_then(|()| {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&serde_json::to_vec(&self.now)?)?;
            file.persist(&path).map_err(|error| error.error)
        });
        if let Err(error) = written {
            tracing::debug!(%error, path = %path.display(), "what is known of files was not written down");
        }
    }
}
