//! A small shop: a page, its health and its version. One static binary, which is also its own health check.

mod healthcheck;
mod http;
mod pages;
mod server;
mod signal;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::Duration;

use crate::server::Server;

/// How long requests that are under way get when the service is told to end.
const DRAIN: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let port = match std::env::var("PORT").as_deref().unwrap_or("8080").parse() {
        Ok(port) => port,
        Err(error) => return fail(&format!("PORT: {error}")),
    };
    match std::env::args().nth(1).as_deref() {
        None | Some("serve") => serve(port),
        Some("healthcheck") => match healthcheck::healthy(SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error.to_string()),
        },
        Some("version") => {
            println!("{}", pages::VERSION);
            ExitCode::SUCCESS
        }
        Some(other) => fail(&format!("no such command: {other}; there are serve, healthcheck and version")),
    }
}

fn serve(port: u16) -> ExitCode {
    signal::listen();
    let listener = match TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)) {
        Ok(listener) => listener,
        Err(error) => return fail(&format!("port {port}: {error}")),
    };
    println!("storefront {} listens on port {port}", pages::VERSION);
    let server = match Server::start(listener) {
        Ok(server) => server,
        Err(error) => return fail(&error.to_string()),
    };
    signal::wait();
    println!("storefront ends: {} requests under way", server.under_way());
    if server.drain(DRAIN) {
        println!("storefront has ended");
        ExitCode::SUCCESS
    } else {
        fail("some requests did not end in time")
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("storefront: {message}");
    ExitCode::FAILURE
}
