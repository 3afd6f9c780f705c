//! `windlass approve` and `windlass reject`: somebody decides about a stage that waits.

use clap::Args;
use serde_json::json;
use windlass_journal::{Ask, Journal, JournalError, RunState};
use windlass_pipeline::{Source, parse_tolerant};

use crate::args::{Format, FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{answers, files, output};

/// Which stage of which run.
#[derive(Debug, Args)]
struct Which {
    /// The run, by its id or the beginning of it, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// The stage that waits, or whose step does
    #[arg(value_name = "STAGE")]
    stage: String,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    format: FormatArg,
}

/// Let a stage go on that waits for approval
///
/// A stage that says `approval` in the pipeline can be approved before it waits. A step that waits can be approved only
/// while it does, because nobody knows before what it will ask. The first decision counts. Who, when and why is recorded.
#[derive(Debug, Args)]
pub(crate) struct Approve {
    #[command(flatten)]
    which: Which,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Say no to a stage that waits for approval
///
/// The stage fails. When a step waits, it is told, and decides what to do. As with `approve`, a stage that says `approval`
/// in the pipeline can be rejected before it waits, and the first decision counts.
#[derive(Debug, Args)]
pub(crate) struct Reject {
    #[command(flatten)]
    which: Which,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Approve {
    pub(crate) fn format(&self) -> Format {
        self.which.format.format
    }
}

impl Reject {
    pub(crate) fn format(&self) -> Format {
        self.which.format.format
    }
}

/// Approves.
pub(crate) fn approve(args: &Approve) -> Result<Exit, CliError> {
    decide(&args.which, true, args.reason.as_deref())
}

/// Rejects.
pub(crate) fn reject(args: &Reject) -> Result<Exit, CliError> {
    decide(&args.which, false, Some(&args.reason))
}

fn decide(which: &Which, approved: bool, why: Option<&str>) -> Result<Exit, CliError> {
    let why = why.map(str::trim).filter(|why| !why.is_empty());
    if !approved && why.is_none() {
        return Err(CliError::usage("the reason is empty", "say why: --reason TEXT"));
    }
    let state = files::state(which.journal.within.as_deref())?;
    let reader = Journal::open(&state)?;
    let run = reader.resolve(Some(&which.run))?;
    if let RunState::Ended(_) = run.state {
        return Err(CliError::over(&run.id));
    }
    let stage = which.stage.as_str();
    let pipeline = parse_tolerant(&Source { name: run.file.clone(), text: reader.source(&run)? });
    let Some((_, early)) = pipeline.stages().find(|(name, _)| *name == stage) else {
        let all: Vec<_> = pipeline.stages().map(|(name, _)| name).collect();
        return Err(CliError::usage(
            format!("run `{}` has no stage `{stage}`", run.id),
            format!("its stages are: {}", all.join(", ")),
        ));
    };
    let by = answers::who_and_where();
    let ask = Ask::Decide { stage: stage.to_owned(), approved };
    windlass_journal::send(&state, &run, ask, &by, why, early).map_err(|error| match error {
        JournalError::Ended { run } => CliError::over(&run),
        error => error.into(),
    })?;
    let word = if approved { "approved" } else { "rejected" };
    match which.format.format {
        Format::Json => {
            output::json(&json!({ "run": run.id, "stage": stage, "decision": word, "by": by, "reason": why }))?;
        }
        Format::Human => {
            output::text(&format!("run {}: stage {stage} {word} by {by}\n", run.id))?;
            if run.state != RunState::Running {
                output::help(format_args!("it goes on with: windlass resume {}", run.id));
            }
        }
    }
    Ok(Exit::SUCCESS)
}
