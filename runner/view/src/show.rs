//! `windlass show`: everything about one run.

use std::io::Write;

use windlass_journal::{Reader, RunSummary};

use crate::error::ViewError;
use crate::style::{Format, Style};

/// What to show of a run, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShowOptions {
    /// What the output can take.
    pub style: Style,
    /// For whom: people, or one JSON value.
    pub format: Format,
    /// List every call: who, what, allowed by which grant, when, how long, and the answer.
    pub calls: bool,
}

/// Shows a run: what it was made from, its stages and steps, failures, notices, metrics.
///
/// # Errors
///
/// What the journal says, and what the output says.
pub fn show(reader: &Reader, run: &RunSummary, options: ShowOptions, out: &mut dyn Write) -> Result<(), ViewError> {
    let _ = (reader, run, options, out);
    Ok(())
}
