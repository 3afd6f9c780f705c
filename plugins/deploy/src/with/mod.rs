//! What the step takes.

mod check;
mod container;
mod health;
mod needs;
mod pause;
mod rules;
mod serving;
mod strategy;

pub(crate) use check::{Checked, check};
pub(crate) use health::Health;
pub(crate) use needs::missing;
pub(crate) use pause::{Hold, Pause};
pub(crate) use serving::{Preview, Route, RouterCheck, Smoke, SmokeTest, Sticky};
pub(crate) use strategy::{Analysis, Canary, Ring, Rolling, Strategy};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_plugin::Value;
use windlass_plugin::with::{Duration, Size};
use windlass_plugin_parts::{Mount, Restart};

/// What the step takes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("allOf" = rules::rules()))]
pub(crate) struct With {
    /// What to do.
    #[serde(default)]
    pub(crate) action: Action,
    /// The service's name: how other steps, `windlass deployments` and grants call it.
    #[schemars(regex(pattern = "^[a-zA-Z0-9][a-zA-Z0-9_-]*$"), length(max = 63))]
    pub(crate) service: String,
    /// The image to run: a name, a pinned name or an id. Needs a grant in `docker.run`.
    pub(crate) image: Option<String>,
    /// What this version of the service is called. No other revision of it has the name; the run's id if left out.
    #[schemars(regex(pattern = "^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"), length(max = 63))]
    pub(crate) revision: Option<String>,
    /// With `action = "rollback"`: the revision to go back to; the one that served before if left out.
    #[schemars(regex(pattern = "^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"), length(max = 63))]
    pub(crate) to: Option<String>,
    /// Whether the deploy ends with this step. With `false` it stays open, with all of the traffic on the new revision:
    /// a later step of the run ends it with `action = "commit"`, and if the run fails before that, it is rolled back.
    #[serde(default = "yes")]
    pub(crate) commit: bool,
    /// How the new revision takes over.
    pub(crate) strategy: Option<Strategy>,
    /// How many containers of a revision serve all of the traffic.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) replicas: u32,
    /// The port inside the containers to which requests go. It need not be published.
    #[schemars(range(min = 1))]
    pub(crate) port: Option<u16>,
    /// When a container counts as healthy; if left out, as soon as `port` accepts a connection.
    pub(crate) health: Option<Health>,

    /// Whether to pull the image when the daemon does not have it. Needs a grant in `docker.pull`.
    #[serde(default)]
    pub(crate) pull: bool,
    /// Environment variables: text, or `{ secret = "name" }`.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, Value>,
    /// Replaces the image's command.
    pub(crate) command: Option<Vec<String>>,
    /// Replaces the image's entry point.
    pub(crate) entrypoint: Option<Vec<String>>,
    /// The user, as `1000:1000`; the image's own if left out.
    pub(crate) user: Option<String>,
    /// The working directory; the image's own if left out.
    pub(crate) working_directory: Option<String>,
    /// Volumes, folders and memory that the containers see. Two revisions share the volumes while both run.
    #[serde(default)]
    pub(crate) mounts: Vec<Mount>,
    /// Networks to join; made if they are not there. Needs grants in `docker.networks`.
    #[serde(default)]
    pub(crate) networks: Vec<String>,
    /// Most memory of a container; 1 GiB if left out.
    pub(crate) memory: Option<Size>,
    /// Most processors of a container, as `0.5`; 2 if left out.
    pub(crate) cpu: Option<f64>,
    /// Most processes and threads of a container; 1,024 if left out.
    pub(crate) processes: Option<u32>,
    /// Whether the root file system is read-only.
    #[serde(default)]
    pub(crate) read_only_root: bool,
    /// Labels, beside those of Windlass and of this plugin (`deploy.*`).
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    /// When Docker starts a container again by itself; `"unless-stopped"` if left out.
    pub(crate) restart: Option<Restart>,

    /// Which requests are the service's; all if left out.
    #[schemars(length(min = 1))]
    pub(crate) routes: Option<Vec<Route>>,
    /// Keeps a client with the revision that it saw first.
    pub(crate) sticky: Option<Sticky>,
    /// The header with which testers choose a revision by its name; nobody can if left out.
    #[schemars(regex(pattern = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"))]
    pub(crate) override_header: Option<String>,
    /// The router's own check of each container, for as long as it serves. If left out, the router takes one out only when
    /// requests to it fail.
    pub(crate) router_check: Option<RouterCheck>,
    /// How long requests that are under way may take to finish when a revision or a container is taken out; `"30s"` if
    /// left out. What is left then is cut.
    pub(crate) drain: Option<Duration>,
    /// How long a container gets to end by itself when it is stopped; `"10s"` if left out.
    pub(crate) grace: Option<Duration>,
    /// Lets new requests wait while the traffic is switched: `true` for 30 seconds at most, or a time up to `"60s"`.
    #[serde(default)]
    pub(crate) hold: Hold,
    /// How many revisions to keep, stopped, for a rollback; 1 if left out.
    #[schemars(range(max = 100))]
    pub(crate) keep_previous: Option<u32>,
    /// How long it may take in all until the new containers are up, pauses not counted; `"10m"` if left out.
    pub(crate) progress_deadline: Option<Duration>,
    /// Requests whose answers have to be right.
    #[serde(default)]
    pub(crate) smoke: Smoke,
    /// An address at which the new revision can be seen before it gets traffic.
    pub(crate) preview: Option<Preview>,
    /// How long the new revision serves everything before the deploy is committed; under `analysis`, if there is one.
    pub(crate) bake: Option<Duration>,

    /// With `strategy = "rolling"`: how many containers at a time.
    pub(crate) rolling: Option<Rolling>,
    /// With `strategy = "canary"`: the steps.
    pub(crate) canary: Option<Canary>,
    /// With `strategy = "ring"`: the rings, in their order. Each is a service of its own in the router.
    #[schemars(length(min = 1))]
    pub(crate) rings: Option<Vec<Ring>>,
    /// Judges the new revision while it serves, and rolls back when it is bad.
    pub(crate) analysis: Option<Analysis>,
}

/// What to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Action {
    /// Deploys a new revision.
    #[default]
    Deploy,
    /// Goes back to a revision that was kept, at once. What concerns strategies is passed over, so a step that deploys
    /// becomes one that rolls back by this key.
    Rollback,
    /// Ends a deploy that an earlier step of this run left open with `commit = false`.
    Commit,
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

impl With {
    pub(crate) fn drain_ms(&self) -> u64 {
        self.drain.map_or(30_000, Duration::millis)
    }

    pub(crate) fn grace_ms(&self) -> u64 {
        self.grace.map_or(10_000, Duration::millis)
    }

    pub(crate) fn kept(&self) -> usize {
        self.keep_previous.unwrap_or(1) as usize
    }
}
