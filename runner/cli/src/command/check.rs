//! `windlass check`: everything that is wrong with a pipeline, at once.

use clap::Args;
use serde_json::json;

use super::plan::NO_RUN;
use crate::args::{FileArg, Format, FormatArg};
use crate::error::{CliError, number};
use crate::exit::Exit;
use crate::prepare::{Text, prepare};
use crate::style::GOOD;
use crate::{output, runtime};

/// Say everything that is wrong with a pipeline, with the places in the file
///
/// Loads the plugins, checks each `with` against its plugin's schema and each plugin's needs against
/// the grants of its step. Nothing is run and nothing is written.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    file: FileArg,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Check) -> Result<Exit, CliError> {
    let text = Text::read(&args.file)?;
    let file = args.file.file.display();
    let prepared = match runtime::small()?.block_on(prepare(&text, NO_RUN, 1)) {
        // For programs, a check that finds something has the form of one that does not.
        Err(error @ CliError::Pipeline { .. }) if args.format.format == Format::Json => {
            output::json(&json!({ "file": file.to_string(), "valid": false, "error": error.to_json() }))?;
            return Ok(error.exit());
        }
        prepared => prepared?,
    };
    let plan = &prepared.plan;
    match args.format.format {
        Format::Human => {
            if !plan.warnings.is_empty() {
                output::say(plan.warnings.render(true));
            }
            if let Some(locked) = prepared.locked.as_ref().filter(|locked| locked.widens()) {
                output::warning(locked.notice());
            }
            let counts = [
                number(plan.stages.len(), "stage"),
                number(plan.steps.len(), "step"),
                number(plan.plugins.len(), "plugin"),
            ];
            let warnings = match plan.warnings.len() {
                0 => String::new(),
                count => format!("; {} to look at", number(count, "warning")),
            };
            output::text(&format!("{GOOD}good{GOOD:#}: {file} has {}{warnings}\n", counts.join(", ")))?;
        }
        Format::Json => {
            let mut found = json!({
                "file": file.to_string(),
                "valid": true,
                "pipeline": plan.name,
                "stages": plan.stages.len(),
                "steps": plan.steps.len(),
                "plugins": plan.plugins,
                "diagnostics": plan.warnings.diagnostics,
                "omitted": plan.warnings.omitted,
            });
            if let Some(locked) = &prepared.locked {
                found["not-as-locked"] = json!(locked.differences);
            }
            output::json(&found)?;
        }
    }
    Ok(Exit::SUCCESS)
}
