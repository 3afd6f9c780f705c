//! A plugin that is named on the command line: built in, a component's file, or one of a registry.

use std::path::Path;

use windlass_pipeline::PluginSource;
use windlass_sandbox::{Component, Plugin, Sandbox};

use crate::builtins::{BUILTINS, Builtin};
use crate::error::CliError;
use crate::sources::{Known, Missing, Sources};
use crate::{files, plugin_problem, runtime};

/// A plugin that was found.
pub(crate) struct Named {
    /// As a pipeline would name it.
    pub(crate) source: String,
    /// For the sandbox.
    pub(crate) component: Component,
    /// How many bytes it has.
    pub(crate) size: usize,
}

impl Named {
    /// The plugin of this name, as `image` or `builtin:image`, of this file, or of `oci:REFERENCE`.
    pub(crate) fn find(name: &str) -> Result<Self, CliError> {
        if let Some(reference) = name.strip_prefix("oci:") {
            return Self::pulled(reference);
        }
        let builtin = name.strip_prefix("builtin:");
        if let Some(found) = Builtin::find(builtin.unwrap_or(name)) {
            let source = format!("builtin:{}", found.name);
            return Ok(Self { source, component: found.component(), size: found.size });
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
        Ok(Self::bytes(name, bytes))
    }

    /// What a tag of a registry points to now.
    fn pulled(reference: &str) -> Result<Self, CliError> {
        let (sources, known) = (Sources::default(), Known::default());
        let source = PluginSource::Oci(reference.to_owned());
        let found = runtime::small()?.block_on(sources.find(&source, Path::new("."), &known, None));
        let component = found.map_err(Missing::into_error)?.component;
        let size = sources.registry()?.read(&component.digest)?.len();
        Ok(Self { source: source.to_string(), component, size })
    }

    /// A component whose bytes are at hand.
    pub(crate) fn bytes(name: &str, bytes: Vec<u8>) -> Self {
        Self { source: name.to_owned(), size: bytes.len(), component: Component::from_bytes(name, bytes) }
    }

    /// Loads it.
    pub(crate) async fn load(self, sandbox: &Sandbox) -> Result<Plugin, CliError> {
        sandbox.load(self.component).await.map_err(plugin_problem::refused)
    }
}
