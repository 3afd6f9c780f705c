//! HTTP against real servers on this machine.

mod probe;
mod send;
mod server;
mod tls;
mod triad;
