//! Stands in for the capabilities that probe and wait: answers by a script, in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use windlass_capability_health::Health;
use windlass_capability_testing::World;
use windlass_gate::{Call, CallError, Capability};

/// The answers to all calls but those of the timer, and all calls that were made.
#[derive(Clone, Default)]
pub(crate) struct Script {
    answers: Arc<Mutex<VecDeque<Result<Json, CallError>>>>,
    made: Arc<Mutex<Vec<(String, Json)>>>,
}

struct Actor {
    name: &'static str,
    script: Script,
}

impl Script {
    pub(crate) fn of(answers: impl IntoIterator<Item = Result<Json, CallError>>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() }
    }

    /// Attempts that see these, in order.
    pub(crate) fn seeing(attempts: &[bool]) -> Self {
        Self::of(attempts.iter().map(|healthy| Ok(seen(*healthy))))
    }

    pub(crate) fn world(&self) -> World {
        World::new(|gate| {
            ["http", "docker", "timer"]
                .into_iter()
                .fold(gate.with(Health), |gate, name| gate.with(Actor { name, script: self.clone() }))
        })
    }

    /// The calls that were made, with their arguments.
    pub(crate) fn made(&self) -> Vec<(String, Json)> {
        self.made.lock().expect("not poisoned").clone()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.made().into_iter().map(|(name, _)| name).collect()
    }

    /// Whether every answer was asked for.
    pub(crate) fn is_over(&self) -> bool {
        self.answers.lock().expect("not poisoned").is_empty()
    }
}

#[async_trait]
impl Capability for Actor {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        let name = call.function.name().to_owned();
        let args = serde_json::from_str(&call.args).expect("JSON");
        self.script.made.lock().expect("not poisoned").push((name, args));
        if self.name == "timer" {
            return Ok(Json::Null);
        }
        self.script.answers.lock().expect("not poisoned").pop_front().expect("the script has an answer")
    }
}

/// What a probe of http answers.
pub(crate) fn seen(healthy: bool) -> Json {
    json!({ "healthy": healthy, "what": if healthy { "HTTP 200" } else { "HTTP 503" } })
}

/// What a probe of docker answers.
pub(crate) fn container_seen(healthy: bool, running: bool, what: &str) -> Json {
    json!({ "healthy": healthy, "running": running, "what": what })
}

/// Where docker says that a container is.
pub(crate) fn located(address: &str) -> Json {
    json!({ "address": address, "running": !address.is_empty(), "state": if address.is_empty() { "exited with code 1\npanic: no database" } else { "running" } })
}
