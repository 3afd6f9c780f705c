//! What people are asked to decide.

use windlass_journal::{CallId, Decision};

/// What people were asked about a stage, and what they have decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    /// What is open.
    pub asked: Option<Asked>,
    /// What was decided, in order.
    pub decisions: Vec<Decision>,
}

/// An open question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The call that waits; none if the stage itself does.
    pub call: Option<CallId>,
    /// What is to be decided.
    pub message: String,
    /// Since when, in microseconds since the Unix epoch.
    pub since: u64,
}
