//! What the end-to-end tests share: a workspace in a temporary folder, the real binary, and a look
//! at the Docker Engine and the registry that does not go through Windlass.

#![allow(clippy::disallowed_methods, reason = "tests start processes and look at the world themselves")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(missing_docs, reason = "read with the tests that use it")]

mod engine;
mod guests;
mod registry;
mod router;
mod run;
mod signing;

pub use engine::Engine;
pub use guests::{guest, root};
pub use registry::{FakeRegistry, Lie, digest_of};
pub use router::Router;
pub use run::{Finished, Running, Workspace};
pub use signing::SigningKey;
