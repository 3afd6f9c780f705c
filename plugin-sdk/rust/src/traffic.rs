//! The traffic of a service: who gets how much of it, and what was measured.
//!
//! A deploy is reserved with [`begin`] and ends with [`finish`], or with [`abort`]. What must never happen is refused
//! by the host, whatever a plugin does: see [`Error::Unsafe`].
//!
//! ```no_run
//! use windlass_plugin::traffic::{self, Deployment, FULL, Replica, Split};
//! use windlass_plugin::Failure;
//!
//! # fn f() -> Result<(), Failure> {
//! traffic::begin(&Deployment::new("storefront", "v2", "blue-green"))?;
//! traffic::set_replicas("storefront", "v2", &[Replica::ready("storefront-v2-1", 8080)])?;
//! traffic::shift("storefront", &[Split { revision: "v2".to_owned(), weight: FULL }])?;
//! traffic::commit("storefront")?;
//! traffic::finish("storefront")?;
//! # Ok(()) }
//! ```

pub use crate::bindings::windlass::traffic::traffic::*;

/// All of the traffic, in hundredths of a percent.
pub const FULL: u32 = 10_000;

impl Deployment {
    /// A deploy with one replica and a route for all requests.
    pub fn new(service: impl Into<String>, revision: impl Into<String>, strategy: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            revision: revision.into(),
            strategy: strategy.into(),
            routes: vec![Route::path("/")],
            replicas: 1,
            sticky: None,
            override_header: None,
            check: None,
            connect_timeout_ms: 1_000,
            read_timeout_ms: 0,
            downtime: false,
            details: Vec::new(),
        }
    }
}

impl Route {
    /// A path of any host, at all listeners.
    pub fn path(path: impl Into<String>) -> Self {
        Self { host: None, path: path.into(), listeners: Vec::new(), revision: None }
    }
}

impl Replica {
    /// A container that is vouched for.
    pub fn ready(container: impl Into<String>, port: u16) -> Self {
        Self { container: container.into(), port, ready: true }
    }
}

impl State {
    /// A revision, if there is one of this name.
    pub fn revision(&self, name: &str) -> Option<&RevisionState> {
        self.revisions.iter().find(|revision| revision.name == name)
    }
}
