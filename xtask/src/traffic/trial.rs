//! One trial: a load, an act, and what is to be said of both.

use super::harness::Harness;
use super::load::{Load, Records, Shape};
use super::options::Driver;
use super::place::Place;
use super::table::{Bounds, Row};
use super::watch::Watch;
use crate::failure::Result;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

/// A load that is on, and what has been found so far.
pub(super) struct Trial {
    scenario: String,
    driver: Driver,
    load: Load,
    /// Requests that are sent before an act and after it has settled.
    around: u64,
    /// When the last act began; none: with the first request that failed, or was served late.
    act: Option<Duration>,
    watch: Option<Watch>,
    pub(super) wrong: Vec<String>,
}

impl Trial {
    /// Begins the load, and lets it get going.
    pub(super) fn begin(scenario: &str, driver: Driver, address: SocketAddr, shape: Shape) -> Result<Self> {
        let around = shape.around;
        let load = Load::begin(address, shape)?;
        load.pass(around)?;
        let (scenario, act) = (scenario.to_owned(), Some(load.now()));
        Ok(Self { scenario, driver, load, around, act, watch: None, wrong: Vec::new() })
    }

    /// The act begins now: from here the time to the safe state is taken.
    pub(super) fn act(&mut self) {
        self.act = Some(self.load.now());
    }

    /// A revision that fails is watched from now on: it may fail as many requests as its weight says, and the act is
    /// its first answer.
    pub(super) fn watch(&mut self, place: &Place<'_>, revision: &str) {
        self.act = None;
        self.watch = Some(Watch::begin(self.load.began(), revision, place.looks()));
    }

    /// Lets so many requests go by.
    pub(super) fn pass(&self, requests: u64) -> Result<()> {
        self.load.pass(requests)
    }

    /// Notes what is not as it should be.
    pub(super) fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }

    /// Ends the load, when some more requests have told how things are now, and judges.
    pub(super) fn end(self, harness: &Harness, expected: &str, mut bounds: Bounds) -> Result<Row> {
        // An outage that goes on is not waited out.
        self.load.pass(self.around)?;
        let mut records = self.load.end()?;
        // HAProxy has no way to end a WebSocket with a close, as docs/haproxy.md says: these are told apart.
        let cut = if self.driver == Driver::Haproxy { records.without_cut() } else { 0 };
        if let Some(watch) = self.watch {
            bounds.own = watch.end(&records)?;
        }
        let act = self.act.or_else(|| records.first_not(expected));
        let safe = records.safe_from(expected).map(|safe| act.map_or(Duration::ZERO, |act| safe.saturating_sub(act)));
        let row = Row {
            scenario: self.scenario,
            driver: self.driver.name(),
            requests: records.all().len(),
            caused: records.caused().len(),
            outage: records.outage(),
            cut,
            own: records.own().len(),
            safe,
            bounds,
            wrong: self.wrong,
            failures: records.explain(),
        };
        evidence(harness, &row, &records);
        Ok(row)
    }
}

/// A trial that went wrong leaves every failed request behind, to be explained.
fn evidence(harness: &Harness, row: &Row, records: &Records) {
    if row.problems().is_empty() {
        return;
    }
    let mut text = format!(
        "{}\n\n{}\n\nby revision: {:?}\n\n",
        row.problems().join("\n"),
        row.failures.join("\n"),
        records.by_revision()
    );
    for record in records.all().iter().filter(|record| record.failed.is_some()).take(10_000) {
        text.push_str(&format!("{record:?}\n"));
    }
    // It is for reading; a disk that is full says so elsewhere.
    let _ = fs::write(harness.folder.join("failed").join(format!("{}.txt", file_name(row))), text);
}

/// Where the evidence is.
pub(super) fn file_name(row: &Row) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    format!("{}-{}", row.scenario.chars().map(plain).collect::<String>(), row.driver)
}
