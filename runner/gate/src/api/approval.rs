//! Waiting for a person to decide.

use serde::{Deserialize, Serialize};

use super::operation;

/// Waits for a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Wait {
    /// What is to be decided.
    pub message: String,
}

/// What a person has decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Decision {
    /// Whether it may go on.
    pub approved: bool,
    /// Who decided.
    pub by: String,
    /// Why, if that was said.
    pub reason: Option<String>,
}

operation! { Wait => ApprovalWait -> Decision; }
