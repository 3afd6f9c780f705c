//! `windlass logs`: what steps printed.

use clap::Args;
use windlass_journal::Journal;
use windlass_view::LogsOptions;

use crate::args::{FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{files, output, view_style};

/// Print what steps printed
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

/// Does it.
pub(crate) fn run(args: &Logs) -> Result<Exit, CliError> {
    let reader = Journal::open(&files::state(args.journal.within.as_deref())?)?;
    let run = reader.resolve(args.run.as_deref())?;
    let options = LogsOptions {
        style: view_style::style(),
        format: args.format.format.into(),
        step: args.step.clone(),
        attempt: args.attempt,
        follow: args.follow,
        raw: args.raw,
    };
    windlass_view::logs(&reader, &run, &options, &mut output::raw())?;
    Ok(Exit::SUCCESS)
}
