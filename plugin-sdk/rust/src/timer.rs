//! Waiting. Needs no grant; the step's timeout holds.

use std::time::Duration;

/// Waits. Recorded, so that a replay does not wait again; `std::thread::sleep` is not.
pub fn sleep(duration: Duration) {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    crate::bindings::windlass::timer::timer::sleep(millis);
}
