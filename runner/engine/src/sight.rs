//! What an attempt of a step sees besides its calls: granted folders and the host's variables. It is recorded when the
//! attempt begins, and the same is seen when it runs again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use windlass_gate::Mode;
use windlass_journal::{Failure, FailureKind, FolderInput, Record, StepIndex};
use windlass_pipeline::PlanStep;
use windlass_sandbox::Folder;

use crate::before::Before;
use crate::inputs::{Change, ChangeKind, InputStore, InputsError, KEEP_UP_TO};
use crate::run::Shared;

/// How many changed files a message names.
const NAMED: usize = 10;

/// What an attempt sees.
pub(crate) struct Sight {
    /// The host's variables.
    pub(crate) env: BTreeMap<String, String>,
    /// The granted folders to read.
    pub(crate) folders: Vec<Folder>,
    /// Where a folder was written again as it was; to be removed afterwards.
    pub(crate) again: Option<PathBuf>,
}

/// Looks, and records what is seen; or finds what the record says.
pub(crate) async fn look(
    shared: &Shared,
    step: &PlanStep,
    index: StepIndex,
    before: &Before,
) -> Result<Sight, Failure> {
    let run = shared.run.gate.run();
    if before.mode == Mode::Replay {
        let recorded = before.folders.clone().unwrap_or_default();
        let (folders, again) = again(shared, index, recorded, run.state.clone()).await?;
        return Ok(Sight { env: before.env.clone(), folders, again });
    }
    let mut folders = crate::folders::granted(run, &step.grants)?;
    if let Some(recorded) = &before.folders {
        let changed = compare(shared, step, index, &folders, recorded).await?;
        let (seen, again) = again(shared, index, changed, run.state.clone()).await?;
        for folder in seen {
            folders.retain(|granted| granted.guest != folder.guest);
            folders.push(folder);
        }
        return Ok(Sight { env: before.env.clone(), folders, again });
    }
    let env = shared.granted_env(step);
    if !folders.is_empty() || step.grants.of("env", "read").next().is_some() {
        let mut inputs = Vec::new();
        for Folder { host, guest, .. } in &folders {
            let seen = blocking(&shared.inputs, host, |store, host| store.fingerprint(host, KEEP_UP_TO)).await;
            let seen = seen.map_err(|error| failed(format!("the granted folder `{guest}` cannot be read: {error}")))?;
            let (digest, files, bytes, kept) = (seen.digest, seen.files, seen.bytes, seen.kept);
            inputs.push(FolderInput { folder: guest.clone(), digest, files, bytes, kept });
        }
        let inputs = Record::StepInputs { step: index, attempt: before.attempt, env: env.clone(), folders: inputs };
        shared.run.gate.journal().append(inputs);
    }
    Ok(Sight { env, folders, again: None })
}

/// The folders that are not as the step saw them before the crash. Each change is named.
async fn compare(
    shared: &Shared,
    step: &PlanStep,
    index: StepIndex,
    folders: &[Folder],
    recorded: &[FolderInput],
) -> Result<Vec<FolderInput>, Failure> {
    let mut changed = Vec::new();
    for input in recorded {
        let Some(folder) = folders.iter().find(|folder| folder.guest == input.folder) else { continue };
        let now = blocking(&shared.inputs, &folder.host, |store, host| store.fingerprint(host, 0)).await;
        if now.as_ref().is_ok_and(|now| now.digest == input.digest) {
            continue;
        }
        let digest = input.digest.clone();
        let changes = blocking(&shared.inputs, &folder.host, move |store, host| store.difference(&digest, host)).await;
        let changes = named(&changes.unwrap_or_default());
        if !input.kept {
            return Err(Failure {
                kind: FailureKind::Failed,
                message: format!(
                    "the granted folder `{}` has changed since step `{}` began ({changes}), and was too large to be kept as it was",
                    input.folder, step.name
                ),
                hint: Some("put the folder back as it was, or start a new run".to_owned()),
            });
        }
        let message = format!(
            "the granted folder `{}` has changed since the step began ({changes}); the step goes on with what it saw then",
            input.folder
        );
        shared.run.gate.journal().append(Record::Notice { step: Some(index), message });
        changed.push(input.clone());
    }
    Ok(changed)
}

/// Writes folders again as they were seen.
async fn again(
    shared: &Shared,
    index: StepIndex,
    inputs: Vec<FolderInput>,
    state: PathBuf,
) -> Result<(Vec<Folder>, Option<PathBuf>), Failure> {
    if inputs.is_empty() {
        return Ok((Vec::new(), None));
    }
    let base = state.join("staging").join(&*shared.run_id).join(format!("{}-seen", index.0));
    let mut folders = Vec::new();
    for (number, FolderInput { folder, digest, .. }) in inputs.into_iter().enumerate() {
        let host = base.join(number.to_string());
        let written = blocking(&shared.inputs, &host, move |store, host| {
            crate::folders::empty(host).map_err(|error| InputsError::Folder { path: host.to_owned(), error })?;
            store.materialise(&digest, host)
        });
        written.await.map_err(|error| failed(format!("the folder `{folder}` cannot be shown as it was: {error}")))?;
        folders.push(Folder { host, guest: folder, writable: false });
    }
    Ok((folders, Some(base)))
}

/// The disk is waited for where nobody else waits.
async fn blocking<T: Send + 'static>(
    store: &InputStore,
    folder: &Path,
    work: impl FnOnce(&InputStore, &Path) -> Result<T, InputsError> + Send + 'static,
) -> Result<T, InputsError> {
    let (store, path) = (store.clone(), folder.to_owned());
    let done = tokio::task::spawn_blocking(move || work(&store, &path)).await;
    done.unwrap_or_else(|error| {
        Err(InputsError::Folder { path: folder.to_owned(), error: std::io::Error::other(error.to_string()) })
    })
}

fn named(changes: &[Change]) -> String {
    let word = |kind| match kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
    };
    let mut words: Vec<_> =
        changes.iter().take(NAMED).map(|change| format!("{} {}", change.path, word(change.kind))).collect();
    match changes.len() {
        0 => words.push("it is not known what".to_owned()),
        all if all > NAMED => words.push(format!("and {} more", all - NAMED)),
        _ => {}
    }
    words.join(", ")
}

fn failed(message: String) -> Failure {
    Failure { kind: FailureKind::Failed, message, hint: None }
}
