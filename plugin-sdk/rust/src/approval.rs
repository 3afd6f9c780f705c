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
use crate::host::host;

host! {
    "approval", crate::bindings::windlass::approval::approval =>
    /// Waits until somebody has decided: `windlass approve RUN STAGE`, or `windlass reject`. The message says what
    /// about. The run may end its process meanwhile and be resumed; the step's time limit does not count the wait.
    ///
    /// # Errors
    /// Why it was not done.
    fn wait(message: &str) -> Result<Decision, Error>;
}
