//! `windlass run --offline`: a pipeline runs against what another run of it has recorded.

use std::path::Path;

use windlass_gate::Recording;
use windlass_journal::{Journal, RunState};
use windlass_pipeline::parse_tolerant;

use crate::error::CliError;
use crate::pinned;
use crate::prepare::{Prepared, Text, prepare_recorded};

/// How many of the newest runs are looked at for one of the pipeline.
const LOOKED_AT: usize = 1000;

/// The run whose record answers: the one that is named, else the newest of this pipeline that has ended and was not
/// itself offline.
pub(crate) fn recorded(text: &Text, state: &Path, named: Option<&str>) -> Result<Recording, CliError> {
    let reader = Journal::open(state)?;
    let run = match named {
        Some(_) => reader.resolve(named)?,
        None => {
            let name = parse_tolerant(&text.source).name.clone();
            let mut ended = reader
                .runs(LOOKED_AT)?
                .into_iter()
                .filter(|run| run.pipeline == name && matches!(run.state, RunState::Ended(_)));
            let found = ended.find_map(|run| match Recording::read(&reader, &run) {
                Ok(recording) if recording.started.flags.offline.is_some() => None,
                read => Some(read),
            });
            return match found {
                Some(recording) => Ok(recording?),
                None => Err(CliError::usage(
                    format!("there is no run of pipeline `{name}` whose record could answer"),
                    "run it once with the world there; then `windlass run --offline` needs nothing but its record",
                )),
            };
        }
    };
    let recording = Recording::read(&reader, &run)?;
    match &recording.started.flags.offline {
        None => Ok(recording),
        Some(from) => Err(CliError::usage(
            format!("run `{}` was offline itself", run.id),
            format!("use the run that answered it: --from {from}"),
        )),
    }
}

/// The pipeline as it is now, with the facts that were recorded: with others it would ask for other things.
pub(crate) async fn prepare(
    text: &Text,
    recorded: &Recording,
    jobs: usize,
    only_locked: bool,
) -> Result<Prepared, CliError> {
    let mut facts = pinned::facts(&recorded.started);
    facts.environment = text.environment.clone().or(facts.environment);
    prepare_recorded(text, facts, jobs, pinned::plugins(&recorded.started), only_locked).await
}

/// What has to be said of such a run.
pub(crate) fn notice(from: &str) -> String {
    format!("offline: every call is answered from the record of run {from}; nothing is done")
}
