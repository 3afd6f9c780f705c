//! What a deployment is: a service that one run has reserved, from its beginning to its end.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a run begins with [`Change::Begin`](super::Change::Begin).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// What becomes the current revision, if all goes well.
    pub revision: String,
    /// In which way, in the strategy's own words.
    #[serde(default)]
    pub strategy: String,
    /// The service may stand still meanwhile.
    #[serde(default)]
    pub downtime: bool,
    /// What the strategy wants to find again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
    /// When it began, by the caller's clock: milliseconds since 1970.
    #[serde(default)]
    pub begun_ms: u64,
}

/// A deployment that has begun and is not finished. Only its holder changes the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The run that reserved the service.
    pub holder: String,
    /// What it deploys.
    pub revision: String,
    /// In which way.
    #[serde(default)]
    pub strategy: String,
    /// What was current when it began; an abort goes back to it.
    #[serde(default)]
    pub previous: Option<String>,
    /// The revision is current now: there is no abort any more, only another deployment.
    #[serde(default)]
    pub committed: bool,
    /// When it began: milliseconds since 1970.
    #[serde(default)]
    pub begun_ms: u64,
    /// The service may stand still meanwhile.
    #[serde(default)]
    pub downtime: bool,
    /// What the strategy wants to find again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl Deployment {
    pub(crate) fn new(holder: &str, intent: &Intent, previous: Option<String>) -> Self {
        Self {
            holder: holder.to_owned(),
            revision: intent.revision.clone(),
            strategy: intent.strategy.clone(),
            previous,
            committed: false,
            begun_ms: intent.begun_ms,
            downtime: intent.downtime,
            details: intent.details.clone(),
        }
    }
}
