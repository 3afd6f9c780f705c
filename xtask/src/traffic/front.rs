//! What stands before the service in a trial: Windlass's own router, or HAProxy.

use super::haproxy::Haproxy;
use super::harness::Harness;
use super::options::Driver;
use super::router::Router;
use crate::failure::{Doing, Failure, Result};
use crate::http::{Server, get};
use serde_json::Value as Json;
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
    /// The state of a service; none: it is not known.
    pub(super) fn service(&self, name: &str) -> Result<Option<Json>> {
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
        Ok(state["services"].get(name).cloned())
    }
}
