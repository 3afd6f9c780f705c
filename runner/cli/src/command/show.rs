//! `windlass show`: what happened in a run.

use std::path::{Path, PathBuf};

use clap::Args;
use windlass_journal::Journal;
use windlass_view::ShowOptions;

use crate::args::{FormatArg, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{files, output, view_style};

/// Show what happened in a run
///
/// `--format json` prints one value for the run, and with `--calls` another for each call, with all
/// of its arguments and its answer. Secrets are shown by their names, never by their values.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The run, by its id or the beginning of it [default: the newest]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// List every call: who, what, allowed by which grant, when, how long, with what answer
    #[arg(long)]
    calls: bool,
    /// Write a trace of the run for Perfetto (ui.perfetto.dev) or chrome://tracing; `-` for standard output
    #[arg(long, value_name = "FILE", conflicts_with = "calls")]
    trace: Option<PathBuf>,
    #[command(flatten)]
    journal: JournalArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Show) -> Result<Exit, CliError> {
    let reader = Journal::open(&files::state(args.journal.within.as_deref())?)?;
    let run = reader.resolve(args.run.as_deref())?;
    match args.trace.as_deref() {
        Some(file) if file == Path::new("-") => windlass_view::trace(&reader, &run, &mut output::raw())?,
        Some(file) => {
            files::write_whole(file, |out| windlass_view::trace(&reader, &run, out).map_err(CliError::from))?;
            output::say(format_args!("the trace of run {} is in {}", run.id, file.display()));
        }
        None => {
            let options =
                ShowOptions { style: view_style::style(), format: args.format.format.into(), calls: args.calls };
            windlass_view::show(&reader, &run, options, &mut output::raw())?;
        }
    }
    Ok(Exit::SUCCESS)
}
