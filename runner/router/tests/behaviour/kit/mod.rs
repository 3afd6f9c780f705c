//! What the tests have in common: a router's process, servers behind it, clients before it.

pub(crate) mod backend;
pub(crate) mod client;
pub(crate) mod common;
pub(crate) mod router;
pub(crate) mod scripted;

pub(crate) use backend::Backend;
pub(crate) use client::{Conn, get};
pub(crate) use common::{Stand, free_address, service, until};
pub(crate) use router::Router;
