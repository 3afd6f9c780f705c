//! The state of a run: a fold of its records. Every renderer prints from it.

mod metric;
mod run;
mod step;

pub use metric::{Metric, Notice, Resume};
pub use run::RunModel;
pub(crate) use step::LogPiece;
pub use step::{Attempt, Inputs, OpenCall, StageModel, StepModel};
