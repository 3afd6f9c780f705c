//! `windlass runs`: the table of runs.

use std::io::Write;

use windlass_journal::RunSummary;

use crate::error::ViewError;
use crate::style::{Format, Style};

/// Prints runs, in the order given: a table for people, one JSON value a line for programs.
/// `now` is in microseconds since the Unix epoch ([`windlass_journal::now_micros`]).
///
/// # Errors
///
/// What the output says.
pub fn runs(runs: &[RunSummary], style: Style, format: Format, now: u64, out: &mut dyn Write) -> Result<(), ViewError> {
    let _ = (runs, style, format, now, out);
    Ok(())
}
