//! What can go wrong with showing a run.

use std::io;

use windlass_journal::JournalError;

/// Why something could not be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The output could not be written. A `BrokenPipe` means that the reader has seen enough.
    #[error("cannot write the output: {0}")]
    Write(#[from] io::Error),
    /// No stage or step of the run has this name.
    #[error("run `{run}` has no step `{given}`{}", listed(known))]
    UnknownStep {
        /// The run.
        run: String,
        /// What was given.
        given: String,
        /// The steps that the run has started, as `stage/step`.
        known: Vec<String>,
    },
}

/// How many names an error lists.
const LISTED: usize = 10;

fn listed(known: &[String]) -> String {
    match known.len() {
        0 => "; it has not started any yet".to_owned(),
        n if n > LISTED => format!("; it has started {}, and {} more", known[..LISTED].join(", "), n - LISTED),
        _ => format!("; it has started {}", known.join(", ")),
    }
}
