//! Files that the host reads for a program: only beneath the folders that its step is granted, and never through a link
//! that leads out of them.

use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use windlass_journal::{Failure, FailureKind};

use super::Folder;

/// What the folder has to be granted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// The step may read it.
    Read,
    /// The step may write to it.
    Write,
}

/// A file beneath a granted folder.
#[derive(Debug)]
pub(super) struct Place {
    named: String,
    folder: PathBuf,
    within: PathBuf,
}

/// Why a file is not to be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// No granted folder has it.
    Denied { file: String, access: Access },
    /// A link leads out of the granted folder.
    LeadsOut { file: String },
    /// It is a folder, a pipe, or a device.
    NoFile { file: String },
    /// It is larger than it may be.
    TooLarge { file: String, size: u64, limit: u64 },
    /// It is not there, or cannot be read.
    Unreadable { file: String, reason: String },
}

impl Problem {
    pub(super) fn unreadable(file: &str, reason: &str) -> Self {
        Self::Unreadable { file: file.to_owned(), reason: reason.to_owned() }
    }

    /// The step's failure; `key` is the key of `with` that names the file.
    pub(super) fn of(self, key: &str) -> Failure {
        let (kind, message, hint) = match self {
            Self::Denied { file, access } => {
                let verb = match access {
                    Access::Read => "read",
                    Access::Write => "write",
                };
                (
                    FailureKind::Denied,
                    format!("`with.{key}` names `{file}`, which is in no folder that the step may {verb}"),
                    Some(match plain(&file) {
                        Some(path) => {
                            format!("add `{verb} = [\"{}\"]` to `grants.files` of the step", parent(&path))
                        }
                        None => "name it by its way from the pipeline's folder, without `..`".to_owned(),
                    }),
                )
            }
            Self::LeadsOut { file } => (
                FailureKind::Denied,
                format!("`with.{key}` names `{file}`, which leads out of the granted folder"),
                None,
            ),
            Self::NoFile { file } => {
                (FailureKind::Failed, format!("`with.{key}` names `{file}`, which is no regular file"), None)
            }
            Self::TooLarge { file, size, limit } => (
                FailureKind::Failed,
                format!("`with.{key}` names `{file}`, which has {size} bytes, and the limit is {limit}"),
                Some("let the program open the file itself: it sees the granted folders".to_owned()),
            ),
            Self::Unreadable { file, reason } => {
                (FailureKind::Failed, format!("`with.{key}` names `{file}`, which cannot be read: {reason}"), None)
            }
        };
        Failure { kind, message, hint }
    }
}

/// The folder to suggest for a file.
fn parent(file: &Path) -> String {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or_else(|| "FOLDER".to_owned(), |folder| folder.display().to_string())
}

/// Where the file of this name is: beneath the innermost of the granted folders that has it.
pub(super) fn folder(folders: &[Folder], file: &str, access: Access) -> Result<Place, Problem> {
    let denied = || Problem::Denied { file: file.to_owned(), access };
    let path = plain(file).ok_or_else(denied)?;
    let granted = folders.iter().filter(|folder| folder.writable == (access == Access::Write));
    let beneath = granted.filter_map(|folder| {
        let guest = plain(&folder.guest)?;
        let within = path.strip_prefix(&guest).ok()?.to_owned();
        (!within.as_os_str().is_empty()).then_some((folder, within))
    });
    let (folder, within) = beneath.min_by_key(|(_, within)| within.components().count()).ok_or_else(denied)?;
    Ok(Place { named: file.to_owned(), folder: folder.host.clone(), within })
}

/// The path without `.` and without the `/` that it may begin with, since a program finds all granted folders beneath
/// `/`; nothing if it has a `..`.
fn plain(path: &str) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir => return None,
            part => plain.push(part),
        }
    }
    Some(plain)
}

impl Place {
    /// The file's content.
    pub(super) fn read(&self, limit: u64) -> Result<Vec<u8>, Problem> {
        let file = || self.named.clone();
        let unreadable = |error: std::io::Error| Problem::unreadable(&self.named, &error.to_string());
        let folder = self.folder.canonicalize().map_err(unreadable)?;
        let path = self.folder.join(&self.within).canonicalize().map_err(unreadable)?;
        if !path.starts_with(&folder) {
            return Err(Problem::LeadsOut { file: file() });
        }
        // Before it is opened: to open a pipe would wait for who writes to it.
        let metadata = fs::metadata(&path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(Problem::NoFile { file: file() });
        }
        let too_large = |size: u64| Problem::TooLarge { file: file(), size, limit };
        if metadata.len() > limit {
            return Err(too_large(metadata.len()));
        }
        let mut content = Vec::new();
        // It may grow meanwhile.
        fs::File::open(&path).and_then(|file| file.take(limit + 1).read_to_end(&mut content)).map_err(unreadable)?;
        if content.len() as u64 > limit { Err(too_large(content.len() as u64)) } else { Ok(content) }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn granted(root: &Path, guest: &str, writable: bool) -> Folder {
        let host = root.join(guest.trim_start_matches('/'));
        fs::create_dir_all(&host).unwrap();
        Folder { host, guest: guest.to_owned(), writable }
    }

    fn read(folders: &[Folder], file: &str, access: Access) -> Result<Vec<u8>, Problem> {
        folder(folders, file, access)?.read(8)
    }

    #[test]
    fn a_file_is_read_only_beneath_what_is_granted() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let folders = [granted(root, "src", false), granted(root, "src/deep", false), granted(root, "dist", true)];
        fs::write(root.join("secret"), "secret").unwrap();
        fs::write(root.join("src/a"), "a").unwrap();
        fs::write(root.join("src/deep/b"), "b").unwrap();
        fs::write(root.join("src/large"), "123456789").unwrap();
        fs::write(root.join("dist/out"), "out").unwrap();
        symlink("a", root.join("src/inner")).unwrap();
        symlink("../secret", root.join("src/outer")).unwrap();
        for (file, content) in
            [("src/a", "a"), ("/src/a", "a"), ("./src/./a", "a"), ("src/deep/b", "b"), ("src/inner", "a")]
        {
            assert_eq!(read(&folders, file, Access::Read).unwrap(), content.as_bytes(), "{file}");
        }
        assert_eq!(read(&folders, "dist/out", Access::Write).unwrap(), b"out");
        for file in ["secret", "src/../secret", "/etc/passwd", "dist/out", "src", "srcx/a", ""] {
            assert!(matches!(read(&folders, file, Access::Read), Err(Problem::Denied { .. })), "{file}");
        }
        assert!(matches!(read(&folders, "src/outer", Access::Read), Err(Problem::LeadsOut { .. })));
        assert!(matches!(read(&folders, "src/deep", Access::Read), Err(Problem::NoFile { .. })));
        assert!(matches!(read(&folders, "src/none", Access::Read), Err(Problem::Unreadable { .. })));
        assert!(matches!(read(&folders, "src/large", Access::Read), Err(Problem::TooLarge { size: 9, .. })));
    }

    #[test]
    fn what_is_denied_says_what_to_grant() {
        let failure = folder(&[], "dist/out.json", Access::Write).unwrap_err().of("outputs");
        assert_eq!(failure.kind, FailureKind::Denied);
        assert_eq!(failure.hint.as_deref(), Some("add `write = [\"dist\"]` to `grants.files` of the step"));
        for (file, named) in [("/src/a/in.txt", "src/a"), ("/in.txt", "FOLDER"), ("in.txt", "FOLDER")] {
            let hint = folder(&[], file, Access::Read).unwrap_err().of("stdin").hint;
            assert!(hint.is_some_and(|hint| hint.contains(&format!("read = [\"{named}\"]"))), "{file}");
        }
        for file in ["../out.json", "dist/../../out.json"] {
            let hint = folder(&[], file, Access::Write).unwrap_err().of("outputs").hint;
            assert!(hint.is_some_and(|hint| hint.contains("without `..`")), "{file}");
        }
    }
}
