//! Containers and images.
//!
//! Containers, networks and volumes go by the names that the pipeline gives them. What builds and containers
//! print flows into the step's log by itself.
//!
//! ```no_run
//! use windlass_plugin::docker::{self, ContainerSpec, Lifetime, Mount, Port};
//! use windlass_plugin::{Failure, NamedValue};
//!
//! # fn f() -> Result<(), Failure> {
//! let spec = ContainerSpec {
//!     env: vec![NamedValue::new("LEVEL", "debug")],
//!     ports: vec![Port::tcp(8080)],
//!     mounts: vec![Mount::volume("data", "/var/lib/data").writable()],
//!     memory: Some(256 << 20),
//!     ..ContainerSpec::new("localhost:5000/storefront:1.2")
//! };
//! let container = docker::start("storefront", &spec, Lifetime::Run)?;
//! # Ok(()) }
//! ```

pub use crate::bindings::windlass::docker::docker::*;
use crate::host::host;

host! {
    "docker", crate::bindings::windlass::docker::docker =>
    /// Builds an image. The host packs the context itself and follows no symlink out of it.
    ///
    /// # Errors
    /// Why it was not done.
    fn build(spec: &BuildSpec) -> Result<Built, Error>;

    /// Gives an image another name.
    ///
    /// # Errors
    /// Why it was not done.
    fn tag(image: &str, reference: &str) -> Result<(), Error>;

    /// Pushes an image to its registry.
    ///
    /// # Errors
    /// Why it was not done.
    fn push(reference: &str, credentials: Option<&Credentials>) -> Result<Transferred, Error>;

    /// Pulls an image from its registry.
    ///
    /// # Errors
    /// Why it was not done.
    fn pull(reference: &str, credentials: Option<&Credentials>, platform: Option<&str>) -> Result<Transferred, Error>;

    /// What is known of an image that the daemon has.
    ///
    /// # Errors
    /// Why it was not done.
    fn inspect_image(reference: &str) -> Result<Image, Error>;

    /// The images of a repository that the daemon has.
    ///
    /// # Errors
    /// Why it was not done.
    fn list_images(repository: &str) -> Result<Vec<Image>, Error>;

    /// Runs a container to its end and removes it. Its output flows into the step's log.
    ///
    /// # Errors
    /// Why it was not done.
    fn run(spec: &ContainerSpec, timeout_ms: Option<u64>) -> Result<Exit, Error>;

    /// Makes and starts a container that goes on. The name is free in this pipeline, or it is a conflict.
    ///
    /// # Errors
    /// Why it was not done.
    fn start(name: &str, spec: &ContainerSpec, lifetime: Lifetime) -> Result<Container, Error>;

    /// Runs a command in a container. Its output flows into the step's log.
    ///
    /// # Errors
    /// Why it was not done.
    fn exec(spec: &ExecSpec) -> Result<Exit, Error>;

    /// What is known of a container.
    ///
    /// # Errors
    /// Why it was not done.
    fn inspect(container: &str) -> Result<Container, Error>;

    /// The containers of this pipeline, ended ones included.
    ///
    /// # Errors
    /// Why it was not done.
    fn list() -> Result<Vec<Container>, Error>;

    /// A container's log. All of it flows into the step's log; a bounded tail is returned.
    ///
    /// # Errors
    /// Why it was not done.
    fn logs(query: &LogQuery) -> Result<Output, Error>;

    /// What a container uses at the moment.
    ///
    /// # Errors
    /// Why it was not done.
    fn stats(container: &str) -> Result<Usage, Error>;

    /// Waits until Docker's own health check says healthy, or the container ends or gets unhealthy.
    ///
    /// # Errors
    /// Why it was not done.
    fn wait_healthy(container: &str, timeout_ms: u64) -> Result<Container, Error>;

    /// Starts a container again that has ended or was stopped. One that runs is fine.
    ///
    /// # Errors
    /// Why it was not done.
    fn start_again(container: &str) -> Result<Container, Error>;

    /// Stops a container: SIGTERM, and SIGKILL after the grace. One that has ended is fine.
    ///
    /// # Errors
    /// Why it was not done.
    fn stop(container: &str, grace_ms: u64) -> Result<(), Error>;

    /// Removes a container that has ended, or one that runs by force. One that is gone is fine.
    ///
    /// # Errors
    /// Why it was not done.
    fn remove(container: &str, force: bool) -> Result<(), Error>;

    /// Makes a network; one of this name that this pipeline made is taken as it is.
    ///
    /// # Errors
    /// Why it was not done.
    fn create_network(name: &str, internal: bool, lifetime: Lifetime) -> Result<(), Error>;

    /// Removes a network. One that is gone is fine.
    ///
    /// # Errors
    /// Why it was not done.
    fn remove_network(name: &str) -> Result<(), Error>;

    /// Makes a volume; one of this name that this pipeline made is taken as it is.
    ///
    /// # Errors
    /// Why it was not done.
    fn create_volume(name: &str, lifetime: Lifetime) -> Result<(), Error>;

    /// Removes a volume with its content. One that is gone is fine.
    ///
    /// # Errors
    /// Why it was not done.
    fn remove_volume(name: &str) -> Result<(), Error>;
}

impl BuildSpec {
    /// A build in this folder, relative to the pipeline's own.
    pub fn new(context: impl Into<String>) -> Self {
        Self {
            context: context.into(),
            dockerfile: None,
            tags: Vec::new(),
            args: Vec::new(),
            target: None,
            labels: Vec::new(),
            platform: None,
            no_cache: false,
            pull: false,
            secrets: Vec::new(),
        }
    }
}

impl ContainerSpec {
    /// A container of this image, with everything else as the image and the host have it.
    pub fn new(image: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            command: None,
            entrypoint: None,
            env: Vec::new(),
            user: None,
            working_directory: None,
            labels: Vec::new(),
            ports: Vec::new(),
            mounts: Vec::new(),
            networks: Vec::new(),
            aliases: Vec::new(),
            no_network: false,
            memory: None,
            cpu_millis: None,
            processes: None,
            read_only_root: false,
            restart: Restart::No,
            healthcheck: None,
        }
    }

    /// Runs this program with these arguments, whatever the image's entry point is.
    #[must_use]
    pub fn program<S: Into<String>>(mut self, command: impl IntoIterator<Item = S>) -> Self {
        let mut words = command.into_iter().map(Into::into);
        self.entrypoint = words.next().map(|program| vec![program]);
        self.command = Some(words.collect());
        self
    }
}

impl Port {
    /// A TCP port of the container, on a free port of the host's loopback interface.
    pub const fn tcp(container: u16) -> Self {
        Self { container, host: None, address: None, protocol: Protocol::Tcp }
    }

    /// On this port of the host. Needs a grant.
    #[must_use]
    pub const fn on(mut self, host: u16) -> Self {
        self.host = Some(host);
        self
    }
}

impl Mount {
    /// A folder of the host, relative to the pipeline's own.
    pub fn folder(folder: impl Into<String>, target: impl Into<String>) -> Self {
        Self { source: MountSource::Folder(folder.into()), target: target.into(), writable: false }
    }

    /// A volume, by its name in the pipeline.
    pub fn volume(name: impl Into<String>, target: impl Into<String>) -> Self {
        Self { source: MountSource::Volume(name.into()), target: target.into(), writable: false }
    }

    /// Memory, of so many bytes at most.
    pub fn tmpfs(bytes: u64, target: impl Into<String>) -> Self {
        Self { source: MountSource::Tmpfs(bytes), target: target.into(), writable: true }
    }

    /// Lets the container write to it.
    #[must_use]
    pub fn writable(mut self) -> Self {
        self.writable = true;
        self
    }
}

impl ExecSpec {
    /// A command for a running container.
    pub fn new<S: Into<String>>(container: impl Into<String>, command: impl IntoIterator<Item = S>) -> Self {
        Self {
            container: container.into(),
            command: command.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            user: None,
            working_directory: None,
            timeout_ms: None,
        }
    }
}

impl LogQuery {
    /// The last lines of a container's log, as far as it goes by now.
    pub fn last(container: impl Into<String>, lines: u32) -> Self {
        Self { container: container.into(), tail: Some(lines), since: None, follow_ms: 0 }
    }
}

impl Container {
    /// The host's address and port of the first TCP port that is published, as `127.0.0.1:49153`.
    pub fn address(&self) -> Option<String> {
        let port = self.ports.iter().find(|port| port.protocol == Protocol::Tcp)?;
        let address = match port.address.as_str() {
            // All addresses are no address to connect to.
            "" | "0.0.0.0" | "::" => "127.0.0.1",
            address => address,
        };
        Some(match address.contains(':') {
            true => format!("[{address}]:{}", port.host),
            false => format!("{address}:{}", port.host),
        })
    }

    /// Whether it goes on by itself: it runs, or Docker is starting it again.
    pub fn is_up(&self) -> bool {
        matches!(self.state, ContainerState::Running | ContainerState::Restarting | ContainerState::Paused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_replaces_the_entry_point() {
        let spec = ContainerSpec::new("i").program(["cargo", "test"]);
        assert_eq!(spec.entrypoint, Some(vec!["cargo".to_owned()]));
        assert_eq!(spec.command, Some(vec!["test".to_owned()]));
        assert_eq!(ContainerSpec::new("i").program::<String>([]).entrypoint, None);
    }
}
