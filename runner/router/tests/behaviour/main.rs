//! What the router does, seen from outside: a process of its own, real sockets, real requests.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests: what is not as expected is to end them, and they look at files and processes"
)]

mod answers;
mod api;
#[path = "../both/mod.rs"]
mod both;
mod deploying;
mod draining;
mod http;
mod kit;
mod life;
mod measuring;
mod splitting;
mod switching;
mod table;

/// The router's process: this program again, told by its environment. As a test of its own it does nothing.
#[test]
fn router_process() {
    kit::router::be_one_if_asked();
}

/// What holds of every driver, with the router's own.
mod as_a_driver {
    crate::both::tests!(crate::kit::Router);
}
