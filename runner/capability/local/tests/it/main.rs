//! Host processes, artifacts and waiting through a real gate.

mod artifacts;
mod process;
mod timer;
mod tree;
mod triad;
mod witness;
