//! Asking monitoring systems.
//!
//! ```no_run
//! # use windlass_plugin::{Failure, query};
//! # fn f() -> Result<(), Failure> {
//! let samples = query::prometheus("http://127.0.0.1:9090", "up", 5_000)?;
//! # Ok(()) }
//! ```

pub use crate::bindings::windlass::metrics::query::*;
use crate::host::host;

host! {
    "query", crate::bindings::windlass::metrics::query =>
    /// Asks a Prometheus at this URL for the value of a PromQL expression now. No sample is an answer, too.
    ///
    /// # Errors
    /// Why it was not done.
    fn prometheus(url: &str, expression: &str, timeout_ms: u64) -> Result<Vec<Sample>, Error>;
}
