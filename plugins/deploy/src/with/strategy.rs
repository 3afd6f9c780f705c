//! The strategies and what each needs to know.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_analysis::Metric;
use windlass_plugin::Value;
use windlass_plugin::with::Duration;

use super::{Pause, Route};

/// How the new revision takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Strategy {
    /// The previous revision goes before the new one comes: for what cannot run twice. Nothing serves meanwhile, which
    /// needs a grant in `traffic.downtime`.
    Recreate,
    /// Container by container.
    Rolling,
    /// The new revision comes up beside the previous one, and then gets all of the traffic at once.
    BlueGreen,
    /// The new revision gets more and more of the traffic.
    Canary,
    /// Blue-green for one ring after the other.
    Ring,
}

impl Strategy {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Recreate => "recreate",
            Self::Rolling => "rolling",
            Self::BlueGreen => "blue-green",
            Self::Canary => "canary",
            Self::Ring => "ring",
        }
    }
}

/// How many containers at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Rolling {
    /// How many containers there may be beyond `replicas`; 1 if left out.
    #[schemars(range(max = 1000))]
    pub(crate) max_surge: u32,
    /// How many of `replicas` may be missing; 0 if left out. The others are then taken to carry all of the traffic.
    #[schemars(range(max = 1000))]
    pub(crate) max_unavailable: u32,
}

impl Default for Rolling {
    fn default() -> Self {
        Self { max_surge: 1, max_unavailable: 0 }
    }
}

/// The steps of a canary.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Canary {
    /// The steps, with rising weights. After the last one the new revision gets all of the traffic.
    #[schemars(length(min = 1))]
    pub(crate) steps: Vec<Step>,
}

/// A step of a canary.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Step {
    /// How much of the traffic the new revision gets, in percent, with two decimals at most.
    #[schemars(range(min = 0.01, max = 100.0))]
    pub(crate) weight: f64,
    /// How many of its containers run by then; as many as that weight needs if left out.
    #[schemars(range(min = 1))]
    pub(crate) replicas: Option<u32>,
    /// How long it stays so: a time, or `"until-approved"`.
    pub(crate) pause: Option<Pause>,
}

/// A part of the world that gets the new revision at one time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Ring {
    /// Its name, as `inner`.
    #[schemars(regex(pattern = "^[a-zA-Z0-9][a-zA-Z0-9_-]*$"), length(max = 63))]
    pub(crate) name: String,
    /// Its service in the router; the step's service and the ring's name if left out, as `storefront-inner`.
    #[schemars(regex(pattern = "^[a-zA-Z0-9][a-zA-Z0-9_-]*$"), length(max = 63))]
    pub(crate) service: Option<String>,
    /// Which requests are its own.
    #[schemars(length(min = 1))]
    pub(crate) routes: Vec<Route>,
    /// How many containers; the step's if left out.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) replicas: Option<u32>,
    /// How long it serves before the next ring gets its turn; `"10m"` if left out.
    pub(crate) bake: Option<Duration>,
    /// Environment variables beside the step's, which they replace.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, Value>,
}

/// What judges the new revision.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Analysis {
    /// The metrics. In queries, `{{service}}` and `{{revision}}` stand for their names; where a condition looks at the
    /// baseline, the query is also asked with the previous revision.
    #[schemars(length(min = 1))]
    pub(crate) metrics: Vec<Metric>,
    /// The Prometheus that answers the queries, as `http://127.0.0.1:9090`. Needs a grant in `query`.
    #[schemars(regex(pattern = "^https?://"))]
    pub(crate) prometheus: Option<String>,
}
