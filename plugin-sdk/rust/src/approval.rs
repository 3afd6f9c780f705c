//! Waiting for a person to decide, with `windlass approve RUN STAGE` or `windlass reject RUN STAGE --reason TEXT`.
//!
//! ```no_run
//! use windlass_plugin::{Failure, approval, ensure};
//!
//! # fn f() -> Result<(), Failure> {
//! let decision = approval::wait("send all traffic to the new revision?")?;
//! ensure!(decision.approved, "rejected by {}", decision.by);
//! # Ok(()) }
//! ```

pub use crate::bindings::windlass::approval::approval::*;
