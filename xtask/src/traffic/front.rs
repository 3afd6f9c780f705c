//! What stands before the service in a trial: Windlass's own router, or HAProxy.

use super::haproxy::Haproxy;
use super::harness::Harness;
use super::options::Driver;
use super::router::Router;
use crate::failure::{Doing, Failure, Result};
use crate::http::{Server, get};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    /// What Windlass knows of HAProxy: the program is asked, since HAProxy itself knows of servers only.
    Program(PathBuf, String),
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

    pub(super) fn ask(&self, program: &Path) -> Ask {
        match self {
            Self::Router(router) => Ask::Control(router.control.clone()),
            Self::Haproxy(haproxy) => Ask::Program(program.to_owned(), haproxy.name()),
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
        let state = match self {
            Self::Control(control) => get(control, "/v1/state")?.json()?,
            Self::Program(program, router) => {
                let mut command = Command::new(program);
                command.args(["router", "status", "--format", "json"]).env("WINDLASS_ROUTER", router);
                let answer = command.output().doing(|| "ask for the state of HAProxy".to_owned())?;
                if !answer.status.success() {
                    let said = String::from_utf8_lossy(&answer.stderr).into_owned();
                    return Err(Failure::new(format!("`windlass router status` failed: {said}")));
                }
                serde_json::from_slice(&answer.stdout).doing(|| "read the state of HAProxy".to_owned())?
            }
        };
        let services = state["services"].as_object().into_iter().flatten();
        Ok(Services(services.map(|(name, service)| (name.clone(), service.clone())).collect()))
    }
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
