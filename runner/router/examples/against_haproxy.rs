//! The router against HAProxy, on this machine, in one run: the same load through both in turn.
//!
//! `cargo xtask bench router` runs it; by hand: `cargo run --release --example against_haproxy -p
//! windlass-router [rounds] [seconds] [server server]`. Without servers it starts two of its own, which do next to
//! nothing. `haproxy` must be installed. All parts are processes of their own and share the processors, so only the
//! ratios tell.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "a measurement, not a part of the router"
)]

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use windlass_router::api::{Apply, Change, Endpoint, Listener, Revision, Route, Service, Timeouts, Weight};
use windlass_router::{Client, Options};

const CONNECTIONS: usize = 32;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n\r\nHello, world!";
const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: shop.example\r\nuser-agent: load\r\naccept: */*\r\n\r\n";

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["backend", address] => runtime().block_on(backend(address.parse().unwrap())),
        ["router", folder, address] => {
            let mut options = Options::new(Path::new(folder));
            options.listen.insert(address.parse().unwrap(), Listener::default());
            options.threads = std::env::var("THREADS").ok().map(|n| n.parse().unwrap());
            windlass_router::serve(&options).unwrap();
        }
        ref numbers => {
            let number = |at: usize, or| numbers.get(at).map_or(or, |n| n.parse().unwrap());
            let servers = numbers.get(2..4).map(|named| [0, 1].map(|at| named[at].parse().unwrap()));
            compare(number(0, 5), Duration::from_secs(number(1, 4)), servers);
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn me(args: &[&str]) -> Ended {
    Ended(Command::new(std::env::current_exe().unwrap()).args(args).spawn().unwrap())
}

/// Four at once, so that they differ.
fn free() -> [SocketAddr; 4] {
    [(); 4].map(|()| StdListener::bind("127.0.0.1:0").unwrap()).map(|l| l.local_addr().unwrap())
}

fn compare(rounds: u64, time: Duration, servers: Option<[SocketAddr; 2]>) {
    let folder = tempfile::TempDir::new().unwrap();
    let [one, two, router, haproxy] = free();
    let own = || [one, two].map(|address| me(&["backend", &address.to_string()]));
    let _own = servers.is_none().then(own);
    let [one, two] = servers.unwrap_or([one, two]);
    let _router = me(&["router", folder.path().to_str().unwrap(), &router.to_string()]);
    let config = folder.path().join("haproxy.cfg");
    let text = format!(
        "global\n  nbthread 2\ndefaults\n  mode http\n  option http-keep-alive\n  http-reuse always\n  option forwardfor\n  \
         timeout connect 1s\n  timeout client 60s\n  timeout server 60s\nfrontend f\n  bind {haproxy}\n  default_backend b\n\
         backend b\n  balance roundrobin\n  server v1 {one} weight 95\n  server v2 {two} weight 5\n"
    );
    std::fs::write(&config, text).unwrap();
    let _haproxy = Ended(
        Command::new("haproxy").arg("-f").arg(&config).stderr(Stdio::null()).spawn().expect("haproxy is not installed"),
    );
    let runtime = runtime();
    runtime.block_on(declare(&Client::new(folder.path()), one, two));
    for address in [one, router, haproxy] {
        // Warm.
        runtime.block_on(load(address, Duration::from_millis(500)));
    }
    let (mut rates, mut tails) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let direct = runtime.block_on(load(one, time / 4));
        // Whoever is first may have an advantage: in turn.
        let order = if round % 2 == 0 { [haproxy, router] } else { [router, haproxy] };
        let got: BTreeMap<SocketAddr, Load> = order.into_iter().map(|a| (a, runtime.block_on(load(a, time)))).collect();
        let (theirs, ours) = (&got[&haproxy], &got[&router]);
        rates.push(ours.rate / theirs.rate);
        tails.push(ours.p99_us as f64 / theirs.p99_us as f64);
        println!(
            "round {}: direct {:.0} {} haproxy {:.0} {} router {:.0} {} (req/s and p99 in us; ratios {:.2} and {:.2})",
            round + 1,
            direct.rate,
            direct.p99_us,
            theirs.rate,
            theirs.p99_us,
            ours.rate,
            ours.p99_us,
            rates.last().unwrap(),
            tails.last().unwrap(),
        );
    }
    println!("router/haproxy: req/s {}, p99 {}", spread(&mut rates), spread(&mut tails));
}

fn spread(values: &mut [f64]) -> String {
    values.sort_by(f64::total_cmp);
    format!("{:.2} (median; {:.2} to {:.2})", values[values.len() / 2], values[0], values[values.len() - 1])
}

async fn declare(client: &Client, one: SocketAddr, two: SocketAddr) {
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

async fn backend(address: SocketAddr) {
    let listener = TcpListener::bind(address).await.unwrap();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(async move {
            let mut bytes = [0; 4096];
            let mut len = 0;
            while let Ok(n @ 1..) = stream.read(&mut bytes[len..]).await {
                len += n;
                if bytes[..len].ends_with(b"\r\n\r\n") {
                    len = 0;
                    if stream.write_all(ANSWER).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

struct Load {
    rate: f64,
    p99_us: u128,
}

async fn load(address: SocketAddr, time: Duration) -> Load {
    let began = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(one(address, began + time))).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.unwrap());
    }
    let took = began.elapsed().as_secs_f64();
    all.sort_unstable();
    Load { rate: all.len() as f64 / took, p99_us: all[all.len() * 99 / 100] }
}

async fn one(address: SocketAddr, until: Instant) -> Vec<u128> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut times, mut bytes, mut whole) = (Vec::new(), [0; 4096], 0);
    while Instant::now() < until {
        let sent = Instant::now();
        stream.write_all(ASK).await.unwrap();
        let mut len = 0;
        while len == 0 || len < whole {
            let n = stream.read(&mut bytes[len..]).await.unwrap();
            assert!(n > 0 && bytes.starts_with(b"HTTP/1.1 200"), "the connection was closed, or a request failed");
            len += n;
            whole = length(&bytes[..len]).unwrap_or(usize::MAX);
        }
        times.push(sent.elapsed().as_micros());
    }
    times
}

/// How long the answer is, once its header is there.
fn length(answer: &[u8]) -> Option<usize> {
    let header = answer.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..header]).unwrap();
    let mut fields = text.split("\r\n").filter_map(|line| line.split_once(": "));
    let (_, body) = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length")).unwrap();
    Some(header + body.parse::<usize>().unwrap())
}
