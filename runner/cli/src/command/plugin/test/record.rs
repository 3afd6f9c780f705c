//! `windlass plugin test --record`: writes a case from a step of a real run.

use std::path::Path;

use windlass_gate::Recording;
use windlass_journal::Journal;
use windlass_testkit::RecordError;

use super::Test;
use crate::error::CliError;
use crate::exit::Exit;
use crate::prepare::Text;
use crate::{files, output, pinned, runtime};

/// Does it.
pub(super) fn run(args: &Test, run: &str, step: &str) -> Result<Exit, CliError> {
    let state = files::state(args.journal.within.as_deref())?;
    let reader = Journal::open(&state)?;
    let run = reader.resolve(Some(run))?;
    let recording = Recording::read(&reader, &run)?;
    let text = Text::recorded(&recording.started, files::beside(&state)?);
    let prepared = runtime::small()?.block_on(pinned::prepare(&text, &recording.started, 1, &[]))?;
    let beside = args.output.as_deref().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    let beside = beside.unwrap_or(Path::new("."));
    let case =
        windlass_testkit::record(&reader, &run, &prepared.plan, &text.workspace, beside, step).map_err(refused)?;
    match &args.output {
        None => output::text(&case)?,
        Some(file) => files::write_new(file, &case)?,
    }
    Ok(Exit::SUCCESS)
}

fn refused(error: RecordError) -> CliError {
    match error {
        RecordError::Journal(error) => error.into(),
        other => CliError::usage(other.to_string(), "`windlass show RUN --calls` shows what the run did"),
    }
}
