//! The same load through HAProxy and through the router, in turn.

use super::{Other, Router, free, length, program, runtime, servers};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 32;
const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: shop.example\r\nuser-agent: load\r\naccept: */*\r\n\r\n";

pub(super) fn compare(windlass: &Path, rounds: u64, time: Duration, named: &[SocketAddr]) {
    let folder = tempfile::TempDir::new().unwrap();
    let [router, haproxy] = free();
    let mut _own = None;
    let [one, two] = match *named {
        [one, two] => [one, two],
        _ => {
            let (addresses, processes) = servers();
            _own = Some(processes);
            addresses
        }
    };
    let _router = Router::start(windlass, &[format!("--listen={router}")], [one, two]);
    let config = folder.path().join("haproxy.cfg");
    let text = format!(
        "global\n  nbthread 2\ndefaults\n  mode http\n  option http-keep-alive\n  http-reuse always\n  option forwardfor\n  \
         timeout connect 1s\n  timeout client 60s\n  timeout server 60s\nfrontend f\n  bind {haproxy}\n  default_backend b\n\
         backend b\n  balance roundrobin\n  server v1 {one} weight 95\n  server v2 {two} weight 5\n"
    );
    std::fs::write(&config, text).unwrap();
    let _haproxy = Other::start(program("haproxy").arg("-f").arg(&config).stderr(Stdio::null()));
    let runtime = runtime();
    for address in [one, router, haproxy] {
        // Warm.
        runtime.block_on(load(address, Duration::from_millis(500)));
    }
    let (mut rates, mut tails) = (Vec::new(), Vec::new());
    let mut all: BTreeMap<SocketAddr, Load> = BTreeMap::new();
    for round in 0..rounds {
        let direct = runtime.block_on(load(one, time / 4));
        // Whoever is first may have an advantage: in turn.
        let order = if round % 2 == 0 { [haproxy, router] } else { [router, haproxy] };
        let got: BTreeMap<SocketAddr, Load> = order.into_iter().map(|a| (a, runtime.block_on(load(a, time)))).collect();
        let (theirs, ours) = (&got[&haproxy], &got[&router]);
        rates.push(ours.rate() / theirs.rate());
        tails.push(f64::from(ours.p99_us()) / f64::from(theirs.p99_us()));
        println!(
            "round {}: direct {direct} haproxy {theirs} router {ours} (req/s and p99 in us; ratios {:.2} and {:.2})",
            round + 1,
            rates.last().unwrap(),
            tails.last().unwrap(),
        );
        got.into_iter().for_each(|(address, load)| all.entry(address).or_default().add(load));
    }
    println!("together: haproxy {} router {}", all[&haproxy], all[&router]);
    println!("ratios of the rounds: req/s {}, p99 {}", spread(&mut rates), spread(&mut tails));
}

fn spread(values: &mut [f64]) -> String {
    values.sort_by(f64::total_cmp);
    format!("{:.2} (median; {:.2} to {:.2})", values[values.len() / 2], values[0], values[values.len() - 1])
}

/// What a load saw.
#[derive(Default)]
pub(super) struct Load {
    /// Of each request, in microseconds, in their order.
    times: Vec<u32>,
    took: Duration,
}

impl Load {
    fn new(mut times: Vec<u32>, took: Duration) -> Self {
        times.sort_unstable();
        Self { times, took }
    }

    /// Requests a second.
    pub(super) fn rate(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }

    fn p99_us(&self) -> u32 {
        self.times[self.times.len() * 99 / 100]
    }

    fn add(&mut self, other: Self) {
        let times = std::mem::take(&mut self.times).into_iter().chain(other.times).collect();
        *self = Self::new(times, self.took + other.took);
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} {}", self.rate(), self.p99_us())
    }
}

/// Asks on kept connections for this long.
pub(super) async fn load(address: SocketAddr, time: Duration) -> Load {
    let began = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(one(address, began + time))).collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    Load::new(times, began.elapsed())
}

async fn one(address: SocketAddr, until: Instant) -> Vec<u32> {
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
        times.push(u32::try_from(sent.elapsed().as_micros()).unwrap());
    }
    times
}
