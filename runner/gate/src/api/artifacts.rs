//! Bytes that a run keeps under a name.

use serde::{Deserialize, Serialize};

use super::{base64_bytes, operation};

/// Stores bytes under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    /// The name.
    pub name: String,
    /// The bytes.
    #[serde(with = "base64_bytes")]
    pub content: Vec<u8>,
}

/// Asks for the bytes under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Get {
    /// The name.
    pub name: String,
}

/// Asks what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {}

/// A stored artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// `sha256:` and the digest of its bytes.
    pub digest: String,
}

/// Bytes as an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Content(#[serde(with = "base64_bytes")] pub Vec<u8>);

operation! {
    Put => ArtifactsPut -> Artifact;
    Get => ArtifactsGet -> Content;
    List => ArtifactsList -> Vec<Artifact>;
}
