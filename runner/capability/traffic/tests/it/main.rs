//! Traffic through a real gate and a real router; only Docker is stood in for, by servers of the test itself.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests start servers and a router of their own"
)]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod abort;
mod deploying;
mod hostile;
mod kit;
mod triad;
