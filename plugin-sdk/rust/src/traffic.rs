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
use crate::host::host;

host! {
    "traffic", crate::bindings::windlass::traffic::traffic =>
    /// Asks how a service stands. `not-found` if it was never deployed.
    ///
    /// # Errors
    /// Why it was not done.
    fn read(service: &str) -> Result<State, Error>;

    /// Reserves the service for this run, and makes it if it is new. The revisions that are there go on as they were.
    ///
    /// # Errors
    /// Why it was not done.
    fn begin(deployment: &Deployment) -> Result<State, Error>;

    /// Says which containers a revision consists of. Leaving one out, or not vouching for it, takes it out of the
    /// traffic; that is refused where the others do not carry the revision's weight.
    ///
    /// # Errors
    /// Why it was not done.
    fn set_replicas(service: &str, revision: &str, replicas: &[Replica]) -> Result<State, Error>;

    /// Sets the weights of all revisions; those that are not named get none. They add up to 10000.
    ///
    /// # Errors
    /// Why it was not done.
    fn shift(service: &str, weights: &[Split]) -> Result<State, Error>;

    /// Lets new requests wait until `release`, or until the time is over: 60 seconds at most.
    ///
    /// # Errors
    /// Why it was not done.
    fn hold(service: &str, limit_ms: u64) -> Result<(), Error>;

    /// Lets held requests go on.
    ///
    /// # Errors
    /// Why it was not done.
    fn release(service: &str) -> Result<(), Error>;

    /// Lets what is under way finish: of a revision without weight, or of one of its containers that is not vouched
    /// for. Waits for it, and cuts what is left when the time is over.
    ///
    /// # Errors
    /// Why it was not done.
    fn drain(service: &str, revision: &str, container: Option<&str>, limit_ms: u64) -> Result<Drained, Error>;

    /// Takes all weights away: nothing serves. Needs a deploy that was begun with `downtime`.
    ///
    /// # Errors
    /// Why it was not done.
    fn take_down(service: &str) -> Result<State, Error>;

    /// Makes the new revision, which has all of the weight, the service's own. From here on there is no way back but
    /// another deploy.
    ///
    /// # Errors
    /// Why it was not done.
    fn commit(service: &str) -> Result<State, Error>;

    /// Gives the previous revision all of the traffic back and ends the deploy: starts its containers again where they
    /// were stopped, and takes the new revision out. Fine if no deploy of this run is open.
    ///
    /// # Errors
    /// Why it was not done.
    fn abort(service: &str, drain_ms: u64) -> Result<(), Error>;

    /// Takes a revision without weight, which is not the service's own, out of the router.
    ///
    /// # Errors
    /// Why it was not done.
    fn retire(service: &str, revision: &str) -> Result<State, Error>;

    /// Ends the deploy after its commit.
    ///
    /// # Errors
    /// Why it was not done.
    fn finish(service: &str) -> Result<(), Error>;

    /// Reads what was measured from a moment on, by the router's clock; without it, the last so many milliseconds.
    ///
    /// # Errors
    /// Why it was not done.
    fn measure(service: &str, from_ms: Option<u64>, last_ms: u64) -> Result<Measurements, Error>;

    /// Writes a judgement into the record of the deploy.
    ///
    /// # Errors
    /// Why it was not done.
    fn judge(service: &str, judgement: &Judgement) -> Result<(), Error>;
}

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
