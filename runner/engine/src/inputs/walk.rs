//! A look at a folder that opens no file.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::inputs::tree::Node;
use crate::inputs::{InputsError, name};

/// State folders, of this pipeline or of another one: they are no step's input.
const STATE: &str = ".windlass";

/// Something in a folder.
#[derive(Debug)]
pub(super) struct Found {
    /// Its path in the folder.
    pub(super) path: PathBuf,
    pub(super) seen: Seen,
}

/// What it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A file, which may have to be read.
    File(Stat),
    /// Anything else, of which all is known.
    Other(Node),
}

/// By what a file is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stat {
    pub(super) size: u64,
    pub(super) executable: bool,
    /// Nanoseconds since the Unix epoch, of the content and of everything else about it.
    pub(super) modified: i128,
    pub(super) changed: i128,
    inode: u64,
    device: u64,
}

impl Stat {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            size: metadata.len(),
            executable: metadata.mode() & 0o100 != 0,
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
            device: metadata.dev(),
        }
    }
}

impl Seen {
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::File(stat) => Some(stat.size),
            Self::Other(_) => None,
        }
    }
}

/// Everything in the folder, in no particular order.
pub(super) fn walk(folder: &Path) -> Result<Vec<Found>, InputsError> {
    let mut found = Vec::new();
    // A stack of our own: how deep folders are nested is not ours to say.
    let mut open = vec![PathBuf::new()];
    while let Some(inside) = open.pop() {
        let path = folder.join(&inside);
        let root = inside.as_os_str().is_empty();
        let entries = match fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries,
            // It went away meanwhile, or has become something else.
            Err(error) if !root && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            Err(error) if !root && error.kind() == ErrorKind::PermissionDenied => {
                found.push(Found { path: inside, seen: Seen::Other(Node::Closed { folder: true }) });
                continue;
            }
            Err(error) => return Err(InputsError::Folder { path, error }),
        };
        if !root {
            found.push(Found { path: inside.clone(), seen: Seen::Other(Node::Folder) });
        }
        for entry in entries {
            let path = inside.join(entry.file_name());
            match look(&folder.join(&path)) {
                Ok(Seen::Other(Node::Folder)) if entry.file_name() == STATE => {}
                Ok(Seen::Other(Node::Folder)) => open.push(path),
                Ok(seen) => found.push(Found { path, seen }),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // A folder that lists, but may not be entered.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                    found.push(Found { path, seen: Seen::Other(Node::Closed { folder }) });
                }
                Err(error) => return Err(InputsError::Folder { path: folder.join(path), error }),
            }
        }
    }
    Ok(found)
}

fn look(path: &Path) -> io::Result<Seen> {
    let metadata = fs::symlink_metadata(path)?;
    let kind = metadata.file_type();
    Ok(if kind.is_symlink() {
        Seen::Other(Node::Link { to: name::escape(fs::read_link(path)?.as_os_str()) })
    } else if kind.is_dir() {
        Seen::Other(Node::Folder)
    } else if kind.is_file() {
        Seen::File(Stat::of(&metadata))
    } else {
        Seen::Other(odd(kind))
    })
}

/// What is neither file, folder nor link.
pub(super) fn odd(kind: fs::FileType) -> Node {
    if kind.is_fifo() {
        Node::Pipe
    } else if kind.is_socket() {
        Node::Socket
    } else {
        Node::Device
    }
}
