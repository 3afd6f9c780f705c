//! Plan to run: order, concurrency, timeouts, cancel, clean-up.
//!
//! The engine decides what runs when. It does nothing to the world itself: steps act through their
//! sessions, and what the engine has to do (publish, clean up) passes the gate as the host's call.

mod approval;
mod before;
mod cleanup;
mod deploys;
mod folders;
pub mod inputs;
mod outputs;
mod replay;
mod run;
mod sight;
mod stages;
mod step;

pub use replay::{Difference, Replayed};
pub use run::{Cancel, Ended, Origin, Run, RunOptions};
