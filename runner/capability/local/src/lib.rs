//! What needs no other machine: programs on the host, artifacts, waiting; and where secrets come from.
//!
//! Each of [`Process`], [`Artifacts`] and [`Timer`] is a capability of its own behind the gate.
//! A binary that offers [`Process`] calls [`keeper::take_over_if_asked`] first thing in `main`.

#![expect(
    clippy::disallowed_methods,
    reason = "this crate owns host processes with their keeper, the artifacts' folder, and the files of secrets"
)]

mod artifacts;
mod files;
pub mod keeper;
mod process;
mod secrets;
mod timer;

pub use artifacts::Artifacts;
pub use files::Files;
pub use process::Process;
pub use secrets::FileAndEnvSecrets;
pub use timer::Timer;

use windlass_gate::CallError;

fn to_json(answer: impl serde::Serialize) -> Result<serde_json::Value, CallError> {
    serde_json::to_value(answer)
        .map_err(|error| CallError::Other(format!("the answer cannot be written as JSON: {error}")))
}

fn unknown(capability: &str, function: windlass_gate::Function) -> CallError {
    CallError::Other(format!("the {capability} capability does not know {}", function.name()))
}
