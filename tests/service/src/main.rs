//! A web service that says its version, and behaves well, or fails as its environment tells it.
//!
//! `GET /` answers the version, `/slow` after a second, `POST /echo` with the length and the hash of the body,
//! `/ws` is a WebSocket that sends everything back, and `/health` is for health checks. Every answer names the
//! revision in `x-revision`, so that its errors can be told from those of whatever stands before it.

mod answers;
mod http;
mod server;
mod settings;
mod sha1;
mod signal;
mod websocket;

use crate::server::Server;
use crate::settings::Settings;
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

/// How long requests that are under way get when the service is told to end.
const DRAIN: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    signal::listen();
    let settings = match Settings::read(|name| std::env::var(name).ok()) {
        Ok(settings) => settings,
        Err(why) => return fail(&why),
    };
    if settings.crash_at_start {
        return fail("told to crash at the start");
    }
    let (version, port) = (settings.version.clone(), settings.port);
    let listener = match TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) {
        Ok(listener) => listener,
        Err(why) => return fail(&format!("port {port}: {why}")),
    };
    println!("{version} listens on port {port}");
    let server = match Server::start(listener, settings) {
        Ok(server) => server,
        Err(why) => return fail(&why.to_string()),
    };
    signal::wait();
    println!("{version} ends: {} connections are open", server.connections());
    if server.drain(DRAIN) {
        println!("{version} has ended");
        ExitCode::SUCCESS
    } else {
        fail("some requests did not end in time")
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("service: {why}");
    ExitCode::FAILURE
}
