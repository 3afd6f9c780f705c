//! The bytes of files, by digest: read once, hashed and kept on the way.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use sha2::{Digest as _, Sha256};
use tempfile::{NamedTempFile, TempPath};

use crate::inputs::InputsError;
use crate::inputs::tree::{Node, hex_of, written};
use crate::inputs::walk::{Stat, odd};

const BUFFER: usize = 256 << 10;

/// Above this many new files the whole file system is told to write once, instead of each file.
const MANY: usize = 32;

/// Takes new content; it has its name only once all of it is on the disk.
pub(super) struct Content {
    folder: PathBuf,
    new: Vec<(TempPath, PathBuf)>,
}

impl Content {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, new: Vec::new() }
    }

    /// Whether these bytes are kept already.
    pub(super) fn has(&self, digest: &str, size: u64) -> bool {
        hex_of(digest).is_some_and(|hex| is_there(&self.folder.join(hex), size))
    }

    fn begin(&self) -> Result<NamedTempFile, InputsError> {
        fs::create_dir_all(&self.folder)
            .and_then(|()| NamedTempFile::new_in(&self.folder))
            .map_err(|error| self.failed(error))
    }

    fn take(&mut self, file: NamedTempFile, digest: &str, size: u64) {
        if let Some(hex) = hex_of(digest) {
            let path = self.folder.join(hex);
            // What is there already, or twice in the folder, is dropped here.
            if !is_there(&path, size) && self.new.iter().all(|(_, known)| *known != path) {
                self.new.push((file.into_temp_path(), path));
            }
        }
    }

    /// Brings what is new to the disk, and gives it its names.
    pub(super) fn finish(self) -> Result<(), InputsError> {
        let Self { folder, new } = self;
        if new.is_empty() {
            return Ok(());
        }
        let failed = |error| InputsError::Store { path: folder.clone(), error };
        sync(&folder, &new).map_err(failed)?;
        for (temporary, path) in new {
            temporary.persist(path).map_err(|error| failed(error.error))?;
        }
        sync_folder(&folder).map_err(failed)
    }

    fn failed(&self, error: io::Error) -> InputsError {
        InputsError::Store { path: self.folder.clone(), error }
    }
}

fn is_there(path: &Path, size: u64) -> bool {
    fs::symlink_metadata(path).is_ok_and(|there| there.is_file() && there.len() == size)
}

fn sync(folder: &Path, new: &[(TempPath, PathBuf)]) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if new.len() > MANY {
        return Ok(nix::unistd::syncfs(File::open(folder)?)?);
    }
    new.iter().try_for_each(|(temporary, _)| File::open(temporary)?.sync_all())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Stores a small file: whole and on the disk before it has its name.
pub(super) fn store(path: &Path, bytes: &[u8]) -> Result<(), InputsError> {
    let stored = (|| {
        let folder = path.parent().ok_or(ErrorKind::NotFound)?;
        fs::create_dir_all(folder)?;
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        sync_folder(folder)
    })();
    stored.map_err(|error| InputsError::Store { path: path.to_owned(), error })
}

/// Removes the files of a folder that are neither among these nor younger than `spare`. Gives their size.
pub(super) fn sweep(folder: &Path, keep: &BTreeSet<String>, spare: Duration) -> Result<u64, InputsError> {
    let failed = |error| InputsError::Store { path: folder.to_owned(), error };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(failed(error)),
    };
    let mut freed = 0;
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let metadata = entry.metadata().map_err(failed)?;
        let age = metadata.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or_default();
        if age >= spare && entry.file_name().to_str().is_none_or(|name| !keep.contains(name)) {
            fs::remove_file(entry.path()).map_err(failed)?;
            freed += metadata.len();
        }
    }
    Ok(freed)
}

/// Reads a file: what it is, and its state before it was read. Nothing if it is not there any more.
///
/// It is read as far as it went at first, so a file that grows all the time has an end, too.
pub(super) fn read(path: &Path, keep: Option<&mut Content>) -> Result<Option<(Node, Stat)>, InputsError> {
    let failed = |error| InputsError::Folder { path: path.to_owned(), error };
    // It could have become a link or a pipe since it was looked at: that is neither followed nor waited for.
    let opened = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path);
    let metadata = fs::symlink_metadata(path);
    let (file, metadata) = match (opened, metadata) {
        (Ok(file), _) => file.metadata().map(|metadata| (file, metadata)).map_err(failed)?,
        (Err(error), Ok(metadata)) if error.kind() == ErrorKind::PermissionDenied => {
            return Ok(Some((Node::Closed { folder: false }, Stat::of(&metadata))));
        }
        (Err(error), _) if error.kind() == ErrorKind::NotFound => return Ok(None),
        (Err(error), _) => return Err(failed(error)),
    };
    let stat = Stat::of(&metadata);
    if !metadata.is_file() {
        return Ok(Some((if metadata.is_dir() { Node::Folder } else { odd(metadata.file_type()) }, stat)));
    }
    let mut copy = keep.as_deref().map(Content::begin).transpose()?;
    let mut hasher = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; BUFFER];
    let mut file = file.take(stat.size);
    loop {
        let bytes = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(len) => &buffer[..len],
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        hasher.update(bytes);
        size += bytes.len() as u64;
        if let Some(copy) = &mut copy {
            copy.write_all(bytes).map_err(|error| InputsError::Store { path: copy.path().to_owned(), error })?;
        }
    }
    let digest = written(hasher.finalize().as_slice());
    if let (Some(copy), Some(content)) = (copy, keep) {
        content.take(copy, &digest, size);
    }
    Ok(Some((Node::File { executable: stat.executable, size, digest }, stat)))
}
