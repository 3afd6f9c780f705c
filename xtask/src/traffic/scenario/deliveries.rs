//! Deliveries of a revision that behaves: nothing may fail, but where a strategy takes the service down by intent.

use super::super::harness::Harness;
use super::super::load::Shape;
use super::super::options::Driver;
use super::super::pipeline::{DRAIN_S, Delivery, Strategy};
use super::super::place::{LIMIT, Place};
use super::super::table::{Bounds, Row};
use super::super::trial::Trial;
use super::{BOTH, NEITHER, ROUTER, Scenario};
use crate::failure::{Failure, Result};
use std::time::Duration;

/// What an abort may take: the stated bound, and the time to drain.
pub(super) const ABORT: Duration = Duration::from_secs(5 + DRAIN_S);
/// A recreate takes the service down from the end of the old containers until the new ones are well.
const RECREATE: Duration = Duration::from_secs(10);
/// The weights at which a canary is aborted.
const STEPS: [u8; 3] = [5, 25, 50];

pub(super) fn scenarios() -> Vec<Scenario> {
    let mut all = vec![
        Scenario::new("blue-green, 20 switches each way", BOTH, NEITHER, |h, s, d| switches(h, s, d, 20)),
        Scenario::new("blue-green, there and back", BOTH, BOTH, |h, s, d| switches(h, s, d, 1)),
        Scenario::new("canary to 100 %, approved", BOTH, NEITHER, approved),
        Scenario::new("rollback by command", BOTH, NEITHER, |h, s, d| rollback(h, s, d, Strategy::Canary)),
        Scenario::new("rollback of rings by command", BOTH, NEITHER, |h, s, d| rollback(h, s, d, Strategy::Ring)),
    ];
    for strategy in [Strategy::Rolling, Strategy::Recreate, Strategy::Canary, Strategy::Ring] {
        let sample = if strategy == Strategy::Rolling { ROUTER } else { NEITHER };
        let name = if strategy == Strategy::Canary { "canary to 100 %".to_owned() } else { strategy.name().to_owned() };
        all.push(Scenario::new(name, BOTH, sample, move |h, s, d| good(h, s, d, strategy)));
    }
    for step in STEPS {
        let name = format!("canary aborted at {step} %");
        all.push(Scenario::new(name, BOTH, if step == 25 { BOTH } else { NEITHER }, move |h, s, d| {
            aborted(h, s, d, step)
        }));
    }
    for strategy in Strategy::ALL {
        let name = format!("runner killed -9 in {} and resumed", strategy.name());
        let sample = if strategy == Strategy::Canary { ROUTER } else { NEITHER };
        all.push(Scenario::new(name, BOTH, sample, move |h, s, d| killed(h, s, d, strategy)));
        let name = format!("runner killed -9 in {} and cancelled", strategy.name());
        all.push(Scenario::new(name, BOTH, NEITHER, move |h, s, d| killed_for_good(h, s, d, strategy)));
    }
    all
}

/// What a strategy has to keep to when all goes well; `time` is what it takes by its own settings.
pub(super) fn bounds(strategy: Strategy, time: Duration) -> Bounds {
    let outage = (strategy == Strategy::Recreate).then_some(RECREATE);
    Bounds { outage, safe: time, own: 0.0 }
}

/// A place with `v1` delivered by this strategy, and the load on.
pub(super) fn begin<'a>(
    harness: &'a Harness,
    scenario: &Scenario,
    driver: Driver,
    strategy: Strategy,
) -> Result<(Place<'a>, Trial)> {
    let place = Place::new(harness, driver)?;
    place.deliver(&Delivery::of(strategy, "v1"))?;
    let shape = Shape { hosts: strategy.hosts(), ..Shape::USUAL };
    let trial = Trial::begin(&scenario.name, driver, place.address(), shape)?;
    Ok((place, trial))
}

/// Looks at what is there, and ends the trial.
pub(super) fn end(
    harness: &Harness,
    place: &Place<'_>,
    mut trial: Trial,
    current: &str,
    bounds: Bounds,
) -> Result<Row> {
    trial.wrong.extend(place.settled(current)?);
    trial.end(harness, current, bounds)
}

fn good(harness: &Harness, scenario: &Scenario, driver: Driver, strategy: Strategy) -> Result<Row> {
    let (place, mut trial) = begin(harness, scenario, driver, strategy)?;
    trial.act();
    place.deliver(&Delivery::of(strategy, "v2"))?;
    end(harness, &place, trial, "v2", bounds(strategy, Duration::from_secs(30)))
}

fn switches(harness: &Harness, scenario: &Scenario, driver: Driver, times: u32) -> Result<Row> {
    let (place, mut trial) = begin(harness, scenario, driver, Strategy::BlueGreen)?;
    for turn in 0..times {
        let new = format!("v{}", turn + 2);
        place.deliver(&Delivery::of(Strategy::BlueGreen, &new))?;
        trial.wrong.extend(place.settled(&new)?);
        trial.pass(100)?;
        trial.act();
        place.run(&["rollback", &place.name, "--to", "v1"], 0)?;
        trial.wrong.extend(place.settled("v1")?);
        trial.pass(100)?;
    }
    end(harness, &place, trial, "v1", bounds(Strategy::BlueGreen, ABORT))
}

fn rollback(harness: &Harness, scenario: &Scenario, driver: Driver, strategy: Strategy) -> Result<Row> {
    let (place, mut trial) = begin(harness, scenario, driver, strategy)?;
    place.deliver(&Delivery::of(strategy, "v2"))?;
    trial.pass(100)?;
    for service in strategy.services(&place.name) {
        trial.act();
        place.run(&["rollback", &service], 0)?;
    }
    end(harness, &place, trial, "v1", bounds(strategy, ABORT))
}

fn approved(harness: &Harness, scenario: &Scenario, driver: Driver) -> Result<Row> {
    let (place, mut trial) = begin(harness, scenario, driver, Strategy::Canary)?;
    let steps = [(5, "1s"), (50, "until-approved")];
    place.write(&Delivery { steps: &steps, ..Delivery::of(Strategy::Canary, "v2") })?;
    trial.act();
    let mut runner = place.windlass(&["run"])?;
    place.until("the canary has 50 %", &mut runner, |services| services.weight("v2") >= 50.0)?;
    trial.pass(300)?;
    place.run(&["approve", "latest", "deliver", "--reason", "it looks well"], 0)?;
    match runner.wait(LIMIT)? {
        Some(0) => {}
        // It does not wait where nobody sits before it: what was decided is read by whoever resumes.
        Some(5) => place.run(&["resume"], 0)?,
        code => return Err(Failure::new(format!("the run ended with {code:?}:\n{}", place.said(30)))),
    }
    end(harness, &place, trial, "v2", bounds(Strategy::Canary, Duration::from_secs(30)))
}

fn aborted(harness: &Harness, scenario: &Scenario, driver: Driver, step: u8) -> Result<Row> {
    let (place, mut trial) = begin(harness, scenario, driver, Strategy::Canary)?;
    let steps = STEPS.map(|weight| (weight, if weight == step { "60s" } else { "500ms" }));
    place.write(&Delivery { steps: &steps, ..Delivery::of(Strategy::Canary, "v2") })?;
    let mut runner = place.windlass(&["run"])?;
    place.until("the canary has its weight", &mut runner, |services| services.weight("v2") >= f64::from(step))?;
    trial.pass(300)?;
    trial.act();
    place.run(&["cancel", "latest"], 0)?;
    let code = runner.wait(LIMIT)?;
    trial.check(code != Some(0), || "the run that was cancelled says that it succeeded".to_owned());
    end(harness, &place, trial, "v1", bounds(Strategy::Canary, ABORT))
}

/// Starts the delivery of `v2` and kills its runner when the new revision has come some way.
fn kill_in_the_middle(place: &Place<'_>, trial: &mut Trial, strategy: Strategy) -> Result<()> {
    let steps = [(5, "500ms"), (50, "3s")];
    place.write(&Delivery { steps: &steps, ..Delivery::of(strategy, "v2") })?;
    let mut runner = place.windlass(&["run"])?;
    place.until("the delivery is in its middle", &mut runner, |services| match strategy {
        // What these do is over in a moment: when the new revision is there at all.
        Strategy::Recreate | Strategy::BlueGreen => services.has("v2"),
        Strategy::Rolling | Strategy::Ring => services.weight("v2") > 0.0,
        Strategy::Canary => services.weight("v2") >= 50.0,
    })?;
    trial.act();
    runner.kill()?;
    let before = place.services()?;
    trial.pass(400)?;
    let (before, after) = (before.declared(), place.services()?);
    trial.check(before == after.declared(), || {
        format!("the table changes while nobody drives it: {before:?}, then {:?}", after.declared())
    });
    Ok(())
}

fn killed(harness: &Harness, scenario: &Scenario, driver: Driver, strategy: Strategy) -> Result<Row> {
    let (place, mut trial) = begin(harness, scenario, driver, strategy)?;
    kill_in_the_middle(&place, &mut trial, strategy)?;
    trial.act();
    place.run(&["resume"], 0)?;
    end(harness, &place, trial, "v2", bounds(strategy, Duration::from_secs(30)))
}

fn killed_for_good(harness: &Harness, scenario: &Scenario, driver: Driver, strategy: Strategy) -> Result<Row> {
    let (place, mut trial) = begin(harness, scenario, driver, strategy)?;
    kill_in_the_middle(&place, &mut trial, strategy)?;
    trial.act();
    // It ends when somebody goes on with it, who then finds that it was told to.
    place.run(&["cancel", "latest"], 0)?;
    place.run(&["resume"], 130)?;
    end(harness, &place, trial, "v1", bounds(strategy, ABORT))
}
