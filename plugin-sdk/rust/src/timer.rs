//! Waiting. Needs no grant; the step's timeout holds.

use std::time::Duration;

/// Waits. Recorded, so that a replay does not wait again; `std::thread::sleep` is not.
pub fn sleep(duration: Duration) {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    raw::sleep(millis);
}

mod raw {
    //! The contract's own function, in milliseconds.

    use crate::host::host;

    host! {
        "timer", crate::bindings::windlass::timer::timer =>
        /// Waits.
        fn sleep(milliseconds: u64);
    }
}
