//! What a container is to be.

use serde::{Deserialize, Serialize};

use super::super::{NamedValue, Pair};
use super::super::{choice, record};

record! {
    /// A port to publish.
    Port {
        /// The port inside the container.
        container: u16,
        /// The port on the host; one that is free if absent.
        host: Option<u16>,
        /// The host's address; `127.0.0.1` if absent.
        address: Option<String>,
        /// The protocol.
        protocol: Protocol,
    }
    /// A mount.
    Mount {
        /// What is mounted.
        source: MountSource,
        /// Where in the container.
        target: String,
        /// Whether the container may write to it.
        writable: bool,
    }
    /// A health check that Docker makes by itself. Times are in milliseconds.
    Healthcheck {
        /// The command in the container.
        command: Vec<String>,
        /// Time between checks.
        interval_ms: u64,
        /// Time limit of a check.
        timeout_ms: u64,
        /// How many failures in a row make it unhealthy.
        retries: u32,
        /// Time after the start in which failures do not count.
        start_period_ms: u64,
    }
    /// A container to be made.
    ContainerSpec {
        /// The image.
        image: String,
        /// Replaces the image's command.
        command: Option<Vec<String>>,
        /// Replaces the image's entry point.
        entrypoint: Option<Vec<String>>,
        /// Environment variables.
        env: Vec<NamedValue>,
        /// The user.
        user: Option<String>,
        /// The working directory.
        working_directory: Option<String>,
        /// Labels, beside those of Windlass.
        labels: Vec<Pair>,
        /// Ports to publish.
        ports: Vec<Port>,
        /// Mounts.
        mounts: Vec<Mount>,
        /// Networks to join, by their names in the pipeline.
        networks: Vec<String>,
        /// Names by which others on those networks reach it.
        aliases: Vec<String>,
        /// Whether it has no network at all.
        no_network: bool,
        /// Most memory in bytes.
        memory: Option<u64>,
        /// Most processors, in thousandths.
        cpu_millis: Option<u32>,
        /// Most processes.
        processes: Option<u32>,
        /// Whether the root file system is read-only.
        read_only_root: bool,
        /// When Docker starts it again by itself.
        restart: Restart,
        /// A health check that Docker makes by itself.
        healthcheck: Option<Healthcheck>,
    }
}

choice! {
    /// The protocol of a port.
    Protocol {
        /// TCP.
        Tcp,
        /// UDP.
        Udp,
    }
    /// What is mounted.
    MountSource {
        /// A folder of the host.
        Folder(String),
        /// A volume, by its name in the pipeline.
        Volume(String),
        /// Memory, of so many bytes at most.
        Tmpfs(u64),
    }
    /// When Docker starts a container again by itself.
    Restart {
        /// Never.
        No,
        /// When it fails, so many times at most; 0 is for ever.
        OnFailure(u32),
        /// Until it is stopped.
        UnlessStopped,
        /// Always.
        Always,
    }
    /// How long a container, network or volume stays.
    Lifetime {
        /// Until the end of the run.
        Run,
        /// Until it is removed; a run that fails takes what it made along.
        Kept,
    }
}
