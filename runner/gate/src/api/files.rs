//! Files that a step wrote, and that become visible when it has succeeded.

use serde::{Deserialize, Serialize};

use super::{Nothing, operation};

/// Moves what a step wrote to the granted folder. Host only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// The name of the staging folder that has it, among those of the run. No path: the call is the same wherever the
    /// state folder is.
    pub staging: String,
    /// The granted folder, as the grant names it.
    pub folder: String,
    /// `sha256:...` of what is staged: a step that writes something else when it runs again makes another call.
    pub digest: String,
}

operation! { Publish => FilesPublish -> Nothing; }
