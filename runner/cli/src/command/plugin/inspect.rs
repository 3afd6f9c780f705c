//! `windlass plugin inspect`: what a plugin says of itself.

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use serde_json::json;
use windlass_pipeline::Description;
use windlass_sandbox::{Component, Plugin};

use crate::args::{Format, FormatArg};
use crate::builtins::{BUILTINS, Builtin};
use crate::error::CliError;
use crate::exit::Exit;
use crate::prepare::open_sandbox;
use crate::style::{BOLD, DIM};
use crate::{files, output, plugin_problem, runtime};

/// Show what a plugin is: its documentation, the JSON Schema of `with`, capabilities and outputs
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A built-in plugin, as `image` or `builtin:image`; or a component's file
    #[arg(value_name = "NAME|FILE")]
    plugin: String,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// Does it.
pub(crate) fn run(args: &Inspect) -> Result<Exit, CliError> {
    let (source, component, size) = find(&args.plugin)?;
    let sandbox = open_sandbox(1)?;
    let loaded = runtime::small()?.block_on(sandbox.load(component));
    let plugin = loaded.map_err(plugin_problem::refused)?;
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

/// The component, how a pipeline would name it, and how many bytes it has.
fn find(name: &str) -> Result<(String, Component, usize), CliError> {
    let builtin = name.strip_prefix("builtin:");
    if let Some(found) = Builtin::find(builtin.unwrap_or(name)) {
        return Ok((format!("builtin:{}", found.name), found.component(), found.size));
    }
    let looks_like_a_file = name.contains(['/', '.']) || Path::new(name).exists();
    if builtin.is_some() || !looks_like_a_file {
        let help = plugin_problem::similar(builtin.unwrap_or(name));
        return Err(CliError::Plugin {
            message: format!("there is no built-in plugin `{}`", builtin.unwrap_or(name)),
            help: Some(help),
        });
    }
    let bytes = files::read_plugin(Path::new(name)).map_err(|why| {
        let names: Vec<&str> = BUILTINS.iter().map(|builtin| builtin.name).collect();
        CliError::Plugin {
            message: format!("plugin `{name}` cannot be read: {why}"),
            help: Some(format!("name a component's file, or one of the built-in plugins: {}", names.join(", "))),
        }
    })?;
    let size = bytes.len();
    Ok((name.to_owned(), Component::from_bytes(name, bytes), size))
}

fn human(source: &str, plugin: &Plugin, size: usize) -> String {
    let Description { name, version, documentation, with_schema, capabilities, outputs } = &**plugin.description();
    let mut text = String::new();
    let _ = writeln!(text, "{BOLD}{name}{BOLD:#} {version}");
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
    let schema = serde_json::to_string_pretty(with_schema).unwrap_or_default();
    let _ = writeln!(text, "\n{BOLD}JSON Schema of `with`{BOLD:#}\n{schema}");
    text
}
