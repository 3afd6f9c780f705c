//! Files that a step wrote, and that become visible when it has succeeded.

use serde::{Deserialize, Serialize};

use super::{Nothing, operation};

/// Moves what a step wrote to the granted folder. Host only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// The staging folder that has it; absolute.
    pub staging: String,
    /// The granted folder, as the grant names it.
    pub folder: String,
}

operation! { Publish => FilesPublish -> Nothing; }
