//! The end of a run, as its command tells it.

use std::path::Path;

use windlass_engine::Ended;
use windlass_journal::{FailureKind, Journal};

use crate::args::Format;
use crate::error::CliError;
use crate::exit::Exit;
use crate::incidents::{self, Written};
use crate::{output, view_style};

/// To whom it is told.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    /// Nothing but errors.
    pub(crate) quiet: bool,
    /// For people or for programs.
    pub(crate) format: Format,
}

/// Tells what came of it, from the journal.
pub(crate) fn finish(told_to: Told, run: &str, state: &Path, ended: &Ended) -> Result<Exit, CliError> {
    let exit = Exit(ended.exit_code);
    if let Some(failure) = ended.failure.as_ref().filter(|_| ended.asks) {
        CliError::run(failure, exit).report(told_to.format);
        return Ok(exit);
    }
    let reports = incidents::write(state, run);
    let told = if told_to.quiet { Ok(()) } else { summary(told_to, run, state, &reports) };
    match &ended.failure {
        // What the journal could not take is in no record, and without a summary nothing is told.
        Some(failure) if told_to.quiet || told.is_err() || failure.kind == FailureKind::Host => {
            CliError::run(failure, exit).report(told_to.format);
            for left in &ended.left_behind {
                output::warning(format_args!("left behind: {left}"));
            }
        }
        Some(_) => {}
        None => match told {
            // Who does not read the summary still gets the exit code.
            Ok(()) | Err(CliError::Output(_)) => {}
            Err(error) => error.report(told_to.format),
        },
    }
    Ok(exit)
}

fn summary(told_to: Told, run: &str, state: &Path, reports: &[Written]) -> Result<(), CliError> {
    if told_to.format == Format::Json {
        incidents::tell(reports, told_to)?;
    }
    let reader = Journal::open(state)?;
    let summary = reader.resolve(Some(run))?;
    let out = &mut output::raw();
    windlass_view::summary(&reader, &summary, view_style::style(), told_to.format.into(), out)?;
    if told_to.format == Format::Human {
        incidents::tell(reports, told_to)?;
    }
    Ok(())
}
