//! Pushing and pulling, against a registry that tells the truth and one that does not.

#![allow(clippy::disallowed_methods, reason = "tests look at the cache themselves")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod pull;
mod push;
mod signature;
mod support;
