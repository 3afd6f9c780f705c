//! Publishes what a step wrote: from its staging folder to the folder that it was granted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde_json::Value as Json;
use windlass_gate::api::files::Publish;
use windlass_gate::{Call, CallError, Capability, Function, RunContext};

use crate::unknown;

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
        let Publish { staging, folder } = call.decode()?;
        let run = call.run;
        let work = tokio::task::spawn_blocking(move || publish(&run, Path::new(&staging), &folder));
        work.await.map_err(|error| CallError::Other(format!("files: the work broke off: {error}")))??;
        Ok(Json::Null)
    }
}

fn publish(run: &RunContext, staging: &Path, folder: &str) -> Result<(), CallError> {
    let wanted = run.workspace.join(folder);
    let failed = |what: &Path, error: io::Error| CallError::Other(format!("{}: {error}", what.display()));
    fs::create_dir_all(&wanted).map_err(|error| failed(&wanted, error))?;
    let target = wanted.canonicalize().map_err(|error| failed(&wanted, error))?;
    if !Path::new(folder).is_absolute() && !target.starts_with(&run.workspace) {
        return Err(CallError::Denied(format!(
            "`{folder}` leads out of the pipeline's folder, to {}; publish to a folder inside it",
            target.display()
        )));
    }
    let state = run.state.canonicalize().unwrap_or_else(|_| run.state.clone());
    if target.starts_with(&state) {
        return Err(CallError::Denied(format!("`{folder}` is in Windlass's own state folder")));
    }
    copy(staging, &target, &state)
}

/// Copies a folder's content. Follows no link on either side: a link could lead anywhere.
fn copy(from: &Path, to: &Path, state: &Path) -> Result<(), CallError> {
    let failed = |what: &Path, error: io::Error| CallError::Other(format!("{}: {error}", what.display()));
    let mut entries: Vec<_> =
        fs::read_dir(from).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(|error| failed(from, error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if target.starts_with(state) {
            return Err(CallError::Denied(format!("{} is in Windlass's own state folder", target.display())));
        }
        let kind = entry.file_type().map_err(|error| failed(&source, error))?;
        let there = fs::symlink_metadata(&target).ok();
        if kind.is_symlink() || there.as_ref().is_some_and(fs::Metadata::is_symlink) {
            return Err(CallError::Invalid(format!("{}: links are not published", target.display())));
        }
        if kind.is_dir() {
            if !there.is_some_and(|there| there.is_dir()) {
                fs::create_dir(&target).map_err(|error| failed(&target, error))?;
            }
            copy(&source, &target, state)?;
        } else {
            replace(&source, &target).map_err(|error| failed(&target, error))?;
        }
    }
    Ok(())
}

/// Whoever reads the target meanwhile sees the old content or the new, never a part.
fn replace(source: &Path, target: &Path) -> io::Result<()> {
    let folder = target.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    let copy = tempfile::NamedTempFile::new_in(folder)?;
    fs::copy(source, copy.path())?;
    copy.persist(target).map_err(|error| error.error)?;
    Ok(())
}
