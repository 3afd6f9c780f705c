//! The HAProxy driver, with real HAProxies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests: what is not as expected is to end them, and they look at files and processes"
)]

#[path = "../both/mod.rs"]
mod both;
mod haproxy_life;
mod haproxy_limits;
mod kit;

/// What holds of every driver, with this one.
mod haproxy_as_a_driver {
    crate::both::tests!(crate::kit::Proxy);
}

/// Another runner's process: this program again, told by its environment. As a test of its own it does nothing.
#[test]
fn runner_process() {
    haproxy_life::be_a_runner_if_asked();
}
