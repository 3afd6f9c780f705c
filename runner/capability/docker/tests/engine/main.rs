//! The capability against a real engine, through a real gate with a real journal.
//!
//! Needs `DOCKER_HOST`, and for some tests `WINDLASS_REGISTRY` and `WINDLASS_TEST_REGISTRY_AUTH`;
//! `cargo xtask test` sets them. Without them the tests fail: none is skipped.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "tests fail by panicking; they make the files, sockets and processes that they need"
)]

mod common;
mod engine_addresses;
mod engine_build;
mod engine_containers;
mod engine_crash;
mod engine_exec;
mod engine_health;
mod engine_images;
mod engine_networks;
mod engine_registry;
mod engine_run;
mod engine_speed;
mod engine_tls;
mod engine_triad;
