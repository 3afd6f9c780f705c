//! The state machine: one observation in, one judgement out.

use crate::comparison::Comparing;
use crate::evidence::Side;
use crate::judgement::{Broken, Judgement, Next, Numbers, Verdict};
use crate::measure::{Breach, Outcome, measure};
use crate::observation::{Observation, Reading};
use crate::settings::{Action, Metric, OnInsufficientData, SettingsError};
use crate::units::Span;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One metric of one deploy, being judged. It can be written down and read again at any time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Analysis {
    metric: Metric,
    started: u64,
    numbers: Numbers,
    comparing: Option<Comparing>,
    /// A condition is broken since some interval, and no good one came between.
    open: bool,
    /// When the planned number of measurements was reached.
    planned_end: Option<u64>,
    judgement: Judgement,
}

/// The settings make no sense; every reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSettings {
    /// Of which metric.
    pub metric: String,
    /// What is wrong.
    pub problems: Vec<SettingsError>,
}

/// An interval that ends before it begins, or begins before the last one ended: it would be counted twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder {
    /// When it begins
    pub from: u64,
    /// and ends,
    pub to: u64,
    /// and what was observed already.
    pub until: u64,
}

/// What a verdict is, before it is told: verdict, what follows, why.
type Said = (Verdict, Next, String);

impl Analysis {
    /// Nothing is observed yet. `now` is on the caller's clock, in milliseconds, as the observations' times.
    ///
    /// # Errors
    /// The settings make no sense.
    pub fn new(metric: Metric, now: u64) -> Result<Self, BadSettings> {
        let problems = metric.problems();
        if !problems.is_empty() {
            return Err(BadSettings { metric: metric.name, problems });
        }
        let begins = now.saturating_add(metric.initial_delay.0);
        let comparing = Comparing::new(&metric);
        let minimum_requests = metric.minimum();
        let numbers = Numbers { since: begins, until: now, minimum_requests, ..Numbers::default() };
        let judgement = Judgement {
            metric: metric.name.clone(),
            verdict: Verdict::InsufficientData,
            next: if metric.dry_run { Next::GoOn } else { Next::Hold },
            would: metric.dry_run.then_some(Next::Hold),
            is_final: false,
            reason: "nothing is measured yet".to_owned(),
            numbers: numbers.clone(),
        };
        Ok(Self { metric, started: now, numbers, comparing, open: false, planned_end: None, judgement })
    }

    /// The settings.
    pub fn metric(&self) -> &Metric {
        &self.metric
    }

    /// What it thinks now.
    pub fn judgement(&self) -> &Judgement {
        &self.judgement
    }

    /// Takes one interval in, and says what it thinks. Once it has failed, nothing changes that.
    ///
    /// # Errors
    /// The interval is not after the last one.
    pub fn observe(&mut self, observation: &Observation) -> Result<&Judgement, OutOfOrder> {
        let Observation { from, to, ref reading } = *observation;
        if to <= from || from < self.numbers.until {
            return Err(OutOfOrder { from, to, until: self.numbers.until });
        }
        if self.judgement.is_final {
            return Ok(&self.judgement);
        }
        self.numbers.until = to;
        let said = if from < self.numbers.since {
            self.warm_up(reading);
            let left = Span(self.numbers.since.saturating_sub(to));
            (Verdict::InsufficientData, Next::Hold, format!("it warms up for another {left}"))
        } else {
            let latest = self.take(from, to, reading);
            self.say(latest.as_deref())
        };
        self.tell(said);
        Ok(&self.judgement)
    }

    /// What the baseline does is worth knowing before the canary is judged.
    fn warm_up(&mut self, reading: &Reading) {
        if let (Some(comparing), Reading::Traffic { baseline: Some(baseline), .. }) = (&mut self.comparing, reading)
            && baseline.check().is_ok()
        {
            comparing.learn(baseline);
        }
    }

    /// Counts one interval; gives why it does not count, if so.
    fn take(&mut self, from: u64, to: u64, reading: &Reading) -> Option<String> {
        let outcome = measure(&self.metric, self.comparing.as_ref(), reading);
        self.numbers.measured = self.numbers.measured.saturating_add(1);
        if self.numbers.measured == self.metric.count {
            self.planned_end = Some(to);
        }
        if let Outcome::Error(error) = outcome {
            self.numbers.errors = self.numbers.errors.saturating_add(1);
            self.numbers.errors_in_a_row = self.numbers.errors_in_a_row.saturating_add(1);
            return Some(format!("the source gave an error: {error}"));
        }
        self.numbers.errors_in_a_row = 0;
        self.count_traffic(reading, to);
        match outcome {
            Outcome::Good => {
                self.numbers.judged = self.numbers.judged.saturating_add(1);
                self.close();
                None
            }
            Outcome::Undecided(why) => {
                self.numbers.undecided = self.numbers.undecided.saturating_add(1);
                self.close();
                Some(why)
            }
            Outcome::Bad(breach) => self.breached(breach, from, to),
            Outcome::NoData(why) | Outcome::Error(why) => {
                self.numbers.without_data = self.numbers.without_data.saturating_add(1);
                Some(why)
            }
        }
    }

    fn count_traffic(&mut self, reading: &Reading, to: u64) {
        let add = |side: &mut Side, requests: u64, bad: u64| {
            *side = Side::new(side.requests.saturating_add(requests), side.bad.saturating_add(bad));
        };
        match reading {
            Reading::Traffic { canary, baseline } => {
                add(&mut self.numbers.canary, canary.requests, canary.errors);
                if let Some(baseline) = baseline {
                    add(&mut self.numbers.baseline, baseline.requests, baseline.errors);
                    if let Some(comparing) = &mut self.comparing {
                        comparing.observe(canary, baseline, to);
                    }
                }
            }
            Reading::Value { requests, .. } => add(&mut self.numbers.canary, *requests, 0),
            Reading::Error(_) => {}
        }
    }

    fn close(&mut self) {
        self.open = false;
        self.numbers.broken = None;
    }

    /// A condition is broken in this interval: for how long now, and is that a failure?
    fn breached(&mut self, breach: Breach, from: u64, to: u64) -> Option<String> {
        let for_ms = self.metric.held_for.map_or(0, |span| span.0);
        let before = self.numbers.broken.take().filter(|_| self.open);
        let (since, held) = before.map_or((from, 0), |broken| (broken.since, broken.held_ms));
        let held_ms = held.saturating_add(to - from);
        let Breach { condition, seen, bound } = breach;
        let words = format!("{condition} with {seen}, for {} by now", Span(held_ms));
        self.numbers.broken = Some(Broken { condition, seen, bound, since, held_ms, for_ms });
        self.open = true;
        if self.too_few(self.numbers.canary) {
            self.numbers.without_data = self.numbers.without_data.saturating_add(1);
            return Some(words);
        }
        if held_ms < for_ms {
            self.numbers.undecided = self.numbers.undecided.saturating_add(1);
            return Some(format!("{words}, which is a failure after {}", Span(for_ms)));
        }
        self.numbers.failures = self.numbers.failures.saturating_add(1);
        self.numbers.judged = self.numbers.judged.saturating_add(1);
        // The numbers stay to be shown; the next failure needs the whole time again.
        self.open = false;
        None
    }

    fn too_few(&self, side: Side) -> bool {
        side.requests < self.numbers.minimum_requests
    }

    /// What follows from all that was counted. `latest` is why the last interval did not count.
    fn say(&self, latest: Option<&str>) -> Said {
        let numbers = &self.numbers;
        let words = |c: &Comparing| c.words(numbers.canary, numbers.baseline);
        if let Some(comparing) = self.comparing.as_ref().filter(|c| c.is_worse()) {
            return (Verdict::Fail, self.failed(), format!("worse than the baseline: {}", words(comparing)));
        }
        if numbers.failures > self.metric.failure_limit {
            return (Verdict::Fail, self.failed(), self.failure());
        }
        if numbers.errors_in_a_row > self.metric.consecutive_error_limit {
            let tolerated = self.metric.consecutive_error_limit;
            let reason = format!(
                "{} errors in a row, {tolerated} are tolerated; {}",
                numbers.errors_in_a_row,
                latest.unwrap_or("the source does not work")
            );
            return (Verdict::Error, self.failed(), reason);
        }
        let mut lacking = self.lacking();
        if lacking.is_empty() {
            let mut reason = format!(
                "{} of {} measurements are good",
                numbers.judged.saturating_sub(numbers.failures),
                numbers.judged
            );
            if let Some(comparing) = &self.comparing {
                reason += &format!("; not found to be worse than the baseline: {}", words(comparing));
            }
            return (Verdict::Pass, Next::GoOn, reason);
        }
        lacking.extend(latest.map(str::to_owned));
        let (next, how) = self.insufficient();
        lacking.extend(how);
        (Verdict::InsufficientData, next, lacking.join("; "))
    }

    /// What is missing for a pass.
    fn lacking(&self) -> Vec<String> {
        let (numbers, mut lacking) = (&self.numbers, Vec::new());
        if numbers.judged < self.metric.count {
            lacking.push(format!("{} of {} measurements could be judged", numbers.judged, self.metric.count));
        }
        let baseline = self.comparing.is_some().then_some(("the baseline", numbers.baseline));
        for (who, side) in [("the new revision", numbers.canary)].into_iter().chain(baseline) {
            if self.too_few(side) {
                lacking.push(format!("{who} has served {} of {} requests", side.requests, numbers.minimum_requests));
            }
        }
        if self.open {
            lacking.push("a condition is broken".to_owned());
        }
        lacking
    }

    /// What to do about too little data.
    fn insufficient(&self) -> (Next, Option<String>) {
        let Some(planned_end) = self.planned_end else { return (Next::Hold, None) };
        let over = self.numbers.until.saturating_sub(planned_end);
        match self.metric.on_insufficient_data {
            OnInsufficientData::Hold => (Next::Hold, None),
            OnInsufficientData::Extend(limit) if over < limit.0 => {
                (Next::Extend, Some(format!("it may take {} more", Span(limit.0 - over))))
            }
            OnInsufficientData::Extend(limit) => {
                (self.failed(), Some(format!("it was extended by {limit}, which did not help")))
            }
            // Not over a condition that is broken and only waits for its time or for more requests.
            OnInsufficientData::Pass if self.open => (Next::Hold, None),
            OnInsufficientData::Pass => (Next::GoOn, Some("it goes on without, as its settings say".to_owned())),
            OnInsufficientData::Fail => (self.failed(), Some("its settings say to fail then".to_owned())),
        }
    }

    fn failed(&self) -> Next {
        match self.metric.action {
            Action::Automatic => Next::Abort,
            Action::Ask => Next::Ask,
        }
    }

    /// By which condition it failed, in words.
    fn failure(&self) -> String {
        let numbers = &self.numbers;
        let mut reason = numbers.broken.as_ref().map_or_else(
            || "a condition was broken".to_owned(),
            |b| {
                let since = Span(b.since.saturating_sub(self.started));
                let (seen, bound, held) = (&b.seen, &b.bound, Span(b.held_ms));
                format!("{} for {held}, since {since} after the start: {seen} against {bound}", b.condition)
            },
        );
        if numbers.failures > 1 {
            reason += &format!("; {} failures, {} are tolerated", numbers.failures, self.metric.failure_limit);
        }
        if numbers.canary.requests > 0 {
            reason += &format!("; {} requests in all", numbers.canary.requests);
            if numbers.canary.bad > 0 {
                reason += &format!(", {} of them failed", numbers.canary.bad);
            }
        }
        reason
    }

    fn tell(&mut self, (verdict, next, reason): Said) {
        let dry_run = self.metric.dry_run;
        self.judgement.verdict = verdict;
        self.judgement.next = if dry_run { Next::GoOn } else { next };
        self.judgement.would = dry_run.then_some(next);
        self.judgement.is_final = matches!(next, Next::Abort | Next::Ask);
        self.judgement.reason = reason;
        self.judgement.numbers = self.numbers.clone();
        self.judgement.numbers.comparison = self.comparing.as_ref().map(Comparing::numbers);
    }
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the metric `{}`: ", self.metric)?;
        for (at, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if at > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for OutOfOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, until } = self;
        write!(f, "an interval from {from} to {to} cannot follow what was observed until {until}")
    }
}

impl std::error::Error for BadSettings {}
impl std::error::Error for OutOfOrder {}
