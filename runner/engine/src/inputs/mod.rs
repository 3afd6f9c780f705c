//! What a step is given to read: fingerprinted when it starts, and kept by content.
//!
//! ```text
//! .windlass/inputs/
//!   trees/<sha256>     what is in a folder: names, kinds, sizes and digests, as JSON
//!   content/<sha256>   the bytes of files
//!   known/<sha256>     by folder: which digest a file had when it was looked at last
//! ```
//!
//! Whatever has its name in `trees` or `content` is complete and on the disk. Everything here waits
//! for the disk: async code calls it through `spawn_blocking`.

#![allow(
    clippy::disallowed_methods,
    reason = "the store of inputs and the look at granted folders are the engine's own"
)]

mod content;
mod difference;
mod known;
mod materialise;
mod name;
mod remove;
mod tree;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::inputs::content::Content;
use crate::inputs::known::Known;
use crate::inputs::tree::{Node, Tree};
use crate::inputs::walk::{Found, Seen};

pub use difference::{Change, ChangeKind};
pub use remove::remove;

/// A folder with more bytes than this is fingerprinted, but its content is not kept.
pub const KEEP_UP_TO: u64 = 64 << 20;

/// Why a folder cannot be fingerprinted, compared or written again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputsError {
    /// Something in the folder cannot be looked at.
    #[error("{}: {error}", .path.display())]
    Folder {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The store cannot be read or written.
    #[error("the stored inputs cannot be used: {}: {error}", .path.display())]
    Store {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// Nothing of this digest is there.
    #[error("no inputs of the digest {digest} are stored; they may have been pruned")]
    Unknown {
        /// The digest that was asked for.
        digest: String,
    },
    /// The folder's list is there, but a file's bytes are not.
    #[error("the content of {path} was not kept; a folder of more than {} MiB never is, and `windlass runs prune` removes what is old", KEEP_UP_TO >> 20)]
    NotKept {
        /// The file, in its folder.
        path: String,
    },
    /// What is stored is not what was stored.
    #[error("the stored inputs are damaged: {}: {reason}", .path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The folder has what no user can make.
    #[error("{path} is a device, which cannot be made again")]
    Device {
        /// The file, in its folder.
        path: String,
    },
}

/// What a folder held at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// `sha256:...` of the list of everything in it.
    pub digest: String,
    /// How many files it has.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// Whether it can be written again from the store.
    pub kept: bool,
}

/// The inputs of steps, by content. Several may be open at the same time, in one process or in more.
#[derive(Clone, Debug)]
pub struct InputStore {
    folder: PathBuf,
}

impl InputStore {
    /// The store in this state folder. It is made when something is first put into it.
    pub fn new(state: &Path) -> Self {
        Self { folder: state.join("inputs") }
    }

    /// Looks at a folder. Keeps its content unless there is more of it than `keep_up_to` bytes.
    ///
    /// Links are not followed, pipes and devices are not opened, and `.windlass` is passed over.
    ///
    /// # Errors
    /// If the folder cannot be looked at, or the store not be written.
    pub fn fingerprint(&self, folder: &Path, keep_up_to: u64) -> Result<Fingerprint, InputsError> {
        let found = walk::walk(folder)?;
        let bytes: u64 = found.iter().filter_map(|found| found.seen.size()).sum();
        let keep = bytes <= keep_up_to && found.iter().all(|found| found.seen != Seen::Other(Node::Device));
        let mut content = Content::new(self.folder.join("content"));
        let tree = self.look(folder, found, keep.then_some(&mut content))?;
        content.finish()?;
        let (digest, text) = tree.text();
        let path = self.tree(&digest)?;
        if fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
            content::store(&path, text.as_bytes())?;
        }
        Ok(Fingerprint { digest, files: tree.files(), bytes: tree.bytes(), kept: keep })
    }

    /// What is different in the folder now. Sorted by path.
    ///
    /// # Errors
    /// If nothing of this digest is stored, or the folder cannot be looked at.
    pub fn difference(&self, old: &str, folder: &Path) -> Result<Vec<Change>, InputsError> {
        let old = self.load(old)?;
        let new = self.look(folder, walk::walk(folder)?, None)?;
        Ok(difference::between(&old, &new))
    }

    /// Writes what had this digest into a folder, which is made if it is not there and has to be empty.
    ///
    /// # Errors
    /// If it was not kept, or the store is damaged: what is written is always what was there.
    pub fn materialise(&self, digest: &str, into: &Path) -> Result<(), InputsError> {
        materialise::write(&self.load(digest)?, &self.folder.join("content"), into)
    }

    /// Removes everything but these digests and what belongs to them. What is younger than `spare` stays, since another
    /// process may be about to refer to it. Gives how many bytes were freed.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub fn retain(&self, in_use: &BTreeSet<String>, spare: Duration) -> Result<u64, InputsError> {
        let mut content = BTreeSet::new();
        for digest in in_use {
            match self.load(digest) {
                Ok(tree) => content.extend(tree.contents().map(str::to_owned)),
                // There is nothing of it to keep, or nothing that could be written again.
                Err(InputsError::Unknown { .. } | InputsError::Damaged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let trees: BTreeSet<_> = in_use.iter().filter_map(|digest| tree::hex_of(digest)).map(str::to_owned).collect();
        let freed = content::sweep(&self.folder.join("trees"), &trees, spare)?;
        Ok(freed + content::sweep(&self.folder.join("content"), &content, spare)?)
    }

    /// Reads what was found; files that have not changed since they were last read are not read again.
    fn look(&self, folder: &Path, found: Vec<Found>, mut keep: Option<&mut Content>) -> Result<Tree, InputsError> {
        let mut known = Known::load(&self.folder.join("known"), folder);
        let mut tree = Tree::default();
        for Found { path, seen } in found {
            let name = name::of_path(&path);
            let full = folder.join(&path);
            let node = match seen {
                Seen::File(stat) => {
                    let remembered = known.digest(&name, &stat);
                    match (remembered, keep.as_deref_mut()) {
                        (Some(digest), None) => Node::file(&stat, digest),
                        (Some(digest), Some(content)) if content.has(&digest, stat.size) => Node::file(&stat, digest),
                        (_, keep) => match content::read(&full, keep)? {
                            Some((node, stat)) => {
                                known.remember(&name, stat, &node);
                                node
                            }
                            // It went away between the two looks.
                            None => continue,
                        },
                    }
                }
                Seen::Other(node) => node,
            };
            tree.entries.insert(name, node);
        }
        known.save();
        Ok(tree)
    }

    fn load(&self, digest: &str) -> Result<Tree, InputsError> {
        let path = self.tree(digest)?;
        match fs::read_to_string(&path) {
            Ok(text) => Tree::parse(&text, digest).map_err(|reason| InputsError::Damaged { path, reason }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(InputsError::Unknown { digest: digest.to_owned() })
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(InputsError::Damaged { path, reason: error.to_string() })
            }
            Err(error) => Err(InputsError::Store { path, error }),
        }
    }

    fn tree(&self, digest: &str) -> Result<PathBuf, InputsError> {
        let hex = tree::hex_of(digest).ok_or_else(|| InputsError::Unknown { digest: digest.to_owned() })?;
        Ok(self.folder.join("trees").join(hex))
    }
}

/// The digest of a folder as [`InputStore::fingerprint`] gives it, without a store.
///
/// # Errors
/// If the folder cannot be looked at.
pub fn digest(folder: &Path) -> Result<String, InputsError> {
    let mut tree = Tree::default();
    for Found { path, seen } in walk::walk(folder)? {
        let node = match seen {
            Seen::File(_) => match content::read(&folder.join(&path), None)? {
                Some((node, _)) => node,
                None => continue,
            },
            Seen::Other(node) => node,
        };
        tree.entries.insert(name::of_path(&path), node);
    }
    Ok(tree.text().0)
}
