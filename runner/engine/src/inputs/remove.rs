//! Removes what a step has written, whatever that is.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Removes a folder with everything in it, folders that were written as closed included. If it is not there, that is as
/// well.
///
/// How deep it is, and how long its names are, was up to the step. So each folder within is brought up before it is looked
/// into: that takes neither a path that is too long, nor a stack, nor an open file for each level.
///
/// # Errors
/// If something in it cannot be removed.
pub fn remove(folder: &Path) -> io::Result<()> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(found) if !found.is_dir() => return fs::remove_file(folder),
        Ok(_) => {}
    }
    let mut number = 0_u64;
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        fs::set_permissions(&path, Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&path)?.collect::<io::Result<Vec<_>>>()? {
            if !entry.file_type()?.is_dir() {
                fs::remove_file(entry.path())?;
            } else if path == folder {
                open.push(entry.path());
            } else {
                let near = loop {
                    number += 1;
                    let near = folder.join(format!("near-{number}"));
                    if near.symlink_metadata().is_err() {
                        break near;
                    }
                };
                // To be moved, a folder has to be open to its owner: the name of what is above it changes.
                fs::set_permissions(entry.path(), Permissions::from_mode(0o700))?;
                fs::rename(entry.path(), &near)?;
                open.push(near);
            }
        }
        if path != folder {
            fs::remove_dir(&path)?;
        }
    }
    fs::remove_dir(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_of_any_depth_and_with_long_names_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("top");
        let long = "d".repeat(200);
        fs::create_dir(&top).unwrap();
        // A path can have 4,096 bytes and a process some thousand open files, so the tree grows from its root.
        for level in 0..3_000 {
            let above = folder.path().join("above");
            fs::create_dir_all(above.join("near-1")).unwrap();
            fs::write(above.join("file"), level.to_string()).unwrap();
            fs::rename(&top, above.join(&long)).unwrap();
            fs::rename(&above, &top).unwrap();
        }
        assert!(
            fs::read_dir((0..30).fold(top.clone(), |path, _| path.join(&long))).is_err(),
            "it is too deep for a path"
        );
        remove(&top).unwrap();
        assert!(!top.exists());
        remove(&top).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn closed_folders_and_links_are_removed_and_what_links_lead_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (top, other) = (folder.path().join("top"), folder.path().join("other"));
        fs::create_dir_all(top.join("closed/inner")).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(other.join("file"), "stays").unwrap();
        std::os::unix::fs::symlink(&other, top.join("closed/link")).unwrap();
        for closed in ["closed/inner", "closed"] {
            fs::set_permissions(top.join(closed), Permissions::from_mode(0o000)).unwrap();
        }
        remove(&top).unwrap();
        assert!(!top.exists() && other.join("file").exists());
    }
}
