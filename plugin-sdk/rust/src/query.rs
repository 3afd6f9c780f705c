//! Asking monitoring systems.
//!
//! ```no_run
//! # use windlass_plugin::{Failure, query};
//! # fn f() -> Result<(), Failure> {
//! let samples = query::prometheus("http://127.0.0.1:9090", "up", 5_000)?;
//! # Ok(()) }
//! ```

pub use crate::bindings::windlass::metrics::query::*;
