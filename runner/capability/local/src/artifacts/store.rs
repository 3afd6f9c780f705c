//! The folder of a run's artifacts.
//!
//! ```text
//! artifacts/<run>/
//!   content/<sha256>   the bytes
//!   names/<name>       size and digest of what the name stands for; `+` stands for `/`
//! ```
//!
//! Names have a file each, so that steps that store at the same time need not wait for one another.
//! Every file is complete before it has its name, and on the disk before the call is answered: the
//! journal says that an artifact is there only when it is.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use windlass_gate::api::artifacts::{Artifact, Content};
use windlass_gate::{CallError, RunContext};

use crate::artifacts::name;

/// Artifacts are held in memory and go through the journal; larger things belong into a registry or a folder.
const LARGEST: usize = 4 << 20;

/// Begins the name of a file that is not complete yet: it is in no name of an artifact and in no digest.
const TEMPORARY: &str = "~";

/// Written before each digest, in answers and in entries.
const SHA256: &str = "sha256:";

pub(super) struct Store {
    content: PathBuf,
    names: PathBuf,
}

/// What a name stands for.
#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    size: u64,
    digest: String,
}

impl Store {
    pub(super) fn of(run: &RunContext) -> Self {
        let folder = run.state.join("artifacts").join(&run.run);
        Self { content: folder.join("content"), names: folder.join("names") }
    }

    /// Stores bytes under a name.
    pub(super) fn put(&self, name: &str, content: &[u8]) -> Result<Artifact, CallError> {
        let file = name::file_of(name)?;
        if content.len() > LARGEST {
            return Err(CallError::Invalid(format!(
                "artifact `{name}` has {} bytes; 4 MiB ({LARGEST}) is the most: \
                 publish larger things as files, or in a registry",
                content.len()
            )));
        }
        let hex = hex::encode(Sha256::digest(content));
        let entry = Entry { name: name.to_owned(), size: content.len() as u64, digest: format!("{SHA256}{hex}") };
        let text = serde_json::to_vec(&entry).map_err(|error| CallError::Other(error.to_string()))?;
        let stored = (|| {
            fs::create_dir_all(&self.content)?;
            fs::create_dir_all(&self.names)?;
            write(&self.content, &hex, content)?;
            write(&self.names, &file, &text)
        })();
        stored.map_err(|error| problem(&format!("artifact `{name}` cannot be stored"), &self.names, &error))?;
        Ok(entry.into())
    }

    /// The bytes under a name.
    pub(super) fn get(&self, name: &str) -> Result<Content, CallError> {
        let Some(entry) = self.entry(&name::file_of(name)?)? else {
            return Err(CallError::NotFound(self.absent(name)?));
        };
        let damaged = |why: &str| {
            CallError::Other(format!("artifact `{name}` is damaged: {why}; run the step that stores it again"))
        };
        let hex = entry.digest.strip_prefix(SHA256).ok_or_else(|| damaged("its entry has no digest"))?;
        let path = self.content.join(hex);
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged("its bytes are gone")),
            Err(error) => return Err(problem(&format!("artifact `{name}` cannot be read"), &path, &error)),
        };
        if hex::encode(Sha256::digest(&content)) != hex {
            return Err(damaged("its bytes are not those that were stored"));
        }
        Ok(Content(content))
    }

    /// Everything that is stored, by name.
    pub(super) fn list(&self) -> Result<Vec<Artifact>, CallError> {
        let listing = |error: &io::Error| problem("the run's artifacts cannot be listed", &self.names, error);
        let files = match fs::read_dir(&self.names) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(listing(&error)),
        };
        let mut artifacts = Vec::new();
        for file in files {
            let file = file.map_err(|error| listing(&error))?;
            // A crash may have left incomplete ones.
            if let Some(file) = file.file_name().to_str().filter(|file| !file.starts_with(TEMPORARY))
                && let Some(entry) = self.entry(file)?
            {
                artifacts.push(Artifact::from(entry));
            }
        }
        artifacts.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(artifacts)
    }

    fn entry(&self, file: &str) -> Result<Option<Entry>, CallError> {
        let path = self.names.join(file);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
                CallError::Other(format!(
                    "{} is damaged: {error}; remove it, and run the step that stores it again",
                    path.display()
                ))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(problem("an artifact's entry cannot be read", &path, &error)),
        }
    }

    fn absent(&self, name: &str) -> Result<String, CallError> {
        let there: Vec<_> = self.list()?.into_iter().map(|artifact| format!("`{}`", artifact.name)).collect();
        Ok(if there.is_empty() {
            format!(
                "there is no artifact `{name}`: this run has stored none yet; \
                 the step that stores it has to come before"
            )
        } else {
            format!("there is no artifact `{name}` in this run; it has {}", there.join(", "))
        })
    }
}

impl From<Entry> for Artifact {
    fn from(Entry { name, size, digest }: Entry) -> Self {
        Self { name, size, digest }
    }
}

/// Writes a file that is either there as a whole or not at all.
fn write(folder: &Path, file: &str, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(folder.join(file)).map_err(|error| error.error)?;
    // The name is on the disk when the folder is.
    File::open(folder)?.sync_all()
}

fn problem(what: &str, path: &Path, error: &io::Error) -> CallError {
    let next = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room on the disk",
        io::ErrorKind::PermissionDenied => "; give this user access to the folder",
        _ => "",
    };
    CallError::Other(format!("{what} in {}: {error}{next}", path.display()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    use super::*;

    fn store(dir: &Path) -> Store {
        Store { content: dir.join("content"), names: dir.join("names") }
    }

    #[test]
    fn damage_is_found_out() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = store(dir.path());
        let artifact = store.put("report", b"all is well").expect("stored");
        let path = store.content.join(artifact.digest.trim_start_matches(SHA256));
        fs::write(&path, b"all is lost").expect("written");
        assert!(store.get("report").expect_err("changed").message().contains("not those that were stored"));
        fs::remove_file(&path).expect("removed");
        assert!(store.get("report").expect_err("gone").message().contains("its bytes are gone"));
    }

    #[test]
    fn what_a_crash_left_behind_is_not_listed() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = store(dir.path());
        store.put("a", b"1").expect("stored");
        fs::write(store.names.join("~left"), b"half").expect("written");
        assert_eq!(store.list().expect("listed").len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// The folder behaves like a map.
        #[test]
        fn a_store_is_a_map(puts in proptest::collection::vec(("[ab](/[ab])?", proptest::collection::vec(any::<u8>(), 0..20)), 0..8)) {
            let dir = tempfile::tempdir().expect("a folder");
            let store = store(dir.path());
            let mut map = BTreeMap::new();
            for (name, content) in puts {
                let artifact = store.put(&name, &content).expect("stored");
                prop_assert_eq!(artifact.size, content.len() as u64);
                map.insert(name, content);
            }
            let listed: Vec<_> = store.list().expect("listed").into_iter().map(|artifact| artifact.name).collect();
            prop_assert_eq!(listed, map.keys().cloned().collect::<Vec<_>>());
            for (name, content) in map {
                prop_assert_eq!(store.get(&name).expect("there").0, content);
            }
        }
    }
}
