//! `GET /v1/state` and `GET /v1/health`.

use super::{Deployment, Endpoint, Listener, Service, Weight};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// What a router does at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// All of it.
    Serving,
    /// Changes wait for a new router, which takes over.
    HandingOver,
    /// It finishes what is under way, and ends.
    Draining,
}

/// `GET /v1/health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// What it does.
    pub phase: Phase,
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// The newest change of its table.
    pub generation: u64,
    /// How long it runs.
    pub up_ms: u64,
    /// The router before it still finishes requests.
    pub predecessor: bool,
    /// The router before it still accepts connections besides this one.
    #[serde(default)]
    pub shared: bool,
}

/// `GET /v1/state`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// As `GET /v1/health`.
    pub health: Health,
    /// The generation that a change of the listeners has to expect.
    pub listeners_generation: u64,
    /// By address.
    pub listeners: BTreeMap<SocketAddr, Listener>,
    /// By name.
    pub services: BTreeMap<String, ServiceState>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceState {
    /// The generation that a change of it has to expect.
    pub generation: u64,
    /// Who changed it last.
    pub by: String,
    /// The pipeline that it belongs to; empty: none yet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// The revision that was committed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// The deployment that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Deployment>,
    /// The replicas that an abort of the deployment would bring back, by revision, as they were when it began.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub before: BTreeMap<String, Vec<Endpoint>>,
    /// As it was declared.
    pub declared: Service,
    /// What became of it, by revision. A revision that was removed stays until its last request ends.
    pub revisions: BTreeMap<String, RevisionState>,
    /// The part of the requests for which no revision has ready replicas: they are answered 503.
    pub unserved: Weight,
    /// A hold that is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<super::HoldAnswer>,
}

/// One revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RevisionState {
    /// As declared.
    pub weight: Weight,
    /// What it gets now: less when it is unready, more when another is and it has room.
    pub share: Weight,
    /// The highest weight that it could be given now.
    pub cap: Weight,
    /// How many ready replicas carry all traffic when it is this revision's.
    #[serde(default)]
    pub replicas: u32,
    /// Replicas that are ready now.
    pub ready: u32,
    /// Requests and WebSockets under way.
    pub in_flight: u64,
    /// Its replicas.
    pub endpoints: Vec<EndpointState>,
}

/// One replica.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointState {
    /// The container's id.
    pub container: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// What the container is called where it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The port in the container.
    #[serde(default)]
    pub port: u16,
    /// It gets requests when its revision does.
    pub ready: bool,
    /// Why it is not ready, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// It may get requests at present: neither stop nor remove its container.
    pub serving: bool,
    /// It is being drained.
    pub draining: bool,
    /// Requests and WebSockets under way.
    pub in_flight: u64,
}
