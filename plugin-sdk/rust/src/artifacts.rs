//! Bytes that a run keeps under a name, for later steps and for people.

pub use crate::bindings::windlass::artifacts::artifacts::*;
