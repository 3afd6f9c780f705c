//! Containers and images: what plugins can ask for, and the primitives it is journaled as.

use serde::{Deserialize, Serialize};

use super::{NamedValue, Nothing, Pair, Value, operation};

macro_rules! record {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
    )*};
}

macro_rules! choice {
    ($($(#[$meta:meta])* $name:ident { $($(#[$case_meta:meta])* $case:ident $(($type:ty))?,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$case_meta])* $case $(($type))?,)* }
    )*};
}

record! {
    /// Builds an image.
    Build {
        /// What to build.
        spec: BuildSpec,
    }
    /// A build of an image.
    BuildSpec {
        /// The folder to build in, relative to the workspace.
        context: String,
        /// The Dockerfile, relative to the context.
        dockerfile: Option<String>,
        /// The names to give the image.
        tags: Vec<String>,
        /// Build arguments.
        args: Vec<Pair>,
        /// The stage of the Dockerfile to build.
        target: Option<String>,
        /// Labels to put on the image.
        labels: Vec<Pair>,
        /// The platform.
        platform: Option<String>,
        /// Whether to build every layer anew.
        no_cache: bool,
        /// Whether to pull a newer base image.
        pull: bool,
        /// Secrets for `RUN --mount=type=secret`.
        secrets: Vec<NamedValue>,
    }
    /// A built image.
    Built {
        /// The image's id.
        id: String,
        /// The names that it was given.
        tags: Vec<String>,
        /// Which builder made it.
        builder: Builder,
    }
    /// Gives an image another name.
    Tag {
        /// The image.
        image: String,
        /// The new name.
        reference: String,
    }
    /// Pushes an image.
    Push {
        /// What to push, `repository:tag`.
        reference: String,
        /// How to log in.
        credentials: Option<Credentials>,
    }
    /// Pulls an image.
    Pull {
        /// What to pull.
        reference: String,
        /// How to log in.
        credentials: Option<Credentials>,
        /// The platform.
        platform: Option<String>,
    }
    /// How to log in at a registry.
    Credentials {
        /// The user.
        username: String,
        /// The password or token.
        password: Value,
    }
    /// A pushed or pulled image.
    Transferred {
        /// The name that was pushed or pulled.
        reference: String,
        /// The manifest's digest in the registry.
        digest: String,
        /// `repository@digest`.
        pinned: String,
    }
    /// Asks what is known of an image.
    InspectImage {
        /// The image.
        reference: String,
    }
    /// Asks for the images of a repository.
    ListImages {
        /// The repository.
        repository: String,
    }
    /// What is known of an image.
    Image {
        /// The image's id.
        id: String,
        /// Its names.
        tags: Vec<String>,
        /// Its digests in registries.
        digests: Vec<String>,
        /// Its size in bytes.
        size: u64,
        /// When it was made, by RFC 3339.
        created: String,
        /// Its platform.
        platform: String,
        /// Its labels.
        labels: Vec<Pair>,
        /// The ports that it exposes, as `8080/tcp`.
        exposed_ports: Vec<String>,
    }
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
    /// Asks how to reach a container's port, for a health check. Host only.
    Locate {
        /// The container's name in the pipeline.
        container: String,
        /// The port inside it.
        port: u16,
    }
    /// How to reach a container's port, and whether the container runs at all.
    Located {
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
    /// The builders of a daemon.
    Builder {
        /// The classic builder.
        Classic,
        /// BuildKit.
        Buildkit,
    }
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
    /// How long a container, network or volume stays.
    Lifetime {
        /// Until the end of the run.
        Run,
        /// Until it is removed; a run that fails takes what it made along.
        Kept,
    }
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

operation! {
    Build => DockerBuild -> Built;
    Tag => DockerTag -> Nothing;
    Push => DockerPush -> Transferred;
    Pull => DockerPull -> Transferred;
    InspectImage => DockerInspectImage -> Image;
    ListImages => DockerListImages -> Vec<Image>;
    Run => DockerRun -> Exit;
    Start => DockerStart -> Container;
    Create => DockerCreate -> Created;
    StartCreated => DockerStartCreated -> Nothing;
    Wait => DockerWait -> Exit;
    RemoveCreated => DockerRemoveCreated -> Nothing;
    Exec => DockerExec -> Exit;
    ExecCreate => DockerExecCreate -> Created;
    ExecStart => DockerExecStart -> Exit;
    Inspect => DockerInspect -> Container;
    List => DockerList -> Vec<Container>;
    Logs => DockerLogs -> Output;
    Stats => DockerStats -> Usage;
    WaitHealthy => DockerWaitHealthy -> Container;
    Stop => DockerStop -> Nothing;
    Remove => DockerRemove -> Nothing;
    CreateNetwork => DockerCreateNetwork -> Nothing;
    RemoveNetwork => DockerRemoveNetwork -> Nothing;
    CreateVolume => DockerCreateVolume -> Nothing;
    RemoveVolume => DockerRemoveVolume -> Nothing;
    Locate => DockerLocate -> Located;
    ProbeCommand => DockerProbeCommand -> ContainerSeen;
    ProbeHealth => DockerProbeHealth -> ContainerSeen;
    Leftovers => DockerLeftovers -> Vec<Leftover>;
    Sweep => DockerSweep -> Nothing;
}
