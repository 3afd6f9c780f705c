//! Bytes that a run keeps under a name, for later steps and for people.

pub use crate::bindings::windlass::artifacts::artifacts::*;
use crate::host::host;

host! {
    "artifacts", crate::bindings::windlass::artifacts::artifacts =>
    /// Stores bytes under a name; a second call replaces the first.
    ///
    /// # Errors
    /// Why it was not done.
    fn put(name: &str, content: &[u8]) -> Result<Artifact, Error>;

    /// The bytes under a name.
    ///
    /// # Errors
    /// Why it was not done.
    fn get(name: &str) -> Result<Vec<u8>, Error>;

    /// What this run has stored so far, by name.
    ///
    /// # Errors
    /// Why it was not done.
    fn list() -> Result<Vec<Artifact>, Error>;
}
