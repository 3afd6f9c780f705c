//! pipeline.toml becomes a checked Pipeline, and then a Plan. Pure: no clock, no disk, no network.

mod description;
pub mod diagnostic;
mod graph;
pub mod grants;
mod limits;
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
pub use grants::{Demand, Grants, Pattern, Rule};
pub use limits::Limits;
pub use pipeline::Pipeline;
pub use plan::{OnCrash, Permission, Plan, PlanStage, PlanStep, SecretSource, WithSchema, plan};
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
