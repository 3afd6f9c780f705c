//! The primitives that composites are journaled as, and what only the host calls.

use serde::{Deserialize, Serialize};

use super::super::{choice, record};
use super::{ContainerSpec, ExecSpec, Lifetime};

record! {
    /// Makes a container. Host only.
    Create {
        /// Its name in the pipeline; empty for a run to completion.
        name: String,
        /// The container.
        spec: ContainerSpec,
        /// How long it stays.
        lifetime: Lifetime,
    }
    /// A container that was made.
    Created {
        /// Docker's id.
        id: String,
    }
    /// Starts a container that was made. Host only.
    StartCreated {
        /// Docker's id.
        id: String,
    }
    /// Waits for a container's end; its output flows into the step's log. Host only.
    Wait {
        /// Docker's id.
        id: String,
        /// After how many milliseconds to give up.
        timeout_ms: Option<u64>,
    }
    /// Removes a container that was made, by Docker's id. Host only.
    RemoveCreated {
        /// Docker's id.
        id: String,
    }
    /// Makes an exec without starting it. Host only.
    ExecCreate {
        /// What to run.
        spec: ExecSpec,
    }
    /// Starts an exec and waits for its end. Host only.
    ExecStart {
        /// Docker's id of the exec.
        id: String,
        /// The container's name in the pipeline.
        container: String,
        /// After how many milliseconds to stop waiting.
        timeout_ms: Option<u64>,
    }
    /// Asks how to reach a container's port, for a health check. Host only.
    Locate {
        /// The container's name in the pipeline.
        container: String,
        /// The port inside it.
        port: u16,
    }
    /// How to reach a container's port, and whether the container runs at all.
    Located {
        /// Docker's id of the container.
        #[serde(default)]
        id: String,
        /// `host:port`; empty if it does not run.
        address: String,
        /// Whether it runs.
        running: bool,
        /// Its state in words, with the last lines of its log if it has ended.
        state: String,
    }
    /// One command for a health check. Host only.
    ProbeCommand {
        /// The container's name in the pipeline.
        container: String,
        /// The command.
        command: Vec<String>,
        /// Time limit in milliseconds.
        timeout_ms: u64,
    }
    /// One look at Docker's own health check. Host only.
    ProbeHealth {
        /// The container's name in the pipeline.
        container: String,
    }
    /// What one attempt of a health check in a container saw.
    ContainerSeen {
        /// Whether it counts as healthy.
        healthy: bool,
        /// Whether the container runs; one that has ended is never going to be healthy.
        running: bool,
        /// What was seen, in words.
        what: String,
    }
    /// Asks what the run made and is still there. Host only.
    Leftovers {
        /// Whether things that are meant to stay count as well.
        kept_too: bool,
        /// Only what a step's attempts before this one made, if one is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of_attempt: Option<AttemptsBefore>,
    }
    /// The attempts of a step before a certain one.
    AttemptsBefore {
        /// The step's place in the plan.
        step: u32,
        /// The attempt that is not among them.
        attempt: u32,
    }
    /// Something that a run made.
    Leftover {
        /// What it is.
        kind: LeftoverKind,
        /// Docker's id or name.
        id: String,
        /// Its name for people.
        name: String,
    }
    /// Removes something that the run made. Host only.
    Sweep {
        /// What to remove.
        leftover: Leftover,
    }
}

choice! {
    /// What a leftover is.
    LeftoverKind {
        /// A container.
        Container,
        /// A network.
        Network,
        /// A volume.
        Volume,
    }
}
