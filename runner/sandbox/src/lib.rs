//! wasmtime: load, compile cache, limits; binds WIT imports to the gate.
//!
//! A plugin runs in an instance of its own for each step, with a session of the gate as its only
//! way to the world. Whatever it does, the host and the other steps go on.

#![allow(
    clippy::disallowed_methods,
    reason = "the sandbox owns its cache folder, the clocks that plugins see, and the thread that ticks"
)]

pub mod adapt;
mod backtrace;
mod cache;
mod clocks;
mod contract;
mod engine;
mod error;
mod examine;
mod files;
mod host;
mod identity;
mod imports;
mod limits;
mod plugin;
mod poll;
mod random;
mod state;
mod stdio;

pub use engine::{Component, Sandbox, SandboxOptions};
pub use error::SandboxError;
pub use examine::{Examined, Import, Kind, examine};
pub use identity::Identity;
pub use limits::Limits;
pub use plugin::{Folder, Job, Objection, Outcome, Planned, Plugin, Ran};
