//! Why a plugin cannot be used, in words for the person who chose it.

use std::path::PathBuf;

use crate::adapt::AdaptError;
use crate::identity::Identity;

/// Why a plugin cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The bytes are not WebAssembly.
    #[error("{plugin} is not WebAssembly: it begins with {found}")]
    NotWasm {
        /// The plugin.
        plugin: Identity,
        /// Its first bytes.
        found: String,
    },
    /// A core module that is no program, where a component is needed.
    #[error(
        "{plugin} is a core module, not a component; build it for wasm32-wasip2, or turn it into a component with `wasm-tools component new`"
    )]
    CoreModule {
        /// The plugin.
        plugin: Identity,
    },
    /// A core module that looks like a program for `wasm32-wasip1` and is none.
    #[error("{plugin} is a core module with `_start`, but no program for wasm32-wasip1: {error}")]
    Adapt {
        /// The plugin.
        plugin: Identity,
        /// Why.
        error: AdaptError,
    },
    /// A component that is no plugin.
    #[error(
        "{plugin} is a component of another world: it exports {exports}, and a plugin exports `windlass:step/step@0.1`, a program `wasi:cli/run@0.2`; build it against the world `windlass:plugin/plugin`, or as a program for wasm32-wasip2"
    )]
    OtherWorld {
        /// The plugin.
        plugin: Identity,
        /// What it exports instead.
        exports: String,
    },
    /// It exports a newer or older `step`, or a program of another WASI.
    #[error("{plugin} exports `{found}`, and this Windlass runs `{runs}`; {advice}")]
    OtherVersion {
        /// The plugin.
        plugin: Identity,
        /// What it exports.
        found: String,
        /// What it should export.
        runs: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// It imports what the host does not have.
    #[error("{plugin} needs what this Windlass does not have:\n{}", .imports.join("\n"))]
    Imports {
        /// The plugin.
        plugin: Identity,
        /// Each missing import in words.
        imports: Vec<String>,
    },
    /// It is too large to be compiled.
    #[error("{plugin} has {size} bytes, and at most {limit} are compiled")]
    TooLarge {
        /// The plugin.
        plugin: Identity,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// It is damaged, or uses features that plugins do not have.
    #[error("{plugin} cannot be compiled: {reason}")]
    Compile {
        /// The plugin.
        plugin: Identity,
        /// Why.
        reason: String,
    },
    /// It does not start.
    #[error("{plugin} does not start: {reason}")]
    Start {
        /// The plugin.
        plugin: Identity,
        /// Why.
        reason: String,
    },
    /// `describe` failed.
    #[error("{plugin} does not say what it is: {reason}")]
    Describe {
        /// The plugin.
        plugin: Identity,
        /// Why.
        reason: String,
    },
    /// `check` failed.
    #[error("{plugin} does not say what it thinks of a step: {reason}")]
    Check {
        /// The plugin.
        plugin: Identity,
        /// Why.
        reason: String,
    },
    /// The bytes could not be had.
    #[error("{plugin} cannot be read: {reason}")]
    Unreadable {
        /// The plugin.
        plugin: Identity,
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
