//! What the journal knows of a run without reading its records.

use crate::record::Status;

/// How many columns of a row of `run` the sum is of; it comes after them.
pub(crate) const SUMMED: usize = 10;

/// Those columns of a row.
pub(crate) const SELECT_SUMMED: &str = "SELECT key, id, pipeline, file, source, started_at, ended_at, status, exit_code, failed_step FROM run WHERE key = ?1";

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunState {
    /// A process writes it now.
    Running,
    /// The process that wrote it died before the run's end.
    Interrupted,
    /// It is over.
    Ended(Status),
}

/// A run's index row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunSummary {
    /// Its id.
    pub id: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The file it was read from, as the person named it.
    pub file: String,
    /// `sha256:...` of that file's text.
    pub source_digest: String,
    /// When it started, in microseconds since the Unix epoch.
    pub started: u64,
    /// When it ended.
    pub ended: Option<u64>,
    /// When its process was last seen alive; at most a few seconds before it died.
    pub seen: u64,
    /// Where it stands.
    pub state: RunState,
    /// The exit code of the command.
    pub exit_code: Option<u8>,
    /// The first step that failed for good, by name, once the run has ended.
    pub failed_step: Option<String>,
    /// The process that wrote it last, while the run is not over.
    pub pid: Option<u32>,
    /// Its key in the store.
    pub(crate) key: i64,
}
