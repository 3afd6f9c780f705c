//! What is to be deployed, once `with` is checked: one service, or one for each ring.

use windlass_plugin::docker::ContainerSpec;
use windlass_plugin_parts::Mount;

use crate::serving::Serving;
use crate::with::{Analysis, Pause, Preview, Rolling, SmokeTest};

/// One service, one revision of it, and how it takes over.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// The service's name in the router.
    pub(crate) service: String,
    /// The new revision.
    pub(crate) revision: String,
    /// The strategy, as the record calls it.
    pub(crate) strategy: &'static str,
    /// How it takes over.
    pub(crate) way: Way,
    /// How many containers there are in the end.
    pub(crate) replicas: u32,
    /// A container, without its name and its own labels.
    pub(crate) spec: ContainerSpec,
    /// Whether to pull the image if it is not there.
    pub(crate) pull: bool,
    /// The volumes to be made.
    pub(crate) mounts: Vec<Mount>,
    /// How it is served.
    pub(crate) serving: Serving,
    /// The address at which only the new revision answers.
    pub(crate) preview: Option<Preview>,
    /// Made to each new container before it gets traffic.
    pub(crate) smoke_before: Vec<SmokeTest>,
    /// Made after the switch.
    pub(crate) smoke_after: Vec<SmokeTest>,
    /// For how long requests wait during the switch at most; 0: not at all.
    pub(crate) hold_ms: u64,
    /// How long it serves everything before it is committed.
    pub(crate) bake_ms: u64,
    /// How long the new containers may take in all.
    pub(crate) progress_ms: u64,
    /// What judges it.
    pub(crate) analysis: Option<Analysis>,
    /// How it ends.
    pub(crate) end: End,
}

/// How old revisions and containers go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// How long what is under way may take to finish.
    pub(crate) drain_ms: u64,
    /// How long a container gets to end by itself.
    pub(crate) grace_ms: u64,
    /// How many old revisions are kept.
    pub(crate) keep: usize,
}

/// How a revision takes over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Way {
    /// The previous one goes first.
    Recreate,
    /// Container by container.
    Rolling(Rolling),
    /// At once.
    BlueGreen,
    /// More and more.
    Canary(Vec<Stage>),
}

/// A step of a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// The new revision's weight, in hundredths of a percent.
    pub(crate) weight: u32,
    /// How many of its containers run.
    pub(crate) replicas: u32,
    /// How long.
    pub(crate) pause: Option<Pause>,
}
