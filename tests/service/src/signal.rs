//! SIGTERM and SIGINT: how a service is told to end.
//!
//! The first process of a container ignores SIGTERM unless it asks for it.

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const SIGINT: c_int = 2;
const SIGTERM: c_int = 15;

static TOLD_TO_END: AtomicBool = AtomicBool::new(false);

// The C library is linked anyway; a crate for one function is more than the function.
unsafe extern "C" {
    safe fn signal(signal: c_int, handler: extern "C" fn(c_int)) -> usize;
}

extern "C" fn note(_: c_int) {
    // A flag is all that a signal handler may touch.
    TOLD_TO_END.store(true, Ordering::Relaxed);
}

/// Notes the signals from now on.
pub(crate) fn listen() {
    signal(SIGTERM, note);
    signal(SIGINT, note);
}

/// Waits for one.
pub(crate) fn wait() {
    while !TOLD_TO_END.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(20));
    }
}
