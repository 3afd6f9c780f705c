//! What the step takes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_plugin::Value;
use windlass_plugin::docker::Lifetime;
use windlass_plugin::with::Duration;

use crate::table::{NetworkTable, ServiceTable};

/// What the step takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend(
    "if" = { "anyOf": [{ "required": ["compose"] }, { "required": ["compose-text"] }] },
    "then" = { "properties": { "services": false, "networks": false } },
    "else" = {
        "required": ["services"],
        "properties": { "services": { "description": "or `compose`, or `compose-text`: where the services are written" } }
    },
    "dependentSchemas" = { "compose": { "properties": { "compose-text": false } } },
))]
pub(crate) struct With {
    /// What to do.
    #[serde(default)]
    pub(crate) action: Action,
    /// The stack's name, by which the step tells its own services from others of the pipeline; `"stack"` if left out.
    #[schemars(regex(pattern = "^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"))]
    pub(crate) name: Option<String>,
    /// The services by their names; or the step reads them from `compose` or `compose-text`.
    /// A name is that of the container in this pipeline, too, by which other steps find it.
    pub(crate) services: Option<BTreeMap<String, ServiceTable>>,
    /// With `services`: what is particular about a network. One that a service joins is made anyway.
    #[serde(default)]
    pub(crate) networks: BTreeMap<String, NetworkTable>,
    /// A compose file to read the services from. Needs a grant in `files.read` for a folder that has it. Its binds are
    /// relative to its own folder.
    pub(crate) compose: Option<String>,
    /// A compose file as text. Its binds are relative to the pipeline's folder.
    pub(crate) compose_text: Option<String>,
    /// With a compose file: what `${NAME}` in it stands for: text, or `{ secret = "name" }` for the whole value of an
    /// environment variable.
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, Value>,
    /// With a compose file: whether to pull images that the daemon does not have. Needs grants in `docker.pull`.
    #[serde(default)]
    pub(crate) pull: bool,
    /// Whether the services stay after the run, with their networks and volumes. Otherwise they go when the run ends.
    #[serde(default)]
    pub(crate) keep: bool,
    /// What becomes of services that run already, from an earlier run with `keep` say. To replace one needs a grant in
    /// `docker.containers`.
    #[serde(default)]
    pub(crate) recreate: Recreate,
    /// Whether services of this stack that are no longer in it are removed. Needs grants in `docker.containers`. They
    /// are told of otherwise.
    #[serde(default)]
    pub(crate) remove_orphans: bool,
    /// With `action = "down"`: whether the volumes go, too, with everything in them. Needs grants in `docker.volumes`.
    #[serde(default)]
    pub(crate) remove_volumes: bool,
    /// How long a service may take to get healthy by Docker's own check; `"5m"` if left out.
    pub(crate) health_timeout: Option<Duration>,
    /// How long a service gets to end by itself when it is stopped; `"10s"` if left out.
    pub(crate) grace: Option<Duration>,
}

impl With {
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("stack")
    }

    pub(crate) fn lifetime(&self) -> Lifetime {
        if self.keep { Lifetime::Kept } else { Lifetime::Run }
    }

    pub(crate) fn grace_ms(&self) -> u64 {
        self.grace.map_or(10_000, Duration::millis)
    }

    pub(crate) fn health_timeout_ms(&self) -> u64 {
        self.health_timeout.map_or(300_000, Duration::millis)
    }
}

/// What to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    /// Starts the services and waits until all are healthy. On a failure it removes those that it started.
    #[default]
    Up,
    /// Stops the services and removes their containers and networks. What is not there is fine.
    Down,
}

/// What becomes of services that run already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Recreate {
    /// One whose image and settings are the same is left alone, another one is replaced.
    #[default]
    Changed,
    /// All are replaced.
    Always,
    /// All that run are left alone.
    Never,
}
