//! Containers, networks and volumes, as plugins ask for them.

use serde::{Deserialize, Serialize};

use super::super::{NamedValue, Pair};
use super::super::{choice, record};
use super::{ContainerSpec, Lifetime, Protocol};

record! {
    /// A published port.
    Published {
        /// The port inside the container.
        container: u16,
        /// The protocol.
        protocol: Protocol,
        /// The host's address.
        address: String,
        /// The port on the host.
        host: u16,
    }
    /// What is known of a container.
    Container {
        /// Its name in the pipeline; empty for a run to completion.
        name: String,
        /// Docker's id.
        id: String,
        /// The image it was made from, as it was asked for.
        image: String,
        /// That image's id.
        image_id: String,
        /// Whether it runs.
        state: ContainerState,
        /// What Docker's own health check says.
        health: HealthState,
        /// Its exit code, once it has ended.
        exit_code: Option<i64>,
        /// Whether it was ended because it took too much memory.
        oom_killed: bool,
        /// Published ports.
        ports: Vec<Published>,
        /// Its addresses, by network.
        addresses: Vec<Pair>,
        /// Its labels, without those of Windlass.
        labels: Vec<Pair>,
        /// The run that made it.
        run: String,
        /// When it was started, by RFC 3339; empty if never.
        started: String,
    }
    /// Runs a container to its end and removes it: create, start, wait, remove.
    Run {
        /// The container.
        spec: ContainerSpec,
        /// After how many milliseconds to give up.
        timeout_ms: Option<u64>,
    }
    /// Makes and starts a container that goes on: create, start, inspect.
    Start {
        /// Its name in the pipeline.
        name: String,
        /// The container.
        spec: ContainerSpec,
        /// How long it stays.
        lifetime: Lifetime,
    }
    /// How a run to completion or an exec ended.
    Exit {
        /// The exit code.
        code: i64,
        /// Whether it was ended because it took too much memory.
        oom_killed: bool,
        /// The last bytes of standard output as text.
        stdout_tail: String,
        /// The last bytes of standard error as text.
        stderr_tail: String,
    }
    /// Runs a command in a container: exec-create, exec-start.
    Exec {
        /// What to run.
        spec: ExecSpec,
    }
    /// A command for a running container.
    ExecSpec {
        /// The container's name in the pipeline.
        container: String,
        /// The command.
        command: Vec<String>,
        /// Environment variables, beside the container's.
        env: Vec<NamedValue>,
        /// The user.
        user: Option<String>,
        /// The working directory.
        working_directory: Option<String>,
        /// After how many milliseconds to stop waiting.
        timeout_ms: Option<u64>,
    }
    /// Asks what is known of a container.
    Inspect {
        /// The container's name in the pipeline.
        container: String,
    }
    /// Asks for the containers of this pipeline.
    List {}
    /// Asks for a container's log.
    Logs {
        /// Which lines.
        query: LogQuery,
    }
    /// Which lines of a container's log.
    LogQuery {
        /// The container's name in the pipeline.
        container: String,
        /// How many lines from the end.
        tail: Option<u32>,
        /// Only what came after, in seconds since the Unix epoch.
        since: Option<u64>,
        /// For how many milliseconds to follow what comes.
        follow_ms: u64,
    }
    /// Output without an end.
    Output {
        /// The last bytes of standard output as text.
        stdout_tail: String,
        /// The last bytes of standard error as text.
        stderr_tail: String,
    }
    /// Asks what a container uses.
    Stats {
        /// The container's name in the pipeline.
        container: String,
    }
    /// What a container uses at the moment.
    Usage {
        /// Processor time since its start, in microseconds.
        cpu_time_us: u64,
        /// Memory in bytes.
        memory: u64,
        /// Its memory limit in bytes.
        memory_limit: u64,
        /// Bytes received over networks.
        received: u64,
        /// Bytes sent over networks.
        sent: u64,
        /// Processes and threads.
        processes: u64,
    }
    /// Waits until Docker's own health check says healthy.
    WaitHealthy {
        /// The container's name in the pipeline.
        container: String,
        /// After how many milliseconds to give up.
        timeout_ms: u64,
    }
    /// Starts a container that has ended.
    StartAgain {
        /// The container's name in the pipeline.
        container: String,
    }
    /// Stops a container.
    Stop {
        /// The container's name in the pipeline.
        container: String,
        /// Time between SIGTERM and SIGKILL in milliseconds.
        grace_ms: u64,
    }
    /// Removes a container.
    Remove {
        /// The container's name in the pipeline.
        container: String,
        /// Whether to remove one that runs.
        force: bool,
    }
    /// Makes a network.
    CreateNetwork {
        /// Its name in the pipeline.
        name: String,
        /// Whether it has no way to the outside.
        internal: bool,
        /// How long it stays.
        lifetime: Lifetime,
    }
    /// Removes a network.
    RemoveNetwork {
        /// Its name in the pipeline.
        name: String,
    }
    /// Makes a volume.
    CreateVolume {
        /// Its name in the pipeline.
        name: String,
        /// How long it stays.
        lifetime: Lifetime,
    }
    /// Removes a volume.
    RemoveVolume {
        /// Its name in the pipeline.
        name: String,
    }
}

choice! {
    /// Whether a container runs.
    ContainerState {
        /// Made, never started.
        Created,
        /// It runs.
        Running,
        /// Docker is starting it again.
        Restarting,
        /// It is paused.
        Paused,
        /// It has ended.
        Exited,
        /// Docker failed to remove it.
        Dead,
    }
    /// What Docker's own health check says.
    HealthState {
        /// There is no check.
        None,
        /// Too early to say.
        Starting,
        /// Healthy.
        Healthy,
        /// Not healthy.
        Unhealthy,
    }
}
