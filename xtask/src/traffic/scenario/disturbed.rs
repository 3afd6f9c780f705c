//! A router that is killed or replaced while a delivery is in its middle.

use super::super::harness::Harness;
use super::super::options::Driver;
use super::super::pipeline::{Delivery, Strategy};
use super::super::place::{LIMIT, Place};
use super::super::process::Process;
use super::super::table::{Bounds, Row};
use super::super::trial::Trial;
use super::deliveries::{begin, bounds, end};
use super::{NEITHER, ROUTER, Scenario};
use crate::failure::Result;
use std::time::Duration;

/// A router that was killed serves again so soon.
const RECOVERY: Duration = Duration::from_secs(2);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new("router killed -9 in a canary, and started again", ROUTER, NEITHER, killed),
        Scenario::new("router upgraded in a canary", ROUTER, NEITHER, upgraded),
    ]
}

/// A canary that stays for a while in its middle.
fn middle<'a>(harness: &'a Harness, scenario: &Scenario, driver: Driver) -> Result<(Place<'a>, Trial, Process)> {
    let (place, mut trial) = begin(harness, scenario, driver, Strategy::Canary)?;
    let steps = [(5, "500ms"), (50, "6s")];
    place.write(&Delivery { steps: &steps, ..Delivery::of(Strategy::Canary, "v2") })?;
    trial.act();
    let mut runner = place.windlass(&["run"])?;
    place.until("the canary has 50 %", &mut runner, |services| services.weight("v2") >= 50.0)?;
    trial.pass(200)?;
    Ok((place, trial, runner))
}

fn killed(harness: &Harness, scenario: &Scenario, driver: Driver) -> Result<Row> {
    let (mut place, mut trial, mut runner) = middle(harness, scenario, driver)?;
    place.front.router()?.kill()?;
    place.front.router()?.serve()?;
    let code = runner.wait(LIMIT)?;
    trial.check(code == Some(0), || format!("the delivery ended with {code:?}:\n{}", place.said(20)));
    end(harness, &place, trial, "v2", Bounds { outage: Some(RECOVERY), safe: Duration::from_secs(30), own: 0.0 })
}

fn upgraded(harness: &Harness, scenario: &Scenario, driver: Driver) -> Result<Row> {
    let (mut place, mut trial, mut runner) = middle(harness, scenario, driver)?;
    place.front.router()?.upgrade()?;
    let code = runner.wait(LIMIT)?;
    trial.check(code == Some(0), || format!("the delivery ended with {code:?}:\n{}", place.said(20)));
    end(harness, &place, trial, "v2", bounds(Strategy::Canary, Duration::from_secs(40)))
}
