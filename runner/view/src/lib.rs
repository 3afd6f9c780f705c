//! Readers of the journal: terminal, plain lines, JSON. They write nothing to it and decide nothing.
//!
//! | what | for |
//! | --- | --- |
//! | [`live`] | an [`Observer`](windlass_journal::Observer) that renders a run while it goes on |
//! | [`summary`] | what happened, when a run is over |
//! | [`show`] | everything about one run, its calls included |
//! | [`trace`] | the same as a trace, for Perfetto and its kind |
//! | [`runs`] | the table of runs |
//! | [`deployments`] | what was deployed, and the report of what was rolled back |
//! | [`pruned`] | what was removed of the journal |
//! | [`logs`] | what steps printed, also while they print it |
//!
//! All of them fold records into one [`RunModel`], and print what comes out of it. Nothing here
//! looks at the environment: whether the output is a terminal, how wide it is and whether it takes
//! colours comes with [`Style`].
//!
//! Output of steps is data, never a command. What is printed here has no control characters, no
//! escape sequences but colours, and nothing that a CI system would take for an instruction.

mod approvals;
mod calls;
mod clean;
pub mod deployments;
mod error;
mod json;
mod lines;
mod live;
mod logs;
mod model;
mod phrase;
mod pruned;
mod report;
mod runs;
mod show;
mod style;
mod summary;
mod text;
mod trace;

pub use error::ViewError;
pub use json::state_word;
pub use live::{LiveOptions, TerminalSize, live};
pub use logs::{LogsOptions, logs};
pub use model::{Approval, Asked, Attempt, Inputs, Metric, Notice, OpenCall, Resume, RunModel, StageModel, StepModel};
pub use phrase::arguments;
pub use pruned::{InDocker, Removal, pruned};
pub use runs::runs;
pub use show::{ShowOptions, show};
pub use style::{Format, Style};
pub use summary::summary;
pub use text::size;
pub use trace::trace;

#[cfg(test)]
mod tests;
