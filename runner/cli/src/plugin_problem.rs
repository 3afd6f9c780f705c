//! Plugins that cannot be used, told at their places in the pipeline.

use windlass_pipeline::diagnostic::codes;
use windlass_pipeline::grants::vocabulary::capabilities;
use windlass_pipeline::{Diagnostics, Location, Pipeline, PluginSource, Source};
use windlass_sandbox::{Plugin, SandboxError};

use crate::builtins::BUILTINS;
use crate::error::CliError;

/// Why a plugin could not be loaded.
pub(crate) struct Problem {
    /// Which plugin.
    pub(crate) source: PluginSource,
    /// Where the pipeline names it.
    pub(crate) location: Location,
    /// What is wrong, in one line.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
}

/// Puts the reasons into what planning found. The planner knows only that a plugin is not there.
pub(crate) fn explain(
    mut found: Diagnostics,
    problems: Vec<Problem>,
    pipeline: &Pipeline,
    source: &Source,
) -> Vec<Diagnostics> {
    let mut rest = Vec::new();
    for Problem { source: plugin, location, message, help } in problems {
        let place = found.diagnostics.iter_mut().find(|one| {
            one.code == codes::UNKNOWN_PLUGIN && (one.line, one.column) == (location.line, location.column)
        });
        match place {
            Some(one) => {
                one.message = message;
                one.help = help;
                if !matches!(plugin, PluginSource::Builtin(_)) {
                    one.code = codes::BAD_PLUGIN;
                }
            }
            // It is among those that were left out for their number.
            None => rest.push(pipeline.plugin_problem(source, &plugin, message)),
        }
    }
    rest.insert(0, found);
    rest
}

/// What is wrong with a plugin in one line, and what to do about it.
pub(crate) fn words(error: &SandboxError) -> (String, Option<String>) {
    let text = error.to_string();
    let cut = match error {
        SandboxError::CoreModule { .. } | SandboxError::OtherWorld { .. } | SandboxError::OtherVersion { .. } => "; ",
        SandboxError::Imports { .. } => ":\n",
        SandboxError::NotWasm { .. } => {
            let help = "name a WebAssembly component, as `cargo build --target wasm32-wasip2` makes it";
            return (text, Some(help.to_owned()));
        }
        _ => "\n",
    };
    match text.split_once(cut) {
        Some((message, help)) => {
            let help: Vec<&str> = help.lines().map(str::trim).collect();
            (message.to_owned(), Some(help.join("\n")))
        }
        None => (text, None),
    }
}

/// For a plugin that a person named on the command line.
pub(crate) fn refused(error: SandboxError) -> CliError {
    match error {
        SandboxError::Cache { .. } | SandboxError::Engine { .. } => CliError::Sandbox(error),
        error => {
            let (message, help) = words(&error);
            CliError::Plugin { message, help }
        }
    }
}

/// Whether this Windlass has the capabilities without which the plugin cannot work.
pub(crate) fn served(plugin: &Plugin) -> Result<(), CliError> {
    let description = plugin.description();
    let missing: Vec<&str> =
        description.unknown_capabilities().filter(|used| used.required).map(|used| &*used.capability).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let known: Vec<&str> = capabilities().collect();
    Err(CliError::Plugin {
        message: format!(
            "{} needs `{}`, which this version of Windlass does not have",
            plugin.identity(),
            missing.join("`, `")
        ),
        help: Some(format!("what a plugin can be granted: {}", known.join(", "))),
    })
}

/// For a name that no built-in plugin has.
pub(crate) fn similar(name: &str) -> String {
    let close = |known: &&str| strsim::damerau_levenshtein(name, known) <= name.len().max(known.len()) / 3;
    let names = BUILTINS.iter().map(|builtin| builtin.name);
    match names.clone().filter(close).min_by_key(|known| strsim::damerau_levenshtein(name, known)) {
        Some(near) => format!("did you mean `builtin:{near}`?"),
        None => format!("there are `builtin:{}`", names.collect::<Vec<_>>().join("`, `builtin:")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_built_in_plugin_is_named() {
        assert_eq!(similar("imgae"), "did you mean `builtin:image`?");
        assert_eq!(similar("http_check"), "did you mean `builtin:http-check`?");
        assert!(similar("teleport").starts_with("there are `builtin:command`, "));
    }
}
