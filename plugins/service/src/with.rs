//! What the step takes.

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_plugin::with::Duration;

windlass_plugin_parts::container_settings! {
    /// What the step takes.
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
        /// Whether it stays after the run, with its networks and volumes. Otherwise it goes when the run ends.
        #[serde(default)]
        pub(crate) keep: bool,
        /// Whether to stop and remove a container of this name first, one of an earlier run say. Needs a grant in
        /// `docker.containers`.
        #[serde(default)]
        pub(crate) replace: bool,
        /// How long it gets to end by itself when it is stopped; `"10s"` if left out.
        pub(crate) grace: Option<Duration>,
    }
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

#[cfg(test)]
mod tests {
    use windlass_plugin_parts::Restart;

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
