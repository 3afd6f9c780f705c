//! The settings of a metric, as `pipeline.toml` has them.

use crate::condition::{Bound, Condition, Quantity};
use crate::units::{Share, Span};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One metric: where its numbers come from, what is good and bad, and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Metric {
    /// What it is called in reports.
    pub name: String,
    /// Where the numbers come from: `"router"` (the default), or `{ prometheus = "QUERY" }`.
    #[serde(default)]
    pub source: Source,
    /// What holds in a good interval. Without `failure`, an interval in which it does not hold is a bad one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<Condition>,
    /// What holds in a bad interval. Without `success`, an interval in which it does not hold is a good one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Condition>,
    /// Compares with the baseline, the previous revision serving beside the new one, by an always-valid test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<Compare>,
    /// The chance of a false alarm of `compare` that is accepted, over the whole analysis: 0.01 by default.
    #[serde(default = "Metric::default_alpha")]
    pub alpha: f64,
    /// What `compare` shall not mind. Errors: percentage points more of failed requests, `0.1%` by default. Latency:
    /// how much slower, `10%` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_effect: Option<Share>,
    /// How long one measurement is: `30s` by default.
    #[serde(default = "Metric::default_interval")]
    pub interval: Span,
    /// How many measurements with data it takes to pass: 10 by default.
    #[serde(default = "Metric::default_count")]
    pub count: u32,
    /// How many failures are tolerated: 0 by default, so that the first one fails the metric.
    #[serde(default)]
    pub failure_limit: u32,
    /// How many errors of the source are tolerated in a row: 4 by default. The next one gives the verdict *error*.
    #[serde(default = "Metric::default_consecutive_error_limit")]
    pub consecutive_error_limit: u32,
    /// How long the new revision may warm up before it is judged: not at all by default.
    #[serde(default)]
    pub initial_delay: Span,
    /// How many requests each revision that is judged must have served before anything is concluded from the
    /// conditions, and before the metric passes: 100 by default with the router's numbers, none with a query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_requests: Option<u64>,
    /// How long a condition must be broken, without a good interval between, to be a failure. Intervals without data
    /// neither count nor break it. By default one interval suffices.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "for")]
    pub held_for: Option<Span>,
    /// Only say what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// What to do when the measurements are over and there is too little to judge by: `"hold"` (the default) stays
    /// where it is and goes on measuring, `{ extend = "10m" }` does so for that long and then aborts, `"pass"` goes on
    /// all the same, `"fail"` aborts.
    #[serde(default)]
    pub on_insufficient_data: OnInsufficientData,
    /// What follows from a failure: `"automatic"` (the default) rolls back, `"ask"` leaves it to a person.
    #[serde(default)]
    pub action: Action,
}

/// Where numbers come from. Only named here: the strategy fetches them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// What the router counted of each revision.
    #[default]
    Router,
    /// A query in PromQL.
    Prometheus(#[cfg_attr(feature = "schema", schemars(description = "The query; it gives one number."))] String),
}

/// What is compared with the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Compare {
    /// The share of requests that failed.
    ErrorRate,
    /// How long requests took, at three thresholds.
    Latency,
}

/// What to do when there is too little to judge by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OnInsufficientData {
    /// Stay, and go on measuring.
    #[default]
    Hold,
    /// Go on measuring for so long, then abort.
    Extend(#[cfg_attr(feature = "schema", schemars(description = "For how long at most."))] Span),
    /// Go on with the deploy. The verdict stays what it is.
    Pass,
    /// Abort.
    Fail,
}

/// Who decides after a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nobody: it is rolled back.
    #[default]
    Automatic,
    /// A person.
    Ask,
}

/// What is wrong with a metric's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// Nothing says what is good or bad.
    NothingToJudge,
    /// A condition looks at what its source does not measure.
    NotMeasured {
        /// The setting it stands in.
        setting: &'static str,
        /// The quantity.
        quantity: String,
        /// What the source does measure.
        measured: &'static str,
    },
    /// `success` is always false, or says the same as `failure`.
    Contradiction,
    /// The comparison needs the numbers of single requests.
    CompareQuery,
    /// A number that makes no sense.
    Number {
        /// The setting.
        setting: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A setting that belongs to another one, which is not there.
    Without {
        /// The setting.
        setting: &'static str,
        /// What it needs.
        needs: &'static str,
    },
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingToJudge => {
                write!(f, "nothing says what is good or bad: give `success`, `failure` or `compare`")
            }
            Self::NotMeasured { setting, quantity, measured } => {
                write!(f, "`{setting}` looks at `{quantity}`, but its source measures {measured}")
            }
            Self::Contradiction => write!(f, "`success` and `failure` are the same condition"),
            Self::CompareQuery => write!(f, "`compare` counts requests, so it needs `source = \"router\"`"),
            Self::Number { setting, expected } => write!(f, "`{setting}` must be {expected}"),
            Self::Without { setting, needs } => write!(f, "`{setting}` says nothing without {needs}"),
        }
    }
}

impl std::error::Error for SettingsError {}

impl Metric {
    /// A metric of the router's with nothing but a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            source: Source::Router,
            success: None,
            failure: None,
            compare: None,
            alpha: Self::default_alpha(),
            minimum_effect: None,
            interval: Self::default_interval(),
            count: Self::default_count(),
            failure_limit: 0,
            consecutive_error_limit: Self::default_consecutive_error_limit(),
            initial_delay: Span(0),
            minimum_requests: None,
            held_for: None,
            dry_run: false,
            on_insufficient_data: OnInsufficientData::Hold,
            action: Action::Automatic,
        }
    }

    /// Everything that is wrong with it.
    pub fn problems(&self) -> Vec<SettingsError> {
        let mut problems = Vec::new();
        if self.success.is_none() && self.failure.is_none() && self.compare.is_none() {
            problems.push(SettingsError::NothingToJudge);
        }
        for (setting, condition) in [("success", &self.success), ("failure", &self.failure)] {
            let Some(condition) = condition else { continue };
            if let Some(measured) = self.not_measured(condition) {
                let quantity = condition.quantity.to_string();
                problems.push(SettingsError::NotMeasured { setting, quantity, measured });
            }
        }
        if self.success.is_some() && self.success == self.failure {
            problems.push(SettingsError::Contradiction);
        }
        if self.compare.is_some() && self.source != Source::Router {
            problems.push(SettingsError::CompareQuery);
        }
        let mut number = |right: bool, setting, expected| {
            if !right {
                problems.push(SettingsError::Number { setting, expected });
            }
        };
        // `!` of a comparison, so that NaN is caught too.
        number(self.alpha > 0.0 && self.alpha <= 0.5, "alpha", "above 0 and at most 0.5");
        number(self.interval.0 > 0, "interval", "longer than nothing");
        number(self.count > 0, "count", "at least 1");
        number(self.held_for != Some(Span(0)), "for", "longer than nothing");
        number(self.compare != Some(Compare::ErrorRate) || self.effect() < 1.0, "minimum-effect", "below 100%");
        if self.held_for.is_some() && self.success.is_none() && self.failure.is_none() {
            problems.push(SettingsError::Without { setting: "for", needs: "`success` or `failure`" });
        }
        if self.minimum_effect.is_some() && self.compare.is_none() {
            problems.push(SettingsError::Without { setting: "minimum-effect", needs: "`compare`" });
        }
        problems
    }

    /// What the source measures, if a condition looks at something else.
    fn not_measured(&self, condition: &Condition) -> Option<&'static str> {
        let value = condition.quantity == Quantity::Value;
        match self.source {
            Source::Router if value => Some("`error-rate`, `availability` and percentiles"),
            Source::Prometheus(_) if !value => Some("`value`"),
            _ => None,
        }
    }

    /// Does anything look at the previous revision?
    pub fn needs_baseline(&self) -> bool {
        let relative = |c: &Option<Condition>| c.as_ref().is_some_and(|c| matches!(c.bound, Bound::Baseline(_)));
        self.compare.is_some() || relative(&self.success) || relative(&self.failure)
    }

    /// The minimum effect, or its default.
    pub(crate) fn effect(&self) -> f64 {
        let default = if self.compare == Some(Compare::Latency) { 0.1 } else { 0.001 };
        self.minimum_effect.map_or(default, |share| share.0)
    }

    /// The minimum of requests, or its default.
    pub(crate) fn minimum(&self) -> u64 {
        let default = if self.source == Source::Router { 100 } else { 0 };
        self.minimum_requests.unwrap_or(default)
    }

    fn default_alpha() -> f64 {
        0.01
    }

    fn default_interval() -> Span {
        Span::seconds(30)
    }

    fn default_count() -> u32 {
        10
    }

    fn default_consecutive_error_limit() -> u32 {
        4
    }
}
