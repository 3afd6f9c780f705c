//! The front: listeners, connections, and the proxy behind them.

mod answer;
mod connection;
mod cut;
mod direct;
mod frames;
mod idle;
mod listen;
mod log;
mod proxy;
mod reach;
mod tls;
mod tunnel;
mod workers;

pub(crate) use listen::Front;
pub(crate) use log::AccessLog;
pub(crate) use workers::Workers;
