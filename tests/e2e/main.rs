//! End to end: the real binary, a real Docker Engine, a real registry, hostile guests.

#![allow(clippy::disallowed_methods, reason = "tests start processes and look at the world themselves")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod approvals;
mod bad_input;
mod commands;
mod compat;
mod determinism;
mod distribution;
mod engine_cancel;
mod engine_distribution;
mod engine_every_function;
mod engine_image;
mod engine_resume;
mod engine_routers;
mod engine_run;
mod engine_service;
mod engine_stack;
mod engine_storefront;
mod golden;
mod replay;
mod resume;
mod sandbox;
