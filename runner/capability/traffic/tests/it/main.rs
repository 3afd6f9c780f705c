//! Traffic through a real gate and a real router; only Docker is stood in for, by servers of the test itself.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests start servers and a router of their own"
)]

mod abort;
mod deploying;
mod hostile;
mod kit;
mod triad;
