//! `windlass runs`: what ran.

use clap::Args;
use windlass_journal::{Journal, now_micros};

use crate::args::{FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{files, output, view_style};

/// List runs, the newest first
#[derive(Debug, Args)]
pub(crate) struct Runs {
    /// How many at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Runs) -> Result<Exit, CliError> {
    let reader = Journal::open(&files::state(args.journal.within.as_deref())?)?;
    let runs = reader.runs(args.limit)?;
    windlass_view::runs(&runs, view_style::style(), args.format.format.into(), now_micros(), &mut output::raw())?;
    Ok(Exit::SUCCESS)
}
