//! What the crate does, seen from outside.

mod diagnostics;
mod five_at_once;
mod grants;
mod plan;
mod properties;
mod support;
mod templates;
