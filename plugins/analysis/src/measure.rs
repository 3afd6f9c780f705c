//! What one interval says by itself.

use crate::comparison::Comparing;
use crate::condition::{Condition, Held};
use crate::observation::{Reading, Unusable};
use crate::settings::{Metric, Source};

/// One interval, judged.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Good,
    Bad(Breach),
    /// Neither `success` nor `failure` holds.
    Undecided(String),
    /// Nothing to judge by.
    NoData(String),
    /// The source did not work.
    Error(String),
}

/// A condition that was broken in an interval.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Breach {
    pub(crate) condition: String,
    pub(crate) seen: String,
    pub(crate) bound: String,
}

/// Judges what was read by the conditions, or by whether it can be compared at all.
pub(crate) fn measure(metric: &Metric, comparing: Option<&Comparing>, reading: &Reading) -> Outcome {
    if let Err(error) = usable(metric, reading) {
        return Outcome::Error(error);
    }
    let mut lacking = None;
    if let Some(condition) = &metric.failure {
        match condition.judge(reading) {
            Held::Known { holds: true, seen, bound } => {
                return Outcome::Bad(Breach { condition: format!("`{condition}`"), seen, bound });
            }
            Held::Known { .. } => {}
            Held::Unknown(why) => lacking = Some(why),
        }
    }
    if let Some(condition) = &metric.success {
        match condition.judge(reading) {
            Held::Known { holds: true, .. } => {}
            Held::Known { seen, bound, .. } => return not_good(metric, condition, seen, bound, lacking),
            Held::Unknown(why) => lacking = lacking.or(Some(why)),
        }
    }
    if let (Some(comparing), Reading::Traffic { canary, baseline }) = (comparing, reading) {
        lacking = lacking.or_else(|| comparing.missing(canary, baseline.as_ref()));
    }
    lacking.map_or(Outcome::Good, Outcome::NoData)
}

/// `success` does not hold.
fn not_good(metric: &Metric, condition: &Condition, seen: String, bound: String, lacking: Option<String>) -> Outcome {
    match (&metric.failure, lacking) {
        (None, _) => Outcome::Bad(Breach { condition: format!("not `{condition}`"), seen, bound }),
        (Some(_), Some(why)) => Outcome::NoData(why),
        (Some(failure), None) => {
            Outcome::Undecided(format!("neither `{condition}` nor `{failure}` holds: {seen} was seen"))
        }
    }
}

/// Is it what the source gives, and possible at all?
fn usable(metric: &Metric, reading: &Reading) -> Result<(), String> {
    match (reading, &metric.source) {
        (Reading::Error(error), _) => Err(error.clone()),
        (Reading::Traffic { canary, baseline }, Source::Router) => {
            let check = || -> Result<(), Unusable> {
                canary.check()?;
                let Some(baseline) = baseline else { return Ok(()) };
                baseline.check()?;
                let (one, other) = (&canary.latency.bounds_ms, &baseline.latency.bounds_ms);
                if !one.is_empty() && !other.is_empty() && one != other { Err(Unusable::Different) } else { Ok(()) }
            };
            check().map_err(|error| format!("the router's numbers cannot be: {error}"))
        }
        (Reading::Value { .. }, Source::Prometheus(_)) => Ok(()),
        (Reading::Traffic { .. }, Source::Prometheus(_)) => Err("traffic was read instead of the query".to_owned()),
        (Reading::Value { .. }, Source::Router) => Err("a number was read instead of the router's traffic".to_owned()),
    }
}
