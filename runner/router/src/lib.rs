//! The traffic router: exact weights, draining, holds and measurements for each revision of a service.
#![allow(clippy::disallowed_methods, reason = "the router owns its sockets, its table's file, and its clock")]

pub mod api;
mod client;
mod driver;
mod front;
mod haproxy;
mod process;
mod run;
mod stats;
pub mod table;

pub use client::{Client, ClientError};
pub use driver::{BadDriver, Driver, DriverConfig, Standing, open};
pub use haproxy::Haproxy;
pub use process::{LoadError, Options, ServeError, load, serve};
