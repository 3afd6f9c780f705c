//! Deliveries of a revision that fails: it fails within its share of the traffic, and the one before it comes back.

use super::super::harness::Harness;
use super::super::options::Driver;
use super::super::pipeline::{DEADLINE_S, DRAIN_S, Delivery, REPLICAS, Strategy};
use super::super::table::{Bounds, Row};
use super::deliveries::{ABORT, begin, end};
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

/// What judges it.
const ERRORS: &str =
    "{ name = \"errors\", failure = \"error-rate > 5%\", minimum-requests = 20, interval = \"1s\", count = 4 }";
const LATENCY: &str =
    "{ name = \"latency\", failure = \"p99 > 1500ms\", minimum-requests = 20, interval = \"1s\", count = 4 }";

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for strategy in Strategy::ALL {
        for (way, image) in WAYS {
            let sample = if strategy == Strategy::Canary && image == "errors" { ROUTER } else { NEITHER };
            // HAProxy measures no times.
            let drivers = if image == "slow" { ROUTER } else { BOTH };
            let name = format!("bad revision ({way}) by {}", strategy.name());
            all.push(Scenario::new(name, drivers, sample, move |h, s, d| bad(h, s, d, strategy, image)));
        }
    }
    all
}

fn bad(harness: &Harness, scenario: &Scenario, driver: Driver, strategy: Strategy, image: &str) -> Result<Row> {
    let (place, mut trial) = begin(harness, scenario, driver, strategy)?;
    let analysis = if driver == Driver::Router { &[ERRORS, LATENCY][..] } else { &[ERRORS] };
    place.write(&Delivery { image, analysis, ..Delivery::of(strategy, "bad") })?;
    trial.watch(&place, "bad");
    place.run(&["run"], 1)?;
    end(harness, &place, trial, "v1", bounds(strategy))
}

/// Everything that a strategy does by its settings before it can be judged, then the judgement, then the abort.
fn bounds(strategy: Strategy) -> Bounds {
    let settings = match strategy {
        // Nothing serves while the old ones finish, and until the new ones are well or have had their time for it.
        Strategy::Recreate => DRAIN_S + DEADLINE_S,
        // One container after the other has its time to drain, and a second to start.
        Strategy::Rolling => REPLICAS * (DRAIN_S + 1),
        Strategy::BlueGreen | Strategy::Canary | Strategy::Ring => 0,
    };
    let settings = Duration::from_secs(settings);
    let outage = (strategy == Strategy::Recreate).then_some(settings + ABORT);
    Bounds { outage, safe: settings + JUDGED + ABORT, own: 0.0 }
}
