//! What is asked of the router, and what it answers.

use super::{Endpoint, Intent, Listener, Service, Weight};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// `POST /v1/apply`: a change of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// Who asks: the identity of the call. The same one with the same change is applied once.
    pub by: String,
    /// The generation that the caller saw of what it changes; 0: it is not there yet.
    pub expect: u64,
    /// The run for which it is asked. While a service is being deployed, only that run changes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// What to change.
    pub change: Change,
}

/// One change; it is made as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Change {
    /// This is the service from now on.
    Service {
        /// Its name.
        name: String,
        /// All of it.
        service: Box<Service>,
    },
    /// Only the weights of a service; a revision that is not named gets 0.
    Weights {
        /// Its name.
        name: String,
        /// By revision.
        weights: BTreeMap<String, Weight>,
    },
    /// The service goes away.
    RemoveService {
        /// Its name.
        name: String,
    },
    /// A run reserves the service for a deployment, and makes it if there is none.
    Begin {
        /// Its name.
        name: String,
        /// The pipeline that it belongs to. No other can deploy it.
        owner: String,
        /// What is to come.
        deployment: Intent,
        /// Its settings from now on. It has no revisions: those that are there stay as they are,
        /// each carried by as many replicas as before, and the new one gets nothing yet.
        service: Box<Service>,
    },
    /// In a deployment: these are a revision's replicas from now on. One that is not there is made,
    /// with weight 0.
    Endpoints {
        /// The service.
        name: String,
        /// Its revision.
        revision: String,
        /// How many ready replicas carry all traffic when it is this revision's; none: as many as the service says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replicas: Option<u32>,
        /// All of them.
        endpoints: Vec<Endpoint>,
    },
    /// The deployment's revision, which has all of the weight, is the current one from now on. Previews end.
    Commit {
        /// The service.
        name: String,
    },
    /// The service is as it was before the deployment, which ends. Where a container has another
    /// address than then, that and whether it is ready stay.
    Abort {
        /// The service.
        name: String,
    },
    /// A revision that nothing needs any more leaves the table.
    Retire {
        /// The service.
        name: String,
        /// Its revision, of weight 0.
        revision: String,
    },
    /// A committed deployment ends: others may deploy the service.
    Finish {
        /// The service.
        name: String,
    },
    /// Containers of a service are reached elsewhere by now, since Docker was started again. It is no part of a deployment:
    /// who serves, and how much, stays as it is.
    Addresses {
        /// The service.
        name: String,
        /// Where each of them is reached, by the container's id.
        addresses: BTreeMap<String, SocketAddr>,
    },
    /// These are the listeners from now on.
    Listeners {
        /// By address.
        listeners: BTreeMap<SocketAddr, Listener>,
    },
}

impl Change {
    /// The service that it is about.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        match self {
            Self::Service { name, .. }
            | Self::Weights { name, .. }
            | Self::RemoveService { name }
            | Self::Begin { name, .. }
            | Self::Endpoints { name, .. }
            | Self::Commit { name }
            | Self::Abort { name }
            | Self::Retire { name, .. }
            | Self::Finish { name }
            | Self::Addresses { name, .. } => Some(name),
            Self::Listeners { .. } => None,
        }
    }
}

/// The answer to [`Apply`], given when the table is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The generation that this change made.
    pub generation: u64,
    /// This identity had made it before; nothing was done.
    pub repeated: bool,
}

/// `POST /v1/drain`: let what is under way finish, and cut it at the limit. Asking again is fine:
/// the first limit counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// The service.
    pub service: String,
    /// Its revision, of weight 0 ...
    pub revision: String,
    /// ... or one of its containers that is not declared ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// How long requests may take to finish.
    pub limit_ms: u64,
    /// How long to wait with the answer; 0: not at all.
    #[serde(default)]
    pub wait_ms: u64,
}

/// How far it got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainAnswer {
    /// Nothing is under way any more.
    pub drained: bool,
    /// Requests and WebSockets that still are.
    pub in_flight: u64,
    /// Those that were cut at the limit.
    pub cut: u64,
    /// The router that this one replaced still finishes requests, and may do so here.
    pub predecessor: bool,
}

/// `POST /v1/hold`: new requests of the service wait, until it is released or the limit is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The service.
    pub service: String,
    /// At most 60 seconds.
    pub limit_ms: u64,
}

/// `POST /v1/release`: held requests go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The service.
    pub service: String,
}

/// The answer to both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldAnswer {
    /// Requests that wait now, or waited until the release.
    pub waiting: u64,
    /// When the hold ends by itself.
    pub left_ms: u64,
}

/// `POST /v1/stop`: as SIGTERM: listen no more, finish, end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// How long requests may take to finish; none: what the router was started with.
    #[serde(default)]
    pub limit_ms: Option<u64>,
}

/// The body of every answer that is not 2xx.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Why.
    pub error: Refusal,
    /// The same for people.
    pub message: String,
}

/// Why the router did not do what it was asked. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Refusal {
    #[error(
        "{what} has changed since it was read: it is at generation {current}, and {expected} was expected. Read the state, and decide again"
    )]
    Stale { what: String, expected: u64, current: u64 },
    #[error("the identity {by} has made another change before: an identity is for one change")]
    IdentityReused { by: String },
    #[error(
        "weight {weight} for revision {revision} of service {service} is more than its replicas carry: {ready} of the {replicas} that full traffic needs are ready, which allows {cap}"
    )]
    OverCapacity { service: String, revision: String, weight: Weight, cap: Weight, ready: u32, replicas: u32 },
    #[error(
        "the weights of service {service} add up to {sum}: they must add up to 100, or to 0 when nothing shall serve"
    )]
    WeightSum { service: String, sum: f64 },
    #[error("services {first} and {second} both claim {route}")]
    RouteConflict { first: String, second: String, route: String },
    #[error("there is no service {service} in the table")]
    UnknownService { service: String },
    #[error("service {service} has no revision {revision}")]
    UnknownRevision { service: String, revision: String },
    #[error(
        "service {service} belongs to pipeline {owner}, and pipeline {asked} cannot deploy it: give the service another name, or remove it with the pipeline that has it"
    )]
    Owned { service: String, owner: String, asked: String },
    #[error(
        "service {service} is being deployed by run {holder} (revision {revision}): `windlass resume {holder}` goes on with it, `windlass cancel {holder}` aborts it"
    )]
    Reserved { service: String, holder: String, revision: String },
    #[error("service {service} would stand still: its deployment has to ask for downtime by name")]
    Downtime { service: String },
    #[error("service {service} is not being deployed: a deployment begins with `begin`")]
    NotBegun { service: String },
    #[error("service {service}: {why}")]
    OutOfTurn { service: String, why: String },
    #[error("{what} serves: {why}")]
    Serving { what: String, why: String },
    #[error("{place}: {why}")]
    Invalid { place: String, why: String },
    #[error("{what}: {instead}")]
    Unsupported { what: String, instead: String },
    #[error(
        "HAProxy's whole weights of at most 256 do not make this split of service {service}: {asked}. The nearest that they make are {nearest}; more replicas make finer ones"
    )]
    Inexpressible { service: String, asked: String, nearest: String },
    #[error("HAProxy did not do `{command}`: {said}")]
    Proxy { command: String, said: String },
    #[error("cannot listen at {address}: {why}")]
    Listen { address: SocketAddr, why: String },
    #[error("the router is handing over to a new one: ask again in a moment")]
    HandingOver,
    #[error("the table could not be made durable: {why}")]
    NotDurable { why: String },
    #[error("there is no {method} {path} in this API")]
    UnknownCall { method: String, path: String },
}
