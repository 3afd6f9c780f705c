//! Judges a new revision by evidence.
//!
//! A [`Metric`] says what is good and bad. An [`Analysis`] of it is fed with one [`Observation`] after the other and
//! says each time what it thinks: a [`Verdict`], what to do [`Next`], and why, with the numbers. Everything is data:
//! no clock, no disk, no network and no randomness, so the same observations give the same judgements.
//!
//! Verdicts are honest: too little data is never a pass, and looking often makes no false alarms (see [`evidence`]).

mod analysis;
mod comparison;
mod condition;
pub mod evidence;
mod judgement;
mod measure;
mod observation;
#[cfg(feature = "schema")]
mod schema;
mod settings;
mod units;

pub use analysis::{Analysis, BadSettings, OutOfOrder};
pub use condition::{Bound, Condition, ConditionError, Quantity, Relation};
pub use judgement::{Broken, Comparison, Judgement, Next, Numbers, Overall, Verdict, overall};
pub use observation::{Histogram, Observation, Quantile, Reading, Traffic, Unusable};
pub use settings::{Action, Compare, Metric, OnInsufficientData, SettingsError, Source};
pub use units::{Share, Span};
