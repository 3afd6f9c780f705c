//! Waiting.

use serde::{Deserialize, Serialize};

use super::{Nothing, operation};

/// Waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sleep {
    /// For how many milliseconds.
    pub milliseconds: u64,
}

operation! { Sleep => TimerSleep -> Nothing; }
