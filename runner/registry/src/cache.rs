//! Pulled components on the disk, by the digest of their bytes.
//!
//! The folder needs no protection: whatever is read from it is hashed, and used only if it is what it is called.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::digest;
use crate::error::RegistryError;

/// The folder.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The cache in the user's cache folder.
    pub(crate) fn in_folder(cache: &Path) -> Self {
        Self { folder: cache.join("components") }
    }

    fn path(&self, digest: &str) -> Option<PathBuf> {
        Some(self.folder.join(format!("{}.wasm", digest::digits(digest)?)))
    }

    /// The file of this digest, if it is there.
    pub(crate) fn find(&self, digest: &str) -> Option<PathBuf> {
        self.path(digest).filter(|path| path.is_file())
    }

    /// The file of this digest, if it is there and its bytes still have it. A damaged one is left for
    /// [`keep`](Self::keep) to replace: whoever removes it could hit what another process has just put there.
    pub(crate) fn find_whole(&self, digest: &str) -> Option<PathBuf> {
        let path = self.find(digest)?;
        let bytes = fs::read(&path).ok()?;
        (digest::of(&bytes) == digest).then_some(path)
    }

    /// The bytes of this digest.
    pub(crate) fn read(&self, digest: &str) -> Result<Vec<u8>, RegistryError> {
        let path = self.path(digest).unwrap_or_else(|| self.folder.clone());
        let failed = |reason: String| RegistryError::Cache { path: path.clone(), reason };
        let bytes = fs::read(&path).map_err(|error| failed(error.to_string()))?;
        let got = digest::of(&bytes);
        if got != digest {
            // Whether it goes or not: it is not used, and the error says where it is.
            let _ = fs::remove_file(&path);
            return Err(failed(format!("it was damaged (its digest was {got}) and has been removed; try again")));
        }
        Ok(bytes)
    }

    /// Begins to put something in.
    pub(crate) fn begin(&self) -> Result<Incoming, RegistryError> {
        let made = fs::create_dir_all(&self.folder).and_then(|()| NamedTempFile::new_in(&self.folder));
        let file = made.map_err(|error| self.failed(&error))?;
        Ok(Incoming { file, hasher: Sha256::new(), size: 0 })
    }

    /// Keeps what came in under its digest.
    pub(crate) fn keep(&self, digest: &str, incoming: Incoming) -> Result<PathBuf, RegistryError> {
        let path = self.path(digest).ok_or_else(|| self.failed(&io::Error::other(format!("no digest: {digest}"))))?;
        incoming.file.persist(&path).map_err(|error| self.failed(&error.error))?;
        Ok(path)
    }

    pub(crate) fn failed(&self, error: &io::Error) -> RegistryError {
        RegistryError::Cache { path: self.folder.clone(), reason: error.to_string() }
    }
}

/// Bytes on their way in, hashed and counted as they come. They are gone with the value unless they are kept.
pub(crate) struct Incoming {
    file: NamedTempFile,
    hasher: Sha256,
    pub(crate) size: u64,
}

impl Incoming {
    /// Some more.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// The digest of all that came.
    pub(crate) fn digest(&self) -> String {
        digest::finish(self.hasher.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(cache: &Cache, bytes: &[u8]) -> String {
        let mut incoming = cache.begin().unwrap();
        incoming.push(bytes).unwrap();
        let digest = incoming.digest();
        cache.keep(&digest, incoming).unwrap();
        digest
    }

    #[test]
    fn what_is_kept_is_found_by_its_digest_and_what_is_damaged_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path());
        assert_eq!(cache.find(&digest::of(b"a plugin")), None);
        let digest = put(&cache, b"a plugin");
        assert_eq!(digest, digest::of(b"a plugin"));
        assert_eq!(cache.read(&digest).unwrap(), b"a plugin");
        assert_eq!(cache.find_whole(&digest), cache.find(&digest));
        fs::write(cache.find(&digest).unwrap(), b"a plugi!").unwrap();
        assert_eq!(cache.find_whole(&digest), None);
        assert!(cache.read(&digest).unwrap_err().to_string().contains("damaged"));
        assert_eq!(cache.find(&digest), None);
    }

    #[test]
    fn what_is_not_kept_leaves_nothing_and_no_digest_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path());
        cache.begin().unwrap().push(b"half").unwrap();
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 0);
        assert_eq!(cache.find("sha256:../../etc/passwd"), None);
        assert!(cache.read("sha256:../../etc/passwd").is_err());
    }
}
