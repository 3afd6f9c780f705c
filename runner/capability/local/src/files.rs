//! Publishes what a step wrote: from its staging folder to the folder that it was granted.
//!
//! All of it is copied first, beside where it goes, and brought to the disk; then every file gets its
//! name. Whoever reads the folder meanwhile sees old files or new ones, never a part of one, and when
//! the call is answered a power cut takes nothing back.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use async_trait::async_trait;
use serde_json::Value as Json;
use windlass_gate::api::files::Publish;
use windlass_gate::{Call, CallError, Capability, Function, RunContext};

use crate::unknown;

/// Above this many files the whole file system is told to write once, instead of each file.
const MANY: usize = 32;

/// Publishes files. Doing it twice is the same as once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files;

#[async_trait]
impl Capability for Files {
    fn name(&self) -> &'static str {
        "files"
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        if call.function != Function::FilesPublish {
            return Err(unknown("files", call.function));
        }
        let wanted: Publish = call.decode()?;
        let work = tokio::task::spawn_blocking(move || publish(&call.run, &call.identity(), &wanted));
        work.await.map_err(|error| CallError::Other(format!("files: the work broke off: {error}")))??;
        Ok(Json::Null)
    }
}

fn publish(run: &RunContext, identity: &str, Publish { staging, folder, .. }: &Publish) -> Result<(), CallError> {
    let staging = run.state.join("staging").join(&run.run).join(name(staging)?);
    let wanted = run.workspace.join(folder);
    let mut copies = Copies::new(run, identity);
    copies.make_folder(&wanted)?;
    let target = wanted.canonicalize().map_err(|error| failed(&wanted, &error))?;
    if !Path::new(folder).is_absolute() && !target.starts_with(&run.workspace) {
        return Err(CallError::Denied(format!(
            "`{folder}` leads out of the pipeline's folder, to {}; publish to a folder inside it",
            target.display()
        )));
    }
    if target.starts_with(&copies.state) {
        return Err(CallError::Denied(format!("`{folder}` is in Windlass's own state folder")));
    }
    copies.add(&staging, &target)?;
    copies.finish()
}

/// The staging folder's name, which leads nowhere else.
fn name(staging: &str) -> Result<&str, CallError> {
    let mut parts = Path::new(staging).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(name)), None) if name == staging => Ok(staging),
        _ => Err(CallError::Invalid(format!("`{staging}` is no name of a staging folder"))),
    }
}

fn failed(what: &Path, error: &io::Error) -> CallError {
    CallError::Other(format!("{}: {error}", what.display()))
}

/// Files on their way.
struct Copies {
    /// Begins the name of each copy. A repeated call finds what a broken-off one left, and takes its place.
    prefix: String,
    state: PathBuf,
    /// The copies that have no name yet, and where they go.
    files: Vec<(PathBuf, PathBuf)>,
    /// Folders in which a name is new.
    folders: BTreeSet<PathBuf>,
}

impl Copies {
    fn new(run: &RunContext, identity: &str) -> Self {
        let state = run.state.canonicalize().unwrap_or_else(|_| run.state.clone());
        Self { prefix: format!(".windlass-{identity}"), state, files: Vec::new(), folders: BTreeSet::new() }
    }

    /// Makes a folder and those above it.
    fn make_folder(&mut self, folder: &Path) -> Result<(), CallError> {
        let missing: Vec<_> = folder.ancestors().take_while(|above| !above.exists()).collect();
        fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        self.folders.extend(missing.into_iter().filter_map(Path::parent).map(Path::to_owned));
        Ok(())
    }

    /// Copies a folder's content. Follows no link on either side: a link could lead anywhere.
    fn add(&mut self, from: &Path, to: &Path) -> Result<(), CallError> {
        // A stack of our own: how deep folders are nested is the step's to say.
        let mut folders = vec![(from.to_owned(), to.to_owned())];
        while let Some((from, to)) = folders.pop() {
            self.add_folder(&from, &to, &mut folders)?;
        }
        Ok(())
    }

    fn add_folder(&mut self, from: &Path, to: &Path, below: &mut Vec<(PathBuf, PathBuf)>) -> Result<(), CallError> {
        let mut entries: Vec<_> = fs::read_dir(from)
            .and_then(Iterator::collect::<io::Result<Vec<_>>>)
            .map_err(|error| failed(from, &error))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (source, target) = (entry.path(), to.join(entry.file_name()));
            if target.starts_with(&self.state) {
                return Err(CallError::Denied(format!("{} is in Windlass's own state folder", target.display())));
            }
            let kind = entry.file_type().map_err(|error| failed(&source, &error))?;
            let there = fs::symlink_metadata(&target).ok();
            if kind.is_symlink() || there.as_ref().is_some_and(fs::Metadata::is_symlink) {
                return Err(CallError::Invalid(format!("{}: links are not published", target.display())));
            }
            if kind.is_dir() {
                if !there.is_some_and(|there| there.is_dir()) {
                    fs::create_dir(&target).map_err(|error| failed(&target, &error))?;
                    self.folders.insert(to.to_owned());
                }
                below.push((source, target));
            } else {
                if there.is_some_and(|there| there.is_dir()) {
                    return Err(CallError::Invalid(format!("{} is a folder, and a file is to be", target.display())));
                }
                self.copy(&source, to, target)?;
            }
        }
        Ok(())
    }

    fn copy(&mut self, source: &Path, folder: &Path, target: PathBuf) -> Result<(), CallError> {
        let copy = folder.join(format!("{}-{}", self.prefix, self.files.len()));
        let begin = || {
            match fs::remove_file(&copy) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            File::create_new(&copy)
        };
        begin().map_err(|error| failed(&target, &error))?;
        self.files.push((copy.clone(), target));
        fs::copy(source, &copy).map_err(|error| failed(source, &error))?;
        self.folders.insert(folder.to_owned());
        Ok(())
    }

    /// Gives every copy its name. All of it is on the disk when this returns.
    fn finish(mut self) -> Result<(), CallError> {
        self.sync().map_err(|error| CallError::Other(format!("files: they cannot be brought to the disk: {error}")))?;
        while let Some((copy, target)) = self.files.last() {
            fs::rename(copy, target).map_err(|error| failed(target, &error))?;
            self.files.pop();
        }
        for folder in &self.folders {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, &error))?;
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        // Copies may be on more than one file system, if one is mounted in the granted folder.
        #[cfg(target_os = "linux")]
        if self.files.len() > MANY {
            use std::os::unix::fs::MetadataExt as _;
            let mut synced = BTreeSet::new();
            for folder in &self.folders {
                let folder = File::open(folder)?;
                if synced.insert(folder.metadata()?.dev()) {
                    nix::unistd::syncfs(folder)?;
                }
            }
            return Ok(());
        }
        self.files.iter().try_for_each(|(copy, _)| File::open(copy)?.sync_all())
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        for (copy, _) in &self.files {
            // What stays is taken up by the next try.
            let _ = fs::remove_file(copy);
        }
    }
}
