//! Why a plugin cannot be used, in words for the person who chose it.

use std::path::PathBuf;

/// Why a plugin cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The bytes are not WebAssembly.
    #[error("plugin `{plugin}` is not WebAssembly: it begins with {found}")]
    NotWasm {
        /// The plugin, as `pipeline.toml` names it.
        plugin: String,
        /// Its first bytes.
        found: String,
    },
    /// A core module, where a component is needed.
    #[error(
        "plugin `{plugin}` is a core module, not a component; build it for wasm32-wasip2, or turn it into a component with `wasm-tools component new`"
    )]
    CoreModule {
        /// The plugin.
        plugin: String,
    },
    /// A component that is no plugin.
    #[error(
        "plugin `{plugin}` is a component of another world: it exports {exports}, and a plugin exports `windlass:step/step@0.1`; build it against the world `windlass:plugin/plugin`"
    )]
    OtherWorld {
        /// The plugin.
        plugin: String,
        /// What it exports instead.
        exports: String,
    },
    /// It exports a newer or older `step`.
    #[error("plugin `{plugin}` exports `{found}`, and this Windlass runs `windlass:step/step@0.1`; {advice}")]
    OtherStep {
        /// The plugin.
        plugin: String,
        /// What it exports.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// It imports what the host does not have.
    #[error("plugin `{plugin}` needs what this Windlass does not have:\n{}", .imports.join("\n"))]
    Imports {
        /// The plugin.
        plugin: String,
        /// Each missing import in words.
        imports: Vec<String>,
    },
    /// It is too large to be compiled.
    #[error("plugin `{plugin}` has {size} bytes, and at most {limit} are compiled")]
    TooLarge {
        /// The plugin.
        plugin: String,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// It is damaged, or uses features that plugins do not have.
    #[error("plugin `{plugin}` cannot be compiled: {reason}")]
    Compile {
        /// The plugin.
        plugin: String,
        /// Why.
        reason: String,
    },
    /// `describe` failed.
    #[error("plugin `{plugin}` does not say what it is: {reason}")]
    Describe {
        /// The plugin.
        plugin: String,
        /// Why.
        reason: String,
    },
    /// The bytes could not be had.
    #[error("plugin `{plugin}` cannot be read: {reason}")]
    Unreadable {
        /// The plugin.
        plugin: String,
        /// Why.
        reason: String,
    },
    /// The engine could not be set up.
    #[error("the WebAssembly engine cannot be set up: {reason}")]
    Engine {
        /// Why.
        reason: String,
    },
    /// The cache folder does not belong to the user, so code in it cannot be trusted.
    #[error("the cache folder {} cannot be used: {reason}", .path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}
