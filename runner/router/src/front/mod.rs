//! The front: listeners, connections, and the proxy behind them.

mod answer;
mod connection;
mod cut;
mod direct;
mod frames;
mod head;
mod idle;
mod listen;
mod log;
mod long;
mod proxy;
mod reach;
mod tls;
mod tunnel;
mod workers;

pub(crate) use listen::Front;
pub(crate) use log::AccessLog;
pub(crate) use workers::Workers;
