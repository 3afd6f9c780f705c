//! A HAProxy of the test's own, servers behind it, clients before it.

#[path = "../../behaviour/kit/backend.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
pub(crate) mod backend;
#[path = "../../behaviour/kit/client.rs"]
#[allow(dead_code, reason = "other tests need more of it")]
pub(crate) mod client;
#[path = "../../behaviour/kit/common.rs"]
pub(crate) mod common;
pub(crate) mod proxy;

pub(crate) use backend::Backend;
pub(crate) use client::{Conn, get};
pub(crate) use common::{Stand, free_address, service, until};
pub(crate) use proxy::Proxy;
