//! What stands before the service in a trial: Windlass's own router, or HAProxy.

use super::haproxy::Haproxy;
use super::harness::Harness;
use super::options::Driver;
use super::router::Router;
use crate::failure::{Doing, Failure, Result};
use crate::http::{Server, get};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Either of them.
pub(super) enum Front {
    Router(Router),
    Haproxy(Haproxy),
}

/// How to ask for the state, from any thread.
#[derive(Clone)]
pub(super) enum Ask {
    /// The router's own socket.
    Control(Server),
    /// The table that Windlass keeps for HAProxy, which itself knows of servers only.
    Table(PathBuf),
}

impl Front {
    pub(super) fn start(harness: &Harness, driver: Driver, name: &str) -> Result<Self> {
        match driver {
            Driver::Router => Router::start(harness, name).map(Self::Router),
            Driver::Haproxy => Haproxy::start(harness, name).map(Self::Haproxy),
        }
    }

    /// Where requests go.
    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Router(router) => router.address,
            Self::Haproxy(haproxy) => haproxy.address,
        }
    }

    /// As WINDLASS_ROUTER names it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Router(router) => router.folder.display().to_string(),
            Self::Haproxy(haproxy) => haproxy.name(),
        }
    }

    pub(super) fn ask(&self) -> Ask {
        match self {
            Self::Router(router) => Ask::Control(router.control.clone()),
            Self::Haproxy(haproxy) => Ask::Table(haproxy.table().join("table.json")),
        }
    }

    /// The router, where a scenario is about it.
    pub(super) fn router(&mut self) -> Result<&mut Router> {
        match self {
            Self::Router(router) => Ok(router),
            Self::Haproxy(_) => Err(Failure::new("HAProxy is neither killed nor upgraded here")),
        }
    }
}

impl Ask {
    /// The services that are known, by their names.
    pub(super) fn services(&self) -> Result<Services> {
        let services: BTreeMap<String, Json> = match self {
            Self::Control(control) => named(&get(control, "/v1/state")?.json()?["services"]).collect(),
            Self::Table(file) if !file.exists() => BTreeMap::new(),
            Self::Table(file) => {
                let text = fs::read(file).doing(|| format!("read {}", file.display()))?;
                let table: Json = serde_json::from_slice(&text).doing(|| format!("read {}", file.display()))?;
                named(&table["table"]["services"]).map(|(name, entry)| (name, as_state(&entry["value"]))).collect()
            }
        };
        Ok(Services(services))
    }
}

fn named(services: &Json) -> impl Iterator<Item = (String, Json)> {
    services.as_object().into_iter().flatten().map(|(name, service)| (name.clone(), service.clone()))
}

/// An entry of the table in the words of the router's state.
fn as_state(entry: &Json) -> Json {
    json!({
        "declared": entry["service"],
        "current": entry["current"],
        "deployment": entry["reserved"]["deployment"],
    })
}

/// The services of one trial: one, or one for each ring.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Services(pub(super) BTreeMap<String, Json>);

impl Services {
    /// The highest weight that a revision has in any of them.
    pub(super) fn weight(&self, revision: &str) -> f64 {
        let weights = self.0.values().map(|service| weight(service, revision));
        weights.fold(0.0, f64::max)
    }

    /// Is it there at all?
    pub(super) fn has(&self, revision: &str) -> bool {
        self.0.values().any(|service| !service["declared"]["revisions"][revision].is_null())
    }

    /// The ids of all containers that are named.
    pub(super) fn containers(&self) -> BTreeSet<String> {
        let revisions = self.0.values().flat_map(|service| service["declared"]["revisions"].as_object()).flatten();
        let endpoints = revisions.flat_map(|(_, revision)| revision["endpoints"].as_array().into_iter().flatten());
        endpoints.filter_map(|endpoint| endpoint["container"].as_str().map(str::to_owned)).collect()
    }

    /// What is declared, without what changes by itself.
    pub(super) fn declared(&self) -> Vec<&Json> {
        self.0.values().map(|service| &service["declared"]).collect()
    }
}

/// The weight of a revision; one that is not there has none.
pub(super) fn weight(service: &Json, revision: &str) -> f64 {
    service["declared"]["revisions"][revision]["weight"].as_f64().unwrap_or(0.0)
}
