//! Measurements and notices: bounded, because a plugin may report any number of them; and resumes.

use std::collections::BTreeMap;

use windlass_journal::StepIndex;

/// The latest value of a metric.
#[derive(Clone, Debug)]
pub struct Metric {
    /// The step that reported it.
    pub step: StepIndex,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its unit; empty if it has none.
    pub unit: String,
    /// What it is about.
    pub labels: BTreeMap<String, String>,
    /// How often it was reported.
    pub count: u64,
}

/// Something a person should know.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The step it is about, if it is about one.
    pub step: Option<StepIndex>,
    /// When it was made.
    pub at: u64,
    /// What to know.
    pub message: String,
}

/// That another process went on with the run.
#[derive(Clone, Debug)]
pub struct Resume {
    /// When it did.
    pub at: u64,
    /// When the last record before it was made: the run was down in between.
    pub down_since: u64,
    /// The steps that began anew.
    pub restarted: Vec<StepIndex>,
}
