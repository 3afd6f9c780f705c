//! The list of everything in a folder, whose digest is the folder's digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::inputs::name;
use crate::inputs::walk::Stat;

/// Written before each digest.
const SHA256: &str = "sha256:";

/// Everything in a folder, by its escaped path.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Tree {
    pub(super) entries: BTreeMap<String, Node>,
}

/// What a path is. Of permissions only one thing matters to whoever reads a folder: whether a file is a program.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Node {
    File {
        executable: bool,
        size: u64,
        digest: String,
    },
    Folder,
    Link {
        to: String,
    },
    /// A file or folder that this user may not read.
    Closed {
        folder: bool,
    },
    Pipe,
    Socket,
    Device,
}

impl Node {
    pub(super) fn file(stat: &Stat, digest: String) -> Self {
        Self::File { executable: stat.executable, size: stat.size, digest }
    }
}

impl Tree {
    /// Its digest, and the text that has this digest.
    pub(super) fn text(&self) -> (String, String) {
        // A map of strings to plain data always has a text.
        let text = serde_json::to_string(&self).unwrap_or_default();
        (digest_of(text.as_bytes()), text)
    }

    /// Reads a text that has to have this digest. The error is for people.
    pub(super) fn parse(text: &str, digest: &str) -> Result<Self, String> {
        if digest_of(text.as_bytes()) != digest {
            return Err("it is not what was stored under this digest".to_owned());
        }
        let tree: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for path in tree.entries.keys() {
            if name::to_path(path).is_none() {
                return Err(format!("`{path}` is no path in a folder"));
            }
            // Whatever stands above is a folder of this list, not a link that leads elsewhere.
            if let Some((above, _)) = path.rsplit_once('/')
                && tree.entries.get(above) != Some(&Node::Folder)
            {
                return Err(format!("`{path}` is in no folder of the list"));
            }
        }
        Ok(tree)
    }

    pub(super) fn files(&self) -> u64 {
        self.sizes().count() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.sizes().sum()
    }

    /// The names under which the content of its files is stored.
    pub(super) fn contents(&self) -> impl Iterator<Item = &str> {
        self.entries.values().filter_map(|node| match node {
            Node::File { digest, .. } => hex_of(digest),
            _ => None,
        })
    }

    fn sizes(&self) -> impl Iterator<Item = u64> {
        self.entries.values().filter_map(|node| match node {
            Node::File { size, .. } => Some(*size),
            _ => None,
        })
    }
}

pub(super) fn digest_of(bytes: &[u8]) -> String {
    written(Sha256::digest(bytes).as_slice())
}

/// A digest as it is written.
pub(super) fn written(hash: &[u8]) -> String {
    format!("{SHA256}{}", hex::encode(hash))
}

/// The digits of a digest, which are safe as the name of a file.
pub(super) fn hex_of(digest: &str) -> Option<&str> {
    let hex = digest.strip_prefix(SHA256)?;
    let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (hex.len() == 64 && hex.bytes().all(digits)).then_some(hex)
}
