//! Writes a folder again as it was.

use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use nix::sys::stat::{Mode, SFlag, mknod};
use nix::unistd::mkfifo;
use sha2::{Digest as _, Sha256};

use crate::inputs::tree::{Node, Tree, hex_of, written};
use crate::inputs::{InputsError, name};

pub(super) fn write(tree: &Tree, content: &Path, into: &Path) -> Result<(), InputsError> {
    let at = |path: &Path, error: io::Error| InputsError::Folder { path: path.to_owned(), error };
    fs::create_dir_all(into).map_err(|error| at(into, error))?;
    if fs::read_dir(into).map_err(|error| at(into, error))?.next().is_some() {
        return Err(at(into, io::ErrorKind::DirectoryNotEmpty.into()));
    }
    // A folder comes before what is in it: its path is the beginning of theirs.
    for (path, node) in &tree.entries {
        let damaged = || InputsError::Damaged { path: path.into(), reason: "it is no path in a folder".to_owned() };
        let target = into.join(name::to_path(path).ok_or_else(damaged)?);
        let permit = |mode: u32| fs::set_permissions(&target, Permissions::from_mode(mode));
        let made = match node {
            Node::File { executable, size, digest } => {
                file(path, *size, digest, content, &target)?;
                permit(if *executable { 0o755 } else { 0o644 })
            }
            Node::Folder => fs::create_dir(&target).and_then(|()| permit(0o755)),
            Node::Link { to } => symlink(name::unescape(to).ok_or_else(damaged)?, &target),
            Node::Closed { folder: true } => fs::create_dir(&target).and_then(|()| permit(0)),
            Node::Closed { folder: false } => File::create(&target).and_then(|_| permit(0)),
            Node::Pipe => mkfifo(&target, mode()).map_err(io::Error::from),
            Node::Socket => mknod(&target, SFlag::S_IFSOCK, mode(), 0).map_err(io::Error::from),
            Node::Device => return Err(InputsError::Device { path: path.clone() }),
        };
        made.map_err(|error| at(&target, error))?;
    }
    Ok(())
}

fn mode() -> Mode {
    Mode::from_bits_truncate(0o644)
}

/// Copies a file out of the store, and checks on the way that it is the one.
fn file(path: &str, size: u64, digest: &str, content: &Path, target: &Path) -> Result<(), InputsError> {
    let stored = hex_of(digest).map(|hex| content.join(hex));
    let Some(stored) = stored else {
        let reason = format!("`{path}` has no digest");
        return Err(InputsError::Damaged { path: content.to_owned(), reason });
    };
    let unreadable = |error| InputsError::Store { path: stored.clone(), error };
    let unwritable = |error| InputsError::Folder { path: target.to_owned(), error };
    let mut source = match File::open(&stored) {
        Ok(source) => source.take(size.saturating_add(1)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(InputsError::NotKept { path: path.to_owned() });
        }
        Err(error) => return Err(unreadable(error)),
    };
    let mut copy = File::create_new(target).map_err(unwritable)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let len = source.read(&mut buffer).map_err(unreadable)?;
        if len == 0 {
            break;
        }
        hasher.update(&buffer[..len]);
        copy.write_all(&buffer[..len]).map_err(unwritable)?;
    }
    if written(hasher.finalize().as_slice()) != digest {
        let reason = format!("it is not what was stored of `{path}`");
        return Err(InputsError::Damaged { path: stored, reason });
    }
    Ok(())
}
