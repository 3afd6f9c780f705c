//! What a router does for whoever deploys, whichever proxy carries the traffic.

use crate::api::{
    Applied, Apply, Deployment, Drain, DrainAnswer, Hold, HoldAnswer, Measurements, Release, State, Weight, Window,
};
use crate::process::store;
use crate::table::Table;
use crate::{Client, ClientError, Haproxy};
use async_trait::async_trait;
use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A router under its table: the table alone says what is allowed, a driver makes it so.
#[async_trait]
pub trait Driver: Debug + Send + Sync {
    /// What it is called: as WINDLASS_ROUTER names it, with the whole paths, so that it means the same everywhere.
    fn name(&self) -> String;

    /// Everything, as it is now.
    async fn state(&self) -> Result<State, ClientError>;

    /// Changes the table. It is durable, and holds for new requests, when this returns.
    async fn apply(&self, apply: &Apply) -> Result<Applied, ClientError>;

    /// Lets what is under way at a revision or a container finish, and cuts it at the limit.
    async fn drain(&self, drain: &Drain) -> Result<DrainAnswer, ClientError>;

    /// Lets new requests of a service wait.
    async fn hold(&self, hold: &Hold) -> Result<HoldAnswer, ClientError>;

    /// Lets them go on.
    async fn release(&self, release: &Release) -> Result<HoldAnswer, ClientError>;

    /// What was measured of a service in a window.
    async fn measurements(&self, service: &str, window: Window) -> Result<Measurements, ClientError>;

    /// The containers that the table names, by Docker's id. Also when the router is not there: what it would serve
    /// with once it is back must not be gone by then. Without a table there are none; one that cannot be read is an error.
    async fn standing(&self) -> Result<HashMap<String, Standing>, ClientError>;

    /// The table as it is on the disk; an absent one is empty. What is reserved stands in it, also when the router is not
    /// there.
    fn table(&self) -> Result<Table, ClientError>;

    /// Whether there is a table, so that a router which does not answer is only away.
    fn was_there(&self) -> bool;

    /// What was measured in the window that ends now.
    async fn measurements_of_last(&self, service: &str, last: Duration) -> Result<Measurements, ClientError>;
}

/// What a container is to the traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The service.
    pub service: String,
    /// Its revision.
    pub revision: String,
    /// It may get requests.
    pub serving: bool,
    /// Requests and WebSockets under way.
    pub in_flight: u64,
    /// The run whose deploy goes back to this revision if it fails.
    pub needed_by: Option<String>,
}

/// By a router's state.
pub(crate) fn standing(state: &State) -> HashMap<String, Standing> {
    let mut all = HashMap::new();
    for (name, service) in &state.services {
        for (revision, found) in &service.revisions {
            for endpoint in &found.endpoints {
                let standing = Standing {
                    service: name.clone(),
                    revision: revision.clone(),
                    serving: endpoint.serving,
                    in_flight: endpoint.in_flight,
                    needed_by: needed_by(service.deployment.as_ref(), revision),
                };
                all.insert(endpoint.container.clone(), standing);
            }
        }
    }
    all
}

/// By a table whose router is away: nothing is known of what is under way.
pub(crate) fn standing_in(table: &Table) -> HashMap<String, Standing> {
    let mut all = HashMap::new();
    for (name, service) in table.services() {
        for (revision, declared) in &service.revisions {
            for endpoint in &declared.endpoints {
                let standing = Standing {
                    service: name.to_owned(),
                    revision: revision.clone(),
                    serving: endpoint.ready && declared.weight > Weight::ZERO,
                    in_flight: 0,
                    needed_by: needed_by(table.deployment(name), revision),
                };
                all.insert(endpoint.container.clone(), standing);
            }
        }
    }
    all
}

fn needed_by(deployment: Option<&Deployment>, revision: &str) -> Option<String> {
    let open = deployment.filter(|d| !d.committed && d.previous.as_deref() == Some(revision));
    open.map(|deployment| deployment.holder.clone())
}

#[async_trait]
impl Driver for Client {
    fn name(&self) -> String {
        DriverConfig::Router { folder: self.folder.path().to_owned() }.whole().to_string()
    }

    async fn state(&self) -> Result<State, ClientError> {
        Self::state(self).await
    }

    async fn apply(&self, apply: &Apply) -> Result<Applied, ClientError> {
        Self::apply(self, apply).await
    }

    async fn drain(&self, drain: &Drain) -> Result<DrainAnswer, ClientError> {
        Self::drain(self, drain).await
    }

    async fn hold(&self, hold: &Hold) -> Result<HoldAnswer, ClientError> {
        Self::hold(self, hold).await
    }

    async fn release(&self, release: &Release) -> Result<HoldAnswer, ClientError> {
        Self::release(self, release).await
    }

    async fn measurements(&self, service: &str, window: Window) -> Result<Measurements, ClientError> {
        Self::measurements(self, service, window).await
    }

    async fn standing(&self) -> Result<HashMap<String, Standing>, ClientError> {
        match Self::state(self).await {
            Ok(state) => Ok(standing(&state)),
            Err(_) => Ok(standing_in(&store::load(&self.folder)?)),
        }
    }

    fn table(&self) -> Result<Table, ClientError> {
        Ok(store::load(&self.folder)?)
    }

    fn was_there(&self) -> bool {
        self.folder.durable().is_some()
    }

    async fn measurements_of_last(&self, service: &str, last: Duration) -> Result<Measurements, ClientError> {
        Self::measurements_of_last(self, service, last).await
    }
}

/// Where the table is, and who carries the traffic under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DriverConfig {
    /// The embedded router of a folder.
    Router {
        /// Its folder.
        folder: PathBuf,
    },
    /// A HAProxy that somebody else runs.
    Haproxy {
        /// Its admin socket.
        socket: PathBuf,
        /// Where the table is kept.
        folder: PathBuf,
    },
}

/// What the name of a HAProxy begins with.
const HAPROXY: &str = "haproxy:";

/// A text that names no driver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} names no router: {why}. It takes the folder of one, or `haproxy:/path/to/admin.sock?folder=/path`")]
pub struct BadDriver {
    text: String,
    why: &'static str,
}

impl std::str::FromStr for DriverConfig {
    type Err = BadDriver;

    fn from_str(text: &str) -> Result<Self, BadDriver> {
        let bad = |why| Err(BadDriver { text: text.to_owned(), why });
        let Some(rest) = text.strip_prefix(HAPROXY) else {
            return if text.is_empty() { bad("it is empty") } else { Ok(Self::Router { folder: text.into() }) };
        };
        let (socket, query) = rest.split_once('?').unwrap_or((rest, ""));
        if socket.is_empty() {
            return bad("the path of HAProxy's admin socket is missing");
        }
        match query.split_once('=') {
            Some(("folder", folder)) if !folder.is_empty() && !folder.contains('&') => {
                Ok(Self::Haproxy { socket: socket.into(), folder: folder.into() })
            }
            Some(("folder", folder)) if folder.contains('&') => bad("nothing comes after the folder"),
            None | Some(("folder", _)) => bad("the folder for the table is missing"),
            Some(_) => bad("it has a setting other than `folder`"),
        }
    }
}

impl fmt::Display for DriverConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Router { folder } => write!(f, "{}", folder.display()),
            Self::Haproxy { socket, folder } => write!(f, "{HAPROXY}{}?folder={}", socket.display(), folder.display()),
        }
    }
}

/// From the root, and without links as far as it is there.
fn whole(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

impl DriverConfig {
    /// The same with whole paths.
    #[must_use]
    pub fn whole(&self) -> Self {
        match self {
            Self::Router { folder } => Self::Router { folder: whole(folder) },
            Self::Haproxy { socket, folder } => Self::Haproxy { socket: whole(socket), folder: whole(folder) },
        }
    }

    /// Where the table is, also when nobody answers.
    #[must_use]
    pub fn folder(&self) -> &Path {
        match self {
            Self::Router { folder } | Self::Haproxy { folder, .. } => folder,
        }
    }

    /// The driver. Nothing is asked of it yet.
    #[must_use]
    pub fn driver(&self) -> Box<dyn Driver> {
        match self {
            Self::Router { folder } => Box::new(Client::new(folder)),
            Self::Haproxy { socket, folder } => Box::new(Haproxy::new(socket, folder)),
        }
    }
}

/// The driver that a text names.
pub fn open(text: &str) -> Result<Box<dyn Driver>, BadDriver> {
    Ok(text.parse::<DriverConfig>()?.driver())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_a_driver_or_says_why_not() {
        let router = DriverConfig::Router { folder: ".windlass/router".into() };
        assert_eq!(".windlass/router".parse(), Ok(router));
        let haproxy = DriverConfig::Haproxy { socket: "/run/haproxy/admin.sock".into(), folder: "/var/w".into() };
        assert_eq!("haproxy:/run/haproxy/admin.sock?folder=/var/w".parse(), Ok(haproxy));
        for name in ["/var/w", "haproxy:/run/haproxy/admin.sock?folder=/var/w"] {
            assert_eq!(name.parse::<DriverConfig>().unwrap().to_string(), name);
        }
        for bad in [
            "",
            "haproxy:",
            "haproxy:/a",
            "haproxy:/a?",
            "haproxy:/a?folder=",
            "haproxy:/a?x=1",
            "haproxy:?folder=/b",
            "haproxy:/a?folder=/b&c=d",
        ] {
            assert!(bad.parse::<DriverConfig>().is_err(), "{bad}");
        }
    }
}
