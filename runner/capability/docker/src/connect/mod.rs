//! From an address to a daemon that answers.

mod context;
mod endpoint;
mod engine;
mod fresh;
mod stream;
mod tls;
mod transport;

pub(crate) use endpoint::{Address, Endpoint};
pub use engine::DaemonInfo;
pub(crate) use engine::{Engine, empty};
pub(crate) use fresh::{Made, Output};
pub(crate) use stream::{Event, Events, Silence};
pub(crate) use transport::{Body, stream_body};
