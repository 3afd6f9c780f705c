//! Removes what a step has written, whatever that is.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nix::errno::Errno;

/// How many levels of folders are left in a tree that is too deep to be removed.
const LEVELS: usize = 64;

/// Removes a folder with everything in it, however deep, and folders that were written as closed included. If it is not
/// there, that is as well.
///
/// # Errors
/// If something in it cannot be removed.
pub fn remove(folder: &Path) -> io::Result<()> {
    let refused = match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => error,
        Ok(()) => return Ok(()),
    };
    // Every level takes an open file.
    let too_deep = [Errno::EMFILE, Errno::ENFILE].contains(&Errno::from_raw(refused.raw_os_error().unwrap_or(0)));
    if !too_deep && refused.kind() != io::ErrorKind::PermissionDenied {
        return Err(refused);
    }
    flatten(folder)?;
    fs::remove_dir_all(folder)
}

/// Opens every folder to its owner, and brings those up that lie too deep.
fn flatten(folder: &Path) -> io::Result<()> {
    let mut number = 0_u64;
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((path, level)) = open.pop() {
        fs::set_permissions(&path, Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&path)?.collect::<io::Result<Vec<_>>>()? {
            if !entry.file_type()?.is_dir() {
                continue;
            }
            let mut below = (entry.path(), level + 1);
            if below.1 > LEVELS {
                let near = std::iter::repeat_with(|| {
                    number += 1;
                    folder.join(format!("near-{number}"))
                });
                if let Some(near) = near.into_iter().find(|near| near.symlink_metadata().is_err()) {
                    // A folder that is moved has to be written to: the name of what is above it changes.
                    fs::set_permissions(&below.0, Permissions::from_mode(0o700))?;
                    fs::rename(&below.0, &near)?;
                    below = (near, 1);
                }
            }
            open.push(below);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_that_is_deeper_than_files_can_be_open_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("top");
        fs::create_dir(&top).unwrap();
        // A path can have 4,096 bytes, so the tree grows from its root.
        for level in 0..3_000 {
            let above = folder.path().join("above");
            fs::create_dir(&above).unwrap();
            fs::write(above.join("file"), level.to_string()).unwrap();
            fs::rename(&top, above.join("d")).unwrap();
            fs::rename(&above, &top).unwrap();
        }
        remove(&top).unwrap();
        assert!(!top.exists());
        remove(&top).unwrap();
    }

    #[test]
    fn closed_folders_and_links_are_removed_and_what_links_lead_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (top, other) = (folder.path().join("top"), folder.path().join("other"));
        fs::create_dir_all(top.join("closed/inner")).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(other.join("file"), "stays").unwrap();
        std::os::unix::fs::symlink(&other, top.join("closed/link")).unwrap();
        fs::set_permissions(top.join("closed"), Permissions::from_mode(0o000)).unwrap();
        flatten(&top).unwrap();
        remove(&top).unwrap();
        assert!(!top.exists() && other.join("file").exists());
    }
}
