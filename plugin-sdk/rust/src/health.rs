//! Health checks: asking until something is healthy, or is not going to be.
//!
//! ```no_run
//! use windlass_plugin::{Failure, ensure};
//! use windlass_plugin::health::{self, Policy, Target};
//!
//! # fn f() -> Result<(), Failure> {
//! let report = health::wait(&Target::http("storefront", 8080, "/health"), Policy::default())?;
//! ensure!(report.healthy, "not healthy after {} attempts: {}", report.attempts, report.last);
//! # Ok(()) }
//! ```

pub use crate::bindings::windlass::health::health::*;
use crate::host::host;

host! {
    "health", crate::bindings::windlass::health::health =>
    /// Asks once.
    ///
    /// # Errors
    /// Why it was not done.
    fn check(target: &Target, timeout_ms: u64) -> Result<Report, Error>;

    /// Asks until it is healthy, or is not going to be. A container that has exited ends the wait.
    ///
    /// # Errors
    /// Why it was not done.
    fn wait(target: &Target, policy: Policy) -> Result<Report, Error>;
}

impl Target {
    /// A GET of a path on a container's port, answered with any status from 200 to 299.
    pub fn http(container: impl Into<String>, port: u16, path: impl Into<String>) -> Self {
        let port = ContainerPort { container: container.into(), port };
        Self::ContainerHttp(ContainerHttp { port, path: path.into(), probe: HttpProbe::default() })
    }

    /// A GET of a URL, answered with any status from 200 to 299.
    pub fn url(url: impl Into<String>) -> Self {
        Self::Url(UrlHttp { url: url.into(), probe: HttpProbe::default() })
    }

    /// A TCP connection to a container's port.
    pub fn tcp(container: impl Into<String>, port: u16) -> Self {
        Self::ContainerTcp(ContainerPort { container: container.into(), port })
    }

    /// A command in a container; exit code 0 is healthy.
    pub fn command<S: Into<String>>(container: impl Into<String>, command: impl IntoIterator<Item = S>) -> Self {
        let command = command.into_iter().map(Into::into).collect();
        Self::Command(ContainerCommand { container: container.into(), command })
    }
}

impl Default for HttpProbe {
    /// Any status from 200 to 299, any body.
    fn default() -> Self {
        Self { status_min: None, status_max: None, body_contains: None }
    }
}

impl Default for Policy {
    /// Every second, five seconds for each attempt, thirty seconds to come up, then three failures in a row.
    fn default() -> Self {
        Self { interval_ms: 1_000, timeout_ms: 5_000, retries: 3, start_period_ms: 30_000, success_threshold: 1 }
    }
}
