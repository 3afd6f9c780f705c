//! Folders of files: the projects that are written, and the contract that a project has.

#![allow(clippy::disallowed_methods, reason = "the command line writes the projects that a person asks for")]

use std::borrow::Cow;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::error::CliError;

/// Makes a folder with these files, whole or not at all. It may be there only if it is empty.
pub(crate) fn write(folder: &Path, files: &[(String, Cow<'_, [u8]>)]) -> Result<(), CliError> {
    let failed = |error: io::Error| {
        CliError::usage(format!("{} cannot be made: {error}", folder.display()), "name another folder with `--in`")
    };
    let taken = || CliError::usage(format!("{} is there already", folder.display()), "name another folder with `--in`");
    let is_taken = match std::fs::read_dir(folder) {
        Ok(mut listed) => listed.next().is_some(),
        Err(error) => error.kind() == io::ErrorKind::NotADirectory,
    };
    if is_taken {
        return Err(taken());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(above).map_err(failed)?;
    let made = tempfile::Builder::new().prefix(".windlass-").tempdir_in(above).map_err(failed)?;
    for (name, bytes) in files {
        let path = made.path().join(name);
        if let Some(above) = path.parent() {
            std::fs::create_dir_all(above).map_err(failed)?;
        }
        std::fs::write(&path, bytes).map_err(failed)?;
    }
    std::fs::set_permissions(made.path(), std::fs::Permissions::from_mode(0o755)).map_err(failed)?;
    std::fs::rename(made.path(), folder).map_err(failed)?;
    // It is where it belongs now, and there is nothing left to remove.
    let _ = made.keep();
    Ok(())
}

/// The texts with this extension in a folder and those in it, by their paths in it.
pub(crate) fn texts(folder: &Path, extension: &str) -> Result<Vec<(String, String)>, CliError> {
    let mut found = Vec::new();
    gather(folder, "", extension, &mut found)
        .map_err(|error| CliError::file(folder, &error, Some("a new project has it; copy it from there".to_owned())))?;
    Ok(found)
}

fn gather(folder: &Path, name: &str, extension: &str, found: &mut Vec<(String, String)>) -> io::Result<()> {
    let mut listed = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    listed.sort_by_key(std::fs::DirEntry::file_name);
    for entry in listed {
        let path = entry.path();
        let name = format!("{name}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            gather(&path, &format!("{name}/"), extension, found)?;
        } else if path.extension().is_some_and(|is| is == extension) {
            found.push((name, std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files;

    #[test]
    fn a_folder_is_made_whole_and_never_over_another() {
        let aside = files::aside().unwrap();
        let folder = aside.path().join("x/project");
        let files = [("a/b.txt".to_owned(), Cow::Borrowed(&b"1"[..])), ("c.wit".to_owned(), Cow::Borrowed(&b"2"[..]))];
        write(&folder, &files).unwrap();
        assert_eq!(std::fs::read(folder.join("a/b.txt")).unwrap(), b"1");
        assert!(write(&folder, &files).unwrap_err().to_string().contains("is there already"));
        assert_eq!(texts(&folder, "wit").unwrap(), [("c.wit".to_owned(), "2".to_owned())]);
        assert_eq!(std::fs::read_dir(aside.path().join("x")).unwrap().count(), 1, "nothing is left beside it");
        let empty = aside.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        write(&empty, &files).unwrap();
    }
}
