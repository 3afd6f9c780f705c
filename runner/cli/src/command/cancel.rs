//! `windlass cancel`: asks a run to end.

use clap::Args;
use serde_json::json;
use windlass_journal::{Ask, Journal, JournalError, RunState};

use crate::args::{Format, FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{answers, files, output};

/// Ask a run to end
///
/// What runs is stopped and what the run made is cleaned up, as with Ctrl-C in its own terminal; this waits until that is
/// done. A run that waits or was interrupted, so that no process works on it, ends as soon as it is resumed.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The run, by its id or the beginning of it, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// Ask, and do not wait for the end
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Cancel) -> Result<Exit, CliError> {
    let state = files::state(args.journal.within.as_deref())?;
    let reader = Journal::open(&state)?;
    let run = reader.resolve(Some(&args.run))?;
    let by = answers::who_and_where();
    windlass_journal::send(&state, &run, Ask::Cancel, &by, None, false).map_err(|error| match error {
        JournalError::Ended { run } => CliError::over(&run),
        error => error.into(),
    })?;
    let alive = run.state == RunState::Running;
    let mut now = run.clone();
    if alive && !args.no_wait {
        for entry in reader.follow(&run, 0)? {
            let _ = entry?;
        }
        now = reader.refresh(&run)?;
    }
    let word = windlass_view::state_word(now.state);
    match args.format.format {
        Format::Json => output::json(&json!({ "run": run.id, "state": word, "exit-code": now.exit_code }))?,
        Format::Human if alive && args.no_wait => output::text(&format!("run {}: asked to end\n", run.id))?,
        Format::Human if alive => output::text(&format!("run {}: {word}\n", run.id))?,
        Format::Human => {
            output::text(&format!("run {}: it ends when it is resumed\n", run.id))?;
            output::help(format_args!("windlass resume {}", run.id));
        }
    }
    Ok(Exit::SUCCESS)
}
