//! `windlass plan`: what would run, in which order, and what each step may do.

mod graph;
mod human;
mod json;

use clap::Args;
use windlass_pipeline::{CapabilityUse, Description, PlanStep};

use crate::args::{FileArg, Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::prepare::{Prepared, Text, prepare};
use crate::{output, runtime};

/// Show what would run, in which order, and what each step may do
///
/// Nothing is run and nothing is written. Besides the order of stages and steps, this prints the
/// capability plan: everything that each step is allowed to do, with the place in the file that
/// allows it. Steps that may run programs on the host are marked as NOT SANDBOXED.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    file: FileArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// What stands for the id of the run that a plan is not.
pub(crate) const NO_RUN: &str = "0000000000";

/// Does it.
pub(crate) fn run(args: &Plan) -> Result<Exit, CliError> {
    let text = Text::read(&args.file)?;
    let prepared = runtime::small()?.block_on(prepare(&text, NO_RUN, 1))?;
    show(&prepared, &args.file.file.display().to_string(), args.format.format)?;
    Ok(Exit::SUCCESS)
}

/// Prints the plan of this file.
pub(crate) fn show(prepared: &Prepared, file: &str, format: Format) -> Result<(), CliError> {
    match format {
        Format::Human => {
            let found = &prepared.plan.warnings;
            if !found.is_empty() {
                output::say(found.render(true));
            }
            output::text(&human::render(prepared, file))?;
        }
        Format::Json => output::json(&json::PlanJson::of(prepared, file))?,
    }
    Ok(())
}

/// The programs that a step may run on the host, outside of the sandbox.
fn unsandboxed(step: &PlanStep) -> Vec<&str> {
    step.grants.of("process", "run").map(|rule| &*rule.text).collect()
}

/// What a plugin could use and the step does not grant: such a call is denied.
fn not_granted<'a>(description: &'a Description, step: &'a PlanStep) -> impl Iterator<Item = &'a CapabilityUse> {
    description.capabilities.iter().filter(|used| !step.grants.grants_capability(&used.capability))
}
