//! What the crate does, seen from outside.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod approvals;
mod diagnostics;
mod environments;
mod five_at_once;
mod grants;
mod lock;
mod plan;
mod properties;
mod recorded;
mod support;
mod templates;
