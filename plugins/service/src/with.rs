//! What the step takes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_plugin::Value;
use windlass_plugin::with::{Duration, Size};
use windlass_plugin_parts::{Mount, PublishedPort};

use crate::health::Health;

/// What the step takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("if" = { "properties": { "action": { "const": "stop" } }, "required": ["action"] }, "else" = { "required": ["image"] }))]
pub(crate) struct With {
    /// What to do.
    #[serde(default)]
    pub(crate) action: Action,
    /// The service's name: that of its container in this pipeline, by which other steps find it.
    #[schemars(regex(pattern = "^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"))]
    pub(crate) name: String,
    /// The image to run: a name, a pinned name or an id. Needs a grant in `docker.run`.
    pub(crate) image: Option<String>,
    /// Whether to pull the image when the daemon does not have it. Needs a grant in `docker.pull`.
    #[serde(default)]
    pub(crate) pull: bool,
    /// Replaces the image's command.
    pub(crate) command: Option<Vec<String>>,
    /// Replaces the image's entry point.
    pub(crate) entrypoint: Option<Vec<String>>,
    /// Environment variables: text, or `{ secret = "name" }`.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, Value>,
    /// Ports to publish: `8080` on a free port of the host's loopback interface, `"80:8080"` on port 80 of it,
    /// `"0.0.0.0:80:8080"` on all interfaces; the last two need a grant in `docker.run.ports`.
    #[serde(default)]
    pub(crate) ports: Vec<PublishedPort>,
    /// Networks to join; made if they are not there. Needs grants in `docker.networks`.
    #[serde(default)]
    pub(crate) networks: Vec<String>,
    /// Names by which others on those networks reach it, beside `name`.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// Volumes, folders and memory that it sees.
    #[serde(default)]
    pub(crate) mounts: Vec<Mount>,
    /// Most memory; 1 GiB if left out.
    pub(crate) memory: Option<Size>,
    /// Most processors, as `0.5`; 2 if left out.
    pub(crate) cpu: Option<f64>,
    /// Most processes and threads; 1,024 if left out.
    pub(crate) processes: Option<u32>,
    /// Whether the root file system is read-only.
    #[serde(default)]
    pub(crate) read_only_root: bool,
    /// When Docker starts it again by itself.
    #[serde(default)]
    pub(crate) restart: Restart,
    /// The user, as `1000:1000`; the image's own if left out.
    pub(crate) user: Option<String>,
    /// The working directory; the image's own if left out.
    pub(crate) working_directory: Option<String>,
    /// Labels, beside those of Windlass.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// Whether it stays after the run, with its networks and volumes. Otherwise it goes when the run ends.
    #[serde(default)]
    pub(crate) keep: bool,
    /// Whether to stop and remove a container of this name first, one of an earlier run say. Needs a grant in
    /// `docker.containers`.
    #[serde(default)]
    pub(crate) replace: bool,
    /// When it counts as started. Without it, it does as soon as it runs and does not exit at once.
    pub(crate) health: Option<Health>,
    /// How long it gets to end by itself when it is stopped; `"10s"` if left out.
    pub(crate) grace: Option<Duration>,
}

impl With {
    pub(crate) fn grace_ms(&self) -> u64 {
        self.grace.map_or(10_000, Duration::millis)
    }
}

/// What to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    /// Starts the service and waits until it is healthy.
    #[default]
    Start,
    /// Stops the service and removes its container. One that is not there is fine.
    Stop,
}

/// When Docker starts a container again by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Restart {
    /// Never.
    #[default]
    No,
    /// When it fails.
    OnFailure,
    /// Until it is stopped.
    UnlessStopped,
    /// Always.
    Always,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_and_the_most() {
        let least: With = serde_json::from_str(r#"{"name":"web","image":"i"}"#).unwrap();
        assert_eq!((least.action, least.keep, least.grace_ms()), (Action::Start, false, 10_000));
        let most = r#"{
            "name": "web", "image": "i", "command": ["serve"], "env": { "A": "b", "T": { "secret": "t" } },
            "ports": [8080, "80:8081"], "networks": ["backend"], "aliases": ["www"], "pull": true, "replace": true,
            "mounts": [{ "volume": "data", "target": "/data" }], "memory": "64MiB", "cpu": 0.5, "processes": 64,
            "read-only-root": true, "restart": "on-failure", "user": "1000", "working-directory": "/srv",
            "labels": { "team": "web" }, "keep": true, "grace": "3s", "health": { "http": "/health", "port": 8080 }
        }"#;
        let most: With = serde_json::from_str(most).unwrap();
        assert_eq!((most.ports.len(), most.restart, most.grace_ms()), (2, Restart::OnFailure, 3_000));
    }
}
