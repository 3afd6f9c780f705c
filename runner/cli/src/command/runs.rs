//! `windlass runs`: what ran.

mod prune;

pub(crate) use prune::PER_RUN;

use clap::{Args, Subcommand};
use windlass_journal::{Journal, now_micros};

use crate::args::{Format, FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{files, output, view_style};

/// List runs, the newest first, or remove old ones
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Runs {
    #[command(subcommand)]
    what: Option<What>,
    /// How many at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    format: FormatArg,
}

/// What else to do with them.
#[derive(Debug, Subcommand)]
enum What {
    Prune(prune::Prune),
}

impl Runs {
    /// Whom errors are for.
    pub(crate) fn format(&self) -> Format {
        match &self.what {
            Some(What::Prune(args)) => args.format.format,
            None => self.format.format,
        }
    }
}

/// Does it.
pub(crate) fn run(args: &Runs) -> Result<Exit, CliError> {
    if let Some(What::Prune(args)) = &args.what {
        return prune::run(args);
    }
    let reader = Journal::open(&files::state(args.journal.within.as_deref())?)?;
    let runs = reader.runs(args.limit)?;
    windlass_view::runs(&runs, view_style::style(), args.format.format.into(), now_micros(), &mut output::raw())?;
    Ok(Exit::SUCCESS)
}
