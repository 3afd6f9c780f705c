//! Host processes, artifacts and waiting through a real gate.

#![expect(clippy::disallowed_methods, reason = "these tests make files, and are the host of host processes")]

mod artifacts;
mod files;
mod process;
mod timer;
mod tree;
mod triad;
mod witness;
