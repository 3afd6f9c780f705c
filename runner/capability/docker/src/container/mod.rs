//! Containers: made, started, waited for, looked at, removed.

mod create;
mod exec;
mod find;
mod healthy;
mod inspect;
mod logs;
mod output;
mod remove;
mod spec;
mod start;
mod stats;
mod wait;

pub(crate) use create::create;
pub(crate) use exec::{create as exec_create, lost as exec_lost, probe as exec_probe, start as exec_start};
pub(crate) use find::{find, router_of};
pub(crate) use healthy::{ended, wait_healthy};
pub(crate) use inspect::{describe, health_of, inspect, list};
pub(crate) use logs::logs;
pub(crate) use remove::{remove, remove_by_force, remove_created, stop};
pub(crate) use start::{start_again, start_created};
pub(crate) use stats::stats;
pub(crate) use wait::wait;
