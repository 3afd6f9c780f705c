//! What is declared: listeners, services, their routes, revisions and endpoints.

use super::Weight;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What listens at an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Plain HTTP/1.1 without; with it HTTP/2 and HTTP/1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// TLS from certificate files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The first is shown to clients that ask for a host that none is for.
    pub certificates: Vec<Certificate>,
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// For which hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// The chain, PEM, the server's own first.
    pub chain: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// A named thing that is deployed, as its owner declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Where requests come from.
    pub routes: Vec<Route>,
    /// How many ready replicas carry all of its traffic.
    pub replicas: u32,
    /// By name. Their weights add up to 100, or to 0: then nothing serves.
    #[serde(default)]
    pub revisions: BTreeMap<String, Revision>,
    /// Keeps a client with the revision that it saw first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    /// The header with which testers choose a revision by name, of weight 0 too. None: nobody can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_header: Option<String>,
    /// How the router asks endpoints whether they are well. None: the callers' word is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthCheck>,
    /// How long to wait for what.
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// Which requests are a service's. The host counts before the path, and the longest path wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The host without its port; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Whole segments of the path: `/api` is for `/api` and `/api/x`, and not for `/apix`.
    #[serde(default = "root")]
    pub path: String,
    /// Listeners by their addresses; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<SocketAddr>,
    /// A preview: always this revision, whatever the weights say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
}

fn root() -> String {
    "/".to_owned()
}

/// One deployed version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// Its share of the service's requests.
    #[serde(default)]
    pub weight: Weight,
    /// How many ready replicas carry all traffic when it is this revision's; none: as many as the service says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// How it is checked and waited for; none: as the service says. A revision that serves while another one is being
    /// deployed keeps what it was deployed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub care: Option<Care>,
    /// Its replicas.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
}

/// How the router looks after the replicas of a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Care {
    /// How it asks whether they are well; none: the callers' word is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthCheck>,
    /// How long it waits for what.
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// One replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The container's id. Measurements are kept by it, since addresses are used again.
    pub container: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// The caller vouches for it. It is ready when the router's own check agrees.
    #[serde(default)]
    pub ready: bool,
    /// What the container is called where it is; the router only keeps it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The port in the container; the router only keeps it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub port: u16,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(port: &u16) -> bool {
    *port == 0
}

impl Service {
    /// How many ready replicas carry all traffic when it is this revision's.
    #[must_use]
    pub fn full(&self, revision: &Revision) -> u32 {
        revision.replicas.unwrap_or(self.replicas)
    }

    /// How the replicas of a revision are checked.
    #[must_use]
    pub fn health_of<'a>(&'a self, revision: &'a Revision) -> Option<&'a HealthCheck> {
        revision.care.as_ref().map_or(self.health.as_ref(), |care| care.health.as_ref())
    }

    /// How long the router waits for the replicas of a revision.
    #[must_use]
    pub fn timeouts_of<'a>(&'a self, revision: &'a Revision) -> &'a Timeouts {
        revision.care.as_ref().map_or(&self.timeouts, |care| &care.timeouts)
    }

    /// Does anything serve it?
    #[must_use]
    pub fn serves(&self) -> bool {
        self.revisions.values().any(|revision| revision.weight > Weight::ZERO)
    }
}

/// Sticky revisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sticky {
    /// The cookie's name.
    pub cookie: String,
    /// How long the client keeps it; none: for its session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age_s: Option<u64>,
}

/// The router's own check of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthCheck {
    /// `GET` it, and take 200 to 399 for well; none: a connection is enough.
    pub path: Option<String>,
    /// How often.
    pub interval_ms: u64,
    /// How long an answer may take.
    pub timeout_ms: u64,
    /// So many good answers in a row make an endpoint ready.
    pub up_after: u32,
    /// So many bad ones in a row make it unready.
    pub down_after: u32,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self { path: None, interval_ms: 1_000, timeout_ms: 1_000, up_after: 1, down_after: 3 }
    }
}

/// How long to wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For a connection to an endpoint.
    pub connect_ms: u64,
    /// Between two reads from an endpoint; 0: for ever. Streams that are silent for longer are cut.
    pub read_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect_ms: 1_000, read_ms: 0 }
    }
}
