//! `pipeline.toml` becomes a checked [`Pipeline`], and then a [`Plan`].
//!
//! ```text
//! bytes --decode--> Source --parse--> Pipeline --plan (facts, descriptions)--> Plan
//! ```
//!
//! Pure: no clock, no disk, no network, no environment. What the world has to say comes in as data: [`Facts`], and the
//! [`Descriptions`] of the plugins. The same input gives the same plan, always.
//!
//! Each of these steps reports everything that it finds at once, as [`Diagnostics`] that point into the file.
//! [`parse_tolerant`] goes one further: what is wrong with the file comes out together with what is wrong with the plan.
//!
//! A [`lock::Lock`] says what somebody has looked at, and what of a plan is not that.
//!
//! [`Grants`] are what the gate asks before every effect; [`grants::vocabulary`] is all that they can say.
//!
//! # What may be relied on
//!
//! - No input panics, none overflows the stack, and time and memory grow with the size of the input, not faster.
//! - A string of the file never reaches a terminal with its control characters.
//! - A reference to an output is to a step that has ended well by then, or it has a default. A step that is not
//!   required, or that is in a stage that is not, may have no outputs: a reference to it needs a default.
//! - No two steps that may run at the same time are granted to write the same folder.
//!
//! ```
//! use windlass_pipeline::{decode, parse};
//!
//! let source = decode("pipeline.toml", b"[pipeline]\nname = \"shop\"\n[[stages.build.steps]]\nuses = \"imgae\"\n")?;
//! let problems = parse(&source).unwrap_err();
//! assert_eq!(problems.to_string(), "pipeline.toml:4:8: error: no plugin is called `imgae` (help: built in is `builtin:image`)");
//! # Ok::<(), windlass_pipeline::Diagnostics>(())
//! ```

mod description;
pub mod diagnostic;
mod document;
mod edit;
pub mod grants;
mod graph;
mod limits;
pub mod lock;
mod pipeline;
mod plan;
mod read;
mod source;
mod suggest;
mod template;
mod text;
mod tree;

pub use description::{
    BUILTINS, CapabilityUse, Description, Descriptions, Facts, OutputKind, OutputSpec, PluginSource,
};
pub use diagnostic::{Diagnostic, Diagnostics, Related, Severity};
pub use document::{Document, Frame, Node, Problems};
pub use edit::{EditError, add_plugin};
pub use grants::{Demand, Grants, Pattern, Rule};
pub use limits::Limits;
pub use pipeline::{Pipeline, StepProblem};
pub use plan::{
    OnCrash, Permission, Plan, PlanStage, PlanStep, RecordedOutputs, RecordedStep, SecretSource, WithSchema, plan,
    recorded_step,
};
pub use source::{Location, MAX_BYTES, Source, decode};
pub use template::{FillError, Lookup, OutputRef, Template};

/// Reads a pipeline.
///
/// # Errors
///
/// Everything that is wrong with it, at once.
pub fn parse(source: &Source) -> Result<Pipeline, Diagnostics> {
    let pipeline = read::read(source);
    if pipeline.is_sound() { Ok(pipeline) } else { Err(pipeline.found.finish(source)) }
}

/// Reads what can be read of a pipeline. What is wrong with it is kept, and comes out of [`plan`] together with what
/// planning finds, so that somebody who checks a pipeline sees everything at once.
pub fn parse_tolerant(source: &Source) -> Pipeline {
    read::read(source)
}
