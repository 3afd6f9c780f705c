//! What a step may use up.

use serde::{Deserialize, Serialize};

/// Limits of one step. `None` is the engine's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Linear memory of the plugin, in bytes: `memory = "256MiB"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// WebAssembly instructions, roughly: `fuel = 1_000_000`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Calls to the host: `calls = 1000`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// Elements of tables: `table = 10_000`.
    #[serde(rename = "table", skip_serializing_if = "Option::is_none")]
    pub table_elements: Option<u64>,
    /// Log output that is kept, in bytes: `log = "8MiB"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<u64>,
    /// All published outputs together, in bytes: `outputs = "1MiB"`.
    #[serde(rename = "outputs", skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
}
