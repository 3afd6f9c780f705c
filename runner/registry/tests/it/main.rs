//! Pushing and pulling, against a registry that tells the truth and one that does not.

mod pull;
mod push;
mod signature;
mod support;
