//! Health checks: composites of probes, container calls and waits.

use serde::{Deserialize, Serialize};

use super::operation;

/// Asks once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// What to check.
    pub target: Target,
    /// Time limit in milliseconds.
    pub timeout_ms: u64,
}

/// Asks until it is healthy, or is not going to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// What to check.
    pub target: Target,
    /// How often, and when to be sure.
    pub policy: Policy,
}

/// What an HTTP answer has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HttpProbe {
    /// The lowest status that counts as healthy; 200 if absent.
    pub status_min: Option<u16>,
    /// The highest status that counts as healthy; 299 if absent.
    pub status_max: Option<u16>,
    /// Text that the body has to contain.
    pub body_contains: Option<String>,
}

/// A port of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerPort {
    /// The container's name in the pipeline.
    pub container: String,
    /// The port inside it.
    pub port: u16,
}

/// A path of a container's HTTP port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerHttp {
    /// The port.
    pub port: ContainerPort,
    /// The path with its query.
    pub path: String,
    /// What the answer has to be.
    pub probe: HttpProbe,
}

/// A URL to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlHttp {
    /// The URL.
    pub url: String,
    /// What the answer has to be.
    pub probe: HttpProbe,
}

/// A command to run in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerCommand {
    /// The container's name in the pipeline.
    pub container: String,
    /// The command.
    pub command: Vec<String>,
}

/// What to check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A GET of a URL.
    Url(UrlHttp),
    /// A GET of a container's port.
    ContainerHttp(ContainerHttp),
    /// A TCP connection to `host:port`.
    Tcp(String),
    /// A TCP connection to a container's port.
    ContainerTcp(ContainerPort),
    /// A command in a container.
    Command(ContainerCommand),
    /// Docker's own HEALTHCHECK of a container.
    Docker(String),
}

/// How often to ask, and when to be sure. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Policy {
    /// Time between attempts.
    pub interval_ms: u64,
    /// Time limit of one attempt.
    pub timeout_ms: u64,
    /// How many failures in a row make it unhealthy.
    pub retries: u32,
    /// Time from the first attempt on in which failures do not count.
    pub start_period_ms: u64,
    /// How many successes in a row make it healthy.
    pub success_threshold: u32,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether it is healthy.
    pub healthy: bool,
    /// How many attempts were made.
    pub attempts: u32,
    /// What the last attempt saw.
    pub last: String,
}

operation! {
    Check => HealthCheck -> Report;
    Wait => HealthWait -> Report;
}
