//! `windlass logs`: what steps printed.

use clap::Args;
use windlass_journal::{Journal, JournalError};
use windlass_view::LogsOptions;

use crate::args::{FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{files, output, view_style};

/// Print what steps printed
///
/// `windlass logs` alone prints everything of the newest run, and `windlass logs build/image` what
/// that step of it printed; `latest` stands for the newest run, too.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// The run, by its id or the beginning of it [default: the newest]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Only this stage, or this step of it
    #[arg(value_name = "STAGE[/STEP]")]
    step: Option<String>,
    /// Go on until the run has ended
    #[arg(short, long)]
    follow: bool,
    /// Only this attempt
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    /// The bytes as they are: no prefix, and nothing taken out
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

impl Logs {
    /// The run and the step. Ids have no `/`, so one that has is a step of the newest run.
    fn what(&self) -> (Option<&str>, Option<&str>) {
        match (self.run.as_deref(), self.step.as_deref()) {
            (Some(step), None) if step.contains('/') => (None, Some(step)),
            given => given,
        }
    }
}

/// Does it.
pub(crate) fn run(args: &Logs) -> Result<Exit, CliError> {
    let reader = Journal::open(&files::state(args.journal.within.as_deref())?)?;
    let (run, step) = args.what();
    let run = reader.resolve(run).map_err(|error| match (error, run) {
        (error @ (JournalError::UnknownRun { .. } | JournalError::ShortId { .. }), Some(given)) if step.is_none() => {
            let help = format!("if `{given}` is a stage, write `windlass logs latest {given}`");
            CliError::usage(error.to_string(), help)
        }
        (error, _) => error.into(),
    })?;
    let options = LogsOptions {
        style: view_style::style(),
        format: args.format.format.into(),
        step: step.map(str::to_owned),
        attempt: args.attempt,
        follow: args.follow,
        raw: args.raw,
    };
    windlass_view::logs(&reader, &run, &options, &mut output::raw())?;
    Ok(Exit::SUCCESS)
}
