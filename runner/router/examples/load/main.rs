//! Load on the traffic router of a built `windlass`: beside HAProxy's, in turn, or as practice for its optimisation.
//!
//! `cargo xtask bench router` and `cargo xtask dist` run it. By hand:
//!
//! ```text
//! cargo run --profile dist -p windlass-router --example load -- compare PROGRAM ROUNDS MILLISECONDS [SERVER SERVER]
//! cargo run --profile dist -p windlass-router --example load -- practise PROGRAM SECONDS
//! ```
//!
//! Without servers it starts two of its own, which do next to nothing. All parts are processes of their own and share
//! the processors, so only ratios tell.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "a measurement, not a part of the router"
)]

mod compare;
mod practice;
mod server;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use windlass_router::Client;
use windlass_router::api::{Apply, Change, Endpoint, Revision, Route, Service, Timeouts, Weight};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server", address] => runtime().block_on(server::serve(address.parse().unwrap())),
        ["practise", program, time] => {
            practice::practise(Path::new(program), Duration::from_secs(time.parse().unwrap()))
        }
        ["compare", program, rounds, time, ref servers @ ..] => {
            let servers: Vec<SocketAddr> = servers.iter().map(|address| address.parse().unwrap()).collect();
            let time = Duration::from_millis(time.parse().unwrap());
            compare::compare(Path::new(program), rounds.parse().unwrap(), time, &servers);
        }
        _ => panic!("the head of this file says how it is called"),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

/// Another process, which ends with this.
struct Other(Child);

impl Other {
    fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}")))
    }
}

/// A program that is told to end if this one is gone without a word, as after a panic.
fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]).arg(name);
    command
}

impl Drop for Other {
    fn drop(&mut self) {
        // A router that is told to end can say what it has counted; one that is killed cannot.
        if let Some(pid) = rustix::process::Pid::from_raw(self.0.id().cast_signed()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

/// Addresses that nobody has; all at once, so that they differ.
fn free<const N: usize>() -> [SocketAddr; N] {
    [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap()).map(|listener| listener.local_addr().unwrap())
}

/// The two servers of our own.
fn servers() -> ([SocketAddr; 2], [Other; 2]) {
    let addresses = free();
    let me = std::env::current_exe().unwrap();
    (addresses, addresses.map(|address| Other::start(program(&me).args(["server", &address.to_string()]))))
}

/// A router that sends 95 and 5 of 100 requests to the two servers.
struct Router {
    _process: Other,
    _folder: tempfile::TempDir,
}

impl Router {
    fn start(windlass: &Path, listen: &[String], servers: [SocketAddr; 2]) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let place: PathBuf = folder.path().join("router");
        let mut command = program(windlass);
        command.args(["router", "start", "--foreground", "--drain", "1", "--router"]).arg(&place).args(listen);
        let process = Other::start(command.stdout(Stdio::null()));
        runtime().block_on(declare(&Client::new(&place), servers));
        Self { _process: process, _folder: folder }
    }
}

async fn declare(client: &Client, [one, two]: [SocketAddr; 2]) {
    let began = Instant::now();
    while client.health().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "the router does not come up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let revision = |weight, address| Revision {
        weight: Weight::percent(weight),
        endpoints: vec![Endpoint {
            container: format!("c{weight}"),
            address,
            ready: true,
            name: String::new(),
            port: 0,
        }],
        ..Revision::default()
    };
    let service = Service {
        routes: vec![Route { host: None, path: "/".to_owned(), listeners: vec![], revision: None }],
        replicas: 1,
        revisions: BTreeMap::from([("v1".to_owned(), revision(95, one)), ("v2".to_owned(), revision(5, two))]),
        sticky: None,
        override_header: None,
        health: None,
        timeouts: Timeouts::default(),
    };
    let change = Change::Service { name: "shop".to_owned(), service: Box::new(service) };
    client.apply(&Apply { by: "measurement".to_owned(), expect: 0, holder: None, change }).await.unwrap();
}

/// How long a message with a body is, once its header is there.
fn length(message: &[u8]) -> Option<usize> {
    let header = message.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&message[..header]).unwrap();
    let mut fields = text.split("\r\n").filter_map(|line| line.split_once(": "));
    let (_, body) = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length")).unwrap();
    Some(header + body.parse::<usize>().unwrap())
}
