//! Compiled plugins and their descriptions, by digest, wasmtime version and configuration.
//!
//! Compiled code is loaded without a check of what it does, so the folder has to be the user's own
//! and closed to everybody else; that is checked each time.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::SandboxError;

/// The cache folder.
pub(crate) struct Cache {
    folder: PathBuf,
    /// Tells apart engines whose code does not fit one another.
    engine: String,
}

impl Cache {
    pub(crate) fn open(folder: &Path, engine: String) -> Result<Self, SandboxError> {
        let folder = folder.join("compiled");
        let failed = |reason: String| SandboxError::Cache { path: folder.clone(), reason };
        if !folder.is_dir() {
            create_private(&folder).map_err(|error| failed(format!("it cannot be made: {error}")))?;
        }
        let metadata = fs::metadata(&folder).map_err(|error| failed(error.to_string()))?;
        if let Some(reason) = not_private(&metadata) {
            return Err(failed(reason));
        }
        Ok(Self { folder, engine })
    }

    /// Where the compiled code of this digest is, or would be.
    pub(crate) fn code(&self, digest: &str) -> PathBuf {
        self.folder.join(format!("{}-{}.cwasm", digest.trim_start_matches("sha256:"), self.engine))
    }

    /// Where the description of this digest is, or would be.
    pub(crate) fn description(&self, digest: &str) -> PathBuf {
        self.folder.join(format!("{}-{}.json", digest.trim_start_matches("sha256:"), self.engine))
    }

    /// Writes a file so that others see all of it or nothing.
    pub(crate) fn store(&self, path: &Path, bytes: &[u8]) -> Result<(), SandboxError> {
        let failed = |error: std::io::Error| SandboxError::Cache { path: path.to_owned(), reason: error.to_string() };
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

#[cfg(unix)]
fn create_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn not_private(metadata: &fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    if metadata.uid() != nix::unistd::geteuid().as_raw() {
        return Some("it belongs to another user, who could put code into it".to_owned());
    }
    (metadata.mode() & 0o022 != 0).then(|| "others may write to it; `chmod go-w` it".to_owned())
}

#[cfg(not(unix))]
fn not_private(_: &fs::Metadata) -> Option<String> {
    None
}
