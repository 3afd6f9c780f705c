//! What an analysis says: verdict, what to do, and why, with the numbers.

use crate::evidence::{Side, Threshold};
use crate::settings::Compare;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an analysis says of the new revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Enough was seen, and nothing was wrong.
    Pass,
    /// Nobody can say yet.
    InsufficientData,
    /// The source of the numbers does not work.
    Error,
    /// It is bad.
    Fail,
}

/// What a strategy does now. The later ones win over the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Next {
    /// The deploy may take its next step.
    GoOn,
    /// Stay at this weight and measure.
    Hold,
    /// The same, beyond the planned number of measurements; it ends at a limit.
    Extend,
    /// Let a person decide.
    Ask,
    /// Roll back.
    Abort,
}

/// What a metric says after an observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Judgement {
    /// The metric's name.
    pub metric: String,
    /// What it says.
    pub verdict: Verdict,
    /// What follows from it. A dry run always goes on.
    pub next: Next,
    /// What would follow, if this is a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would: Option<Next>,
    /// Nothing that is measured later changes it: it has failed.
    pub is_final: bool,
    /// In one or two sentences, for people.
    pub reason: String,
    /// The numbers.
    pub numbers: Numbers,
}

/// What a judgement rests on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Numbers {
    /// When the first interval that counts began, on the caller's clock.
    pub since: u64,
    /// When the last one ended.
    pub until: u64,
    /// Measurements after the initial delay, in all.
    pub measured: u32,
    /// Of these, good ones and failures.
    pub judged: u32,
    /// Failures.
    pub failures: u32,
    /// Without data, or with too few requests to judge by.
    pub without_data: u32,
    /// Neither good nor bad: both conditions do not hold, or `for` is not over yet.
    pub undecided: u32,
    /// Errors of the source, in all.
    pub errors: u32,
    /// Errors of the source, in a row up to now.
    pub errors_in_a_row: u32,
    /// The new revision's requests and errors. With a query: requests alone.
    pub canary: Side,
    /// The previous revision's, in the same intervals.
    pub baseline: Side,
    /// Fewer than this is too few.
    pub minimum_requests: u64,
    /// The condition that is broken now, or by which it failed.
    pub broken: Option<Broken>,
    /// The comparison with the baseline.
    pub comparison: Option<Comparison>,
}

/// A condition that is broken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Broken {
    /// The condition, as it was written.
    pub condition: String,
    /// What was seen last.
    pub seen: String,
    /// What it was compared with.
    pub bound: String,
    /// Since when, on the caller's clock.
    pub since: u64,
    /// For how long by measured intervals, in milliseconds.
    pub held_ms: u64,
    /// How long it takes to be a failure.
    pub for_ms: u64,
}

/// How the comparison with the baseline stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Comparison {
    /// What is compared.
    pub compare: Compare,
    /// The evidence that the canary is worse: 1 is none at all.
    pub e_value: f64,
    /// How much is needed to fail: 1/alpha.
    pub needed: f64,
    /// The accepted chance of a false alarm.
    pub alpha: f64,
    /// 1 - 1/(the largest e-value so far): an identical revision ever gets this far with at most the chance that is
    /// missing to 1. It is not the chance that the canary is worse.
    pub confidence: f64,
    /// What does not matter: a share of requests, or how much slower.
    pub minimum_effect: f64,
    /// Since when the evidence suffices, on the caller's clock.
    pub worse_since: Option<u64>,
    /// Latency: the thresholds and the evidence of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
}

/// Several metrics in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Overall {
    /// The worst verdict.
    pub verdict: Verdict,
    /// The strongest of what follows.
    pub next: Next,
}

/// What several metrics say together; none if every one of them is a dry run, or there is none.
pub fn overall<'a>(judgements: impl IntoIterator<Item = &'a Judgement>) -> Option<Overall> {
    let binding = judgements.into_iter().filter(|judgement| judgement.would.is_none());
    binding
        .map(|j| Overall { verdict: j.verdict, next: j.next })
        .reduce(|one, other| Overall { verdict: one.verdict.max(other.verdict), next: one.next.max(other.next) })
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::InsufficientData => "insufficient data",
            Self::Error => "error",
            Self::Fail => "fail",
        })
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GoOn => "go on",
            Self::Hold => "hold",
            Self::Extend => "extend",
            Self::Ask => "ask",
            Self::Abort => "abort",
        })
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {}", self.metric, self.verdict, self.next)?;
        if let Some(would) = self.would {
            write!(f, " (dry run; it would {would})")?;
        }
        write!(f, ": {}", self.reason)
    }
}
