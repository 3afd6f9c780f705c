//! `windlass show`: what happened in a run.

use clap::Args;
use windlass_journal::Journal;
use windlass_view::ShowOptions;

use crate::args::{FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{files, output, view_style};

/// Show what happened in a run
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The run, by its id or the beginning of it [default: the newest]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// List every call: who, what, allowed by which grant, when, how long, with what answer
    #[arg(long)]
    calls: bool,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Show) -> Result<Exit, CliError> {
    let reader = Journal::open(&files::state(args.journal.within.as_deref())?)?;
    let run = reader.resolve(args.run.as_deref())?;
    let options = ShowOptions { style: view_style::style(), format: args.format.format.into(), calls: args.calls };
    windlass_view::show(&reader, &run, options, &mut output::raw())?;
    Ok(Exit::SUCCESS)
}
