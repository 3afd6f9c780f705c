//! Deliveries of a revision that fails: it fails within its share of the traffic, and the one before it comes back.

use super::super::harness::Harness;
use super::super::options::Driver;
use super::super::pipeline::{Delivery, Strategy};
use super::super::table::Row;
use super::deliveries::{ABORT, begin, bounds, end};
use super::{BOTH, NEITHER, ROUTER, Scenario};
use crate::failure::Result;
use std::time::Duration;

/// What it takes to see that it is bad, from its first failure on: two measurements, and the time between.
const JUDGED: Duration = Duration::from_secs(5);

/// How it is bad: in words, and the image that is so.
const WAYS: [(&str, &str); 5] = [
    ("10 % errors", "errors"),
    ("slow", "slow"),
    ("crashes at start", "crash"),
    ("healthy, then failing", "later"),
    ("never healthy", "ill"),
];

/// What judges it: errors and slowness.
const ANALYSIS: [&str; 2] = [
    "{ name = \"errors\", failure = \"error-rate > 5%\", minimum-requests = 20, interval = \"1s\", count = 4 }",
    "{ name = \"latency\", failure = \"p99 > 1500ms\", minimum-requests = 20, interval = \"1s\", count = 4 }",
];

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for strategy in Strategy::ALL {
        for (way, image) in WAYS {
            let sample = if strategy == Strategy::Canary && image == "errors" { ROUTER } else { NEITHER };
            let name = format!("bad revision ({way}) by {}", strategy.name());
            all.push(Scenario::new(name, BOTH, sample, move |h, s, d| bad(h, s, d, strategy, image)));
        }
    }
    all
}

fn bad(harness: &Harness, scenario: &Scenario, driver: Driver, strategy: Strategy, image: &str) -> Result<Row> {
    let (place, mut trial) = begin(harness, scenario, driver, strategy)?;
    place.write(&Delivery { image, analysis: &ANALYSIS, ..Delivery::of(strategy, "bad") })?;
    trial.watch(&place, "bad");
    place.run(&["run"], 1)?;
    end(harness, &place, trial, "v1", bounds(strategy, JUDGED + ABORT))
}
