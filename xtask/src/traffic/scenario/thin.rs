//! Too little traffic to judge by: the metric says so, and what follows is what its policy says.

use super::super::harness::Harness;
use super::super::load::Shape;
use super::super::options::Driver;
use super::super::pipeline::{Delivery, Strategy};
use super::super::place::{LIMIT, Place};
use super::super::table::{Bounds, Row};
use super::super::trial::Trial;
use super::deliveries::{ABORT, end};
use super::{BOTH, NEITHER, ROUTER, Scenario};
use crate::failure::Result;
use std::time::Duration;

/// What is to be done about too little data.
struct Policy {
    name: &'static str,
    /// As TOML has it.
    setting: &'static str,
    /// What follows from it in the end.
    next: &'static str,
    result: &'static str,
    /// Who serves then.
    serves: &'static str,
}

static POLICIES: [Policy; 4] = [
    Policy { name: "hold", setting: "\"hold\"", next: "hold", result: "cancelled", serves: "v1" },
    Policy { name: "extend", setting: "{ extend = \"3s\" }", next: "abort", result: "rolled-back", serves: "v1" },
    Policy { name: "pass", setting: "\"pass\"", next: "go on", result: "committed", serves: "v2" },
    Policy { name: "fail", setting: "\"fail\"", next: "abort", result: "rolled-back", serves: "v1" },
];

/// Five measurements of a second, three more where it is extended, one to begin with a whole second, one to look.
const JUDGED: Duration = Duration::from_secs(5 + 3 + 2);

pub(super) fn scenarios() -> Vec<Scenario> {
    let scenario = |policy: &'static Policy| {
        let name = format!("30 requests a minute, 500 needed: {}", policy.name);
        let sample = if policy.name == "fail" { ROUTER } else { NEITHER };
        Scenario::new(name, BOTH, sample, move |h, s, d| thin(h, s, d, policy))
    };
    POLICIES.iter().map(scenario).collect()
}

fn thin(harness: &Harness, scenario: &Scenario, driver: Driver, policy: &Policy) -> Result<Row> {
    let place = Place::new(harness, driver)?;
    place.deliver(&Delivery::of(Strategy::Canary, "v1"))?;
    let mut trial = Trial::begin(&scenario.name, driver, place.address(), Shape::THIN)?;
    let metric = format!(
        "{{ name = \"errors\", failure = \"error-rate > 5%\", minimum-requests = 500, interval = \"1s\", count = 5, \
         on-insufficient-data = {} }}",
        policy.setting
    );
    let steps = [(50, "2s")];
    place.write(&Delivery { steps: &steps, analysis: &[&metric], ..Delivery::of(Strategy::Canary, "v2") })?;
    let safe = match policy.name {
        // It stays for more than twice the time that its measurements take, until somebody ends it.
        "hold" => {
            let mut runner = place.windlass(&["run"])?;
            place.until("the canary has 50 %", &mut runner, |services| services.weight("v2") >= 50.0)?;
            trial.pass(6)?;
            let stays = runner.ended()?.is_none() && (place.services()?.weight("v2") - 50.0).abs() < 0.01;
            trial.check(stays, || format!("it does not hold:\n{}", place.said(20)));
            trial.act();
            place.run(&["cancel", "latest"], 0)?;
            let code = runner.wait(LIMIT)?;
            trial.check(code != Some(0), || "the run that was cancelled says that it succeeded".to_owned());
            ABORT
        }
        "pass" => {
            trial.act();
            place.run(&["run"], 0)?;
            Duration::from_secs(30)
        }
        _ => {
            trial.watch(&place, "v2");
            place.run(&["run"], 1)?;
            JUDGED + ABORT
        }
    };
    let told = place.deployment()?;
    let verdicts = told["verdicts"].as_array().cloned().unwrap_or_default();
    trial.check(!verdicts.is_empty() && verdicts.iter().all(|one| one["verdict"] == "insufficient-data"), || {
        format!("not only insufficient data: {verdicts:?}")
    });
    let last = verdicts.last().cloned().unwrap_or_default();
    let says =
        last["next"] == policy.next && last["reason"].as_str().is_some_and(|why| why.contains(" of 500 requests"));
    trial.check(says, || format!("the last verdict is {last}, and `{}` was expected", policy.next));
    trial.check(told["result"] == policy.result, || format!("the deploy is {}, not {}", told["result"], policy.result));
    end(harness, &place, trial, policy.serves, Bounds { outage: None, safe, own: 0.0 })
}
