//! What needs the router only: its weights are set by hand, and the services are programs of this machine.

use super::super::harness::Harness;
use super::super::load::{Conn, Shape};
use super::super::options::Driver;
use super::super::process::Process;
use super::super::router::Router;
use super::super::table::{Bounds, Row};
use super::super::trial::Trial;
use super::{ROUTER, Scenario};
use crate::failure::{Doing, Failure, Result};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const SERVICE: &str = "shop";
const HOST: &str = "traffic.test";
/// Nothing fails, and what was asked for is so at once.
const AT_ONCE: Bounds = Bounds { outage: None, safe: Duration::from_secs(1), own: 0.0 };

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("split of 10,000 requests: 1, 5, 25, 50", ROUTER, ROUTER, split),
        Scenario::new("weights switched, 20 times each way", ROUTER, ROUTER, switches),
        Scenario::new("router killed -9 and started again", ROUTER, ROUTER, killed),
        Scenario::new("router upgraded, 3 times", ROUTER, ROUTER, upgraded),
    ]
}

/// A router before two revisions; the first has all the traffic.
struct Shop {
    router: Router,
    _services: [Process; 2],
}

impl Shop {
    fn open(harness: &Harness) -> Result<Self> {
        let name = harness.name();
        let ((one, first), (two, second)) = (harness.start_service("v1")?, harness.start_service("v2")?);
        let mut router = Router::start(harness, &name)?;
        router.declare(SERVICE, &[("v1", 100.0, first), ("v2", 0.0, second)])?;
        Ok(Self { router, _services: [one, two] })
    }

    fn new_gets(&mut self, percent: f64) -> Result<()> {
        self.router.weights(SERVICE, &[("v1", 100.0 - percent), ("v2", percent)])
    }
}

fn split(harness: &Harness, scenario: &Scenario, driver: Driver) -> Result<Row> {
    let mut shop = Shop::open(harness)?;
    let trial = Trial::begin(&scenario.name, driver, shop.router.address, Shape::USUAL)?;
    let row = trial.end(harness, "v1", AT_ONCE)?;
    // Without other load, for its requests would be a part of the split.
    let mut row = Row { requests: 0, ..row };
    for percent in [1, 5, 25, 50] {
        shop.new_gets(f64::from(percent))?;
        let counts = ask(shop.router.address, 10_000, 4)?;
        let got = counts.get("v2").copied().unwrap_or(0);
        row.requests += counts.values().sum::<usize>();
        let expected = percent as usize * 100;
        if got != expected {
            row.wrong.push(format!("{got} of 10,000 requests went to the revision with {percent} %, not {expected}"));
        }
    }
    Ok(row)
}

/// So many requests over so many kept connections: who answered how many.
fn ask(address: SocketAddr, requests: usize, connections: usize) -> Result<BTreeMap<String, usize>> {
    let one = move || -> Result<BTreeMap<String, usize>> {
        let (mut conn, mut counts) = (Conn::new(address, HOST), BTreeMap::new());
        for _ in 0..requests / connections {
            let reply = conn.get("/").doing(|| "send a request".to_owned())?;
            let revision = reply.revision.filter(|_| reply.status == 200);
            let revision = revision.ok_or_else(|| Failure::new(format!("a request was answered {}", reply.status)))?;
            *counts.entry(revision).or_default() += 1;
        }
        Ok(counts)
    };
    let clients: Vec<_> = (0..connections).map(|_| std::thread::spawn(one)).collect();
    let mut all = BTreeMap::new();
    for client in clients {
        for (revision, count) in client.join().map_err(|_| Failure::new("a client failed"))?? {
            *all.entry(revision).or_default() += count;
        }
    }
    Ok(all)
}

fn switches(harness: &Harness, scenario: &Scenario, driver: Driver) -> Result<Row> {
    let mut shop = Shop::open(harness)?;
    let mut trial = Trial::begin(&scenario.name, driver, shop.router.address, Shape::USUAL)?;
    for turn in 0..40 {
        let (percent, expected) = if turn % 2 == 0 { (100.0, "v2") } else { (0.0, "v1") };
        trial.act();
        shop.new_gets(percent)?;
        // Once it is answered, it is so.
        let reply = Conn::new(shop.router.address, HOST).get("/").doing(|| "send a request".to_owned())?;
        trial.check(reply.revision.as_deref() == Some(expected), || {
            format!("after switch {turn} to {expected} the next request is answered by {:?}", reply.revision)
        });
        trial.pass(60)?;
    }
    trial.end(harness, "v1", AT_ONCE)
}

fn killed(harness: &Harness, scenario: &Scenario, driver: Driver) -> Result<Row> {
    let mut shop = Shop::open(harness)?;
    shop.new_gets(30.0)?;
    let before = shop.router.state()?;
    shop.new_gets(100.0)?;
    let mut trial = Trial::begin(&scenario.name, driver, shop.router.address, Shape::USUAL)?;
    let generation = shop.router.health()?["generation"].clone();
    trial.act();
    let start = Instant::now();
    shop.router.kill()?;
    shop.router.serve()?;
    let took = start.elapsed();
    trial.check(shop.router.health()?["generation"] == generation, || "the table is not the one before".to_owned());
    let after = shop.router.state()?;
    trial.check(after["listeners"] == before["listeners"], || "the listeners are not those before".to_owned());
    trial.check(took < Duration::from_secs(5), || format!("it took {took:?} to serve again"));
    let second = Duration::from_secs(2);
    trial.end(harness, "v2", Bounds { outage: Some(second), safe: second, own: 0.0 })
}

fn upgraded(harness: &Harness, scenario: &Scenario, driver: Driver) -> Result<Row> {
    let mut shop = Shop::open(harness)?;
    let mut trial = Trial::begin(&scenario.name, driver, shop.router.address, Shape::USUAL)?;
    for _ in 0..3 {
        trial.act();
        shop.router.upgrade()?;
        trial.pass(200)?;
    }
    // The last one takes changes.
    shop.new_gets(100.0)?;
    trial.end(harness, "v2", Bounds { safe: Duration::from_secs(20), ..AT_ONCE })
}
