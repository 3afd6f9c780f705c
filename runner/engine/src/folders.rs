//! The folders that a step may see: granted ones as they are, and a staging folder for each that
//! it may write to.

#![allow(clippy::disallowed_methods, reason = "the staging folders in the state folder are the engine's own")]

use std::fs;
use std::path::{Path, PathBuf};

use windlass_gate::RunContext;
use windlass_gate::api::files;
use windlass_journal::{Failure, FailureKind, StepIndex};
use windlass_pipeline::Grants;
use windlass_sandbox::Folder;

use crate::inputs;

/// A staging folder, and where its content goes when the step succeeds.
#[derive(Clone)]
pub(crate) struct Staged {
    /// Among the staging folders of the run.
    name: String,
    path: PathBuf,
    pub(crate) folder: String,
}

impl Staged {
    pub(crate) fn folder(&self) -> Folder {
        Folder { host: self.path.clone(), guest: self.folder.clone(), writable: true }
    }

    /// The call that publishes what is in it now.
    pub(crate) async fn publish(&self) -> Result<files::Publish, Failure> {
        let path = self.path.clone();
        let digest = tokio::task::spawn_blocking(move || inputs::digest(&path)).await;
        let digest = digest.map_err(|error| error.to_string()).and_then(|digest| digest.map_err(|e| e.to_string()));
        let digest = digest.map_err(|error| failed(format!("what the step wrote to `{}`: {error}", self.folder)))?;
        Ok(files::Publish { staging: self.name.clone(), folder: self.folder.clone(), digest })
    }
}

/// The folders that the step may read.
pub(crate) fn granted(run: &RunContext, grants: &Grants) -> Result<Vec<Folder>, Failure> {
    let mut folders = Vec::new();
    for rule in grants.of("files", "read") {
        let host = run.workspace.join(&*rule.text);
        let real = host.canonicalize().map_err(|error| missing(&rule.text, &error))?;
        if !rule.text.starts_with('/') && !real.starts_with(&run.workspace) {
            return Err(failed(format!(
                "the granted folder `{}` leads out of the pipeline's folder, to {}",
                rule.text,
                real.display()
            )));
        }
        let state = run.state.canonicalize().unwrap_or_else(|_| run.state.clone());
        if state.starts_with(&real) || real.starts_with(&state) {
            return Err(Failure {
                kind: FailureKind::Denied,
                message: format!(
                    "the granted folder `{}` has Windlass's own state in it ({}), which no step may see",
                    rule.text,
                    state.display()
                ),
                hint: Some("grant the folders beneath it that the step needs".to_owned()),
            });
        }
        folders.push(Folder { host: real, guest: rule.text.to_string(), writable: false });
    }
    Ok(folders)
}

/// A staging folder for each folder that the step may write to.
pub(crate) fn stage(run: &RunContext, grants: &Grants, step: StepIndex) -> Result<Vec<Staged>, Failure> {
    let mut staged = Vec::new();
    for (number, rule) in grants.of("files", "write").enumerate() {
        let name = format!("{}-{number}", step.0);
        let staging = run.state.join("staging").join(&run.run).join(&name);
        empty(&staging)
            .map_err(|error| failed(format!("the staging folder {} cannot be made: {error}", staging.display())))?;
        staged.push(Staged { name, path: staging, folder: rule.text.to_string() });
    }
    Ok(staged)
}

/// Throws away what was not published, and what was written again to be seen once more.
pub(crate) fn discard(staged: &[Staged], again: Option<&Path>) {
    for folder in staged.iter().map(|staged| &*staged.path).chain(again) {
        // What stays is a few files in the state folder; the next attempt empties it.
        let _ = inputs::remove(folder);
        if let Some(run) = folder.parent() {
            let _ = fs::remove_dir(run);
        }
    }
}

/// Makes a folder with nothing in it.
pub(crate) fn empty(folder: &Path) -> std::io::Result<()> {
    inputs::remove(folder)?;
    fs::create_dir_all(folder)
}

fn missing(folder: &str, error: &std::io::Error) -> Failure {
    Failure {
        kind: FailureKind::Failed,
        message: format!("the granted folder `{folder}` cannot be opened: {error}"),
        hint: Some("make the folder, or take it out of `grants.files` of the step".to_owned()),
    }
}

fn failed(message: String) -> Failure {
    Failure { kind: FailureKind::Failed, message, hint: None }
}
