//! `windlass plugin inspect`: what a plugin says of itself.

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;
use windlass_pipeline::Description;
use windlass_sandbox::Plugin;

use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::named::Named;
use crate::prepare::open_sandbox;
use crate::style::{BOLD, DIM};
use crate::{output, runtime};

/// Show what a plugin is: its documentation, the JSON Schema of `with`, capabilities and outputs
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A built-in plugin, as `image` or `builtin:image`; a component's file; or one of a registry, as `oci:REFERENCE`
    #[arg(value_name = "NAME|FILE")]
    plugin: String,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Inspect) -> Result<Exit, CliError> {
    let named = Named::find(&args.plugin)?;
    let sandbox = open_sandbox(1)?;
    let (source, size) = (named.source.clone(), named.size);
    let plugin = runtime::small()?.block_on(named.load(&sandbox))?;
    match args.format.format {
        Format::Human => output::text(&human(&source, &plugin, size))?,
        Format::Json => output::json(&json!({
            "source": source,
            "digest": plugin.digest(),
            "size": size,
            "description": &**plugin.description(),
        }))?,
    }
    Ok(Exit::SUCCESS)
}

fn human(source: &str, plugin: &Plugin, size: usize) -> String {
    let Description { name, version, documentation, capabilities, outputs, .. } = &**plugin.description();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{BOLD}{name}{BOLD:#} {version}",
        version = if version.is_empty() { "(no version)" } else { version }
    );
    let _ = writeln!(text, "{DIM}{source}, {size} bytes, {}{DIM:#}", plugin.digest());
    let _ = writeln!(text, "\n{}", documentation.trim_end());
    let _ = writeln!(text, "\n{BOLD}capabilities{BOLD:#}");
    for used in capabilities {
        let how = if used.required { "required" } else { "optional" };
        let _ = writeln!(text, "  {} ({how}): {}", used.capability, used.reason);
    }
    if capabilities.is_empty() {
        let _ = writeln!(text, "  none");
    }
    let _ = writeln!(text, "\n{BOLD}outputs{BOLD:#}");
    for output in outputs {
        let _ = writeln!(text, "  {} ({}): {}", output.name, output.kind, output.documentation);
    }
    if outputs.is_empty() {
        let _ = writeln!(text, "  none");
    }
    let _ = writeln!(text, "\n{BOLD}JSON Schema of `with`{BOLD:#}\n{}", plugin.description().schema_text());
    text
}
