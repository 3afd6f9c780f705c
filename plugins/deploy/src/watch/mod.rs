//! Judging the new revision while it serves: asks the router and Prometheus at each metric's interval, hands what was
//! measured to the analysis, and does what it says.

mod feed;
mod observe;

use std::time::Duration;

use windlass_analysis::{Judgement, Next, Verdict, overall};
use windlass_plugin::traffic::{self, Measurements};
use windlass_plugin::{Failure, OrFail, approval, info, timer, warn};

use crate::with::Analysis;
use feed::Feed;

/// What judges one revision of one service.
#[derive(Debug)]
pub(crate) struct Watch {
    service: String,
    canary: String,
    baseline: Option<String>,
    settings: Option<Analysis>,
    feeds: Vec<Feed>,
    /// The weights have changed since anything was measured.
    moved: bool,
    /// The router's clock, as far as is known.
    now: u64,
}

impl Watch {
    pub(crate) fn new(service: &str, canary: &str, baseline: Option<String>, settings: Option<Analysis>) -> Self {
        let (service, canary) = (service.to_owned(), canary.to_owned());
        Self { service, canary, baseline, settings, feeds: Vec::new(), moved: false, now: 0 }
    }

    /// The weights have changed: what is measured across that compares nothing, so every window begins anew when the next
    /// pause does. The first time, the analysis begins.
    pub(crate) fn moved(&mut self) {
        self.moved = true;
    }

    /// A pause begins.
    fn begin(&mut self) -> Result<(), Failure> {
        let Some(settings) = self.settings.as_ref().filter(|_| self.moved || !self.feeds.is_empty()) else {
            return Ok(());
        };
        self.now = self.measure()?.now_ms;
        if !std::mem::take(&mut self.moved) {
            return Ok(());
        }
        // Windows are whole seconds; the one in which the weights changed belongs to neither side.
        let from = self.now.next_multiple_of(1_000);
        if !self.feeds.is_empty() {
            self.feeds.iter_mut().for_each(|feed| feed.restart(from));
            return Ok(());
        }
        for metric in &settings.metrics {
            if self.baseline.is_none() && metric.needs_baseline() {
                info!("`{}` is not judged: there is no previous revision to compare with", metric.name);
            } else {
                self.feeds.push(Feed::new(metric.clone(), from)?);
            }
        }
        Ok(())
    }

    /// Lets so much time pass, and judges meanwhile. Takes longer where there is too little to judge by. `alone`: the
    /// previous revision does not serve any more, so nobody waits for what compares with it.
    ///
    /// # Errors
    /// The new revision is bad, or a person has said so.
    pub(crate) fn over(&mut self, millis: u64, alone: bool) -> Result<(), Failure> {
        self.begin()?;
        if self.feeds.is_empty() {
            timer::sleep(Duration::from_millis(millis));
            return Ok(());
        }
        let end = self.now.saturating_add(millis);
        let mut told = false;
        loop {
            let over = self.now >= end;
            if over && self.feeds.iter().all(|feed| feed.lets_go_on() || (alone && feed.metric().needs_baseline())) {
                return Ok(());
            }
            if over && !std::mem::replace(&mut told, true) {
                info!("the time is over, and the analysis is not: it stays as it is");
            }
            self.sleep_and_look(if over { u64::MAX } else { end })?;
        }
    }

    /// Measures until every metric has something to say to the person who is asked. Gives it, for the question.
    ///
    /// # Errors
    /// The new revision is bad, or a person has said so.
    pub(crate) fn until_told(&mut self) -> Result<String, Failure> {
        self.begin()?;
        while !self.feeds.iter().all(|feed| feed.has_spoken()) {
            self.sleep_and_look(u64::MAX)?;
        }
        let verdicts: Vec<_> = self.feeds.iter().map(|feed| feed.said().to_string()).collect();
        Ok(if verdicts.is_empty() { String::new() } else { format!("; {}", verdicts.join("; ")) })
    }

    /// Takes in what happened while a person thought.
    ///
    /// # Errors
    /// The new revision has become bad meanwhile.
    pub(crate) fn after_approval(&mut self) -> Result<(), Failure> {
        if self.feeds.is_empty() {
            return Ok(());
        }
        self.now = self.measure()?.now_ms;
        self.look()
    }

    /// Sleeps until the next metric is due, or until `end`, and looks.
    fn sleep_and_look(&mut self, end: u64) -> Result<(), Failure> {
        let due = self.feeds.iter().map(Feed::due).min().unwrap_or(end).min(end);
        // Never without a pause: the router may give windows that are a second behind.
        let millis = due.saturating_sub(self.now).max(100);
        timer::sleep(Duration::from_millis(millis));
        self.now = self.now.saturating_add(millis);
        self.look()
    }

    /// Feeds every metric that is due, and obeys.
    fn look(&mut self) -> Result<(), Failure> {
        let due: Vec<usize> = (0..self.feeds.len()).filter(|at| self.feeds[*at].due() <= self.now).collect();
        let mut seen: Vec<(u64, Result<Measurements, Failure>)> = Vec::new();
        for at in due {
            let from = self.feeds[at].until;
            if !seen.iter().any(|(known, _)| *known == from) {
                seen.push((from, self.ask(from)?));
            }
            let Some((_, measured)) = seen.iter().find(|(known, _)| *known == from) else { continue };
            if let Ok(measured) = measured {
                self.now = measured.now_ms;
            }
            let measured = measured.clone();
            self.feed(at, measured.as_ref().map_err(Failure::message))?;
        }
        self.obey()
    }

    /// What was measured from a moment on. A denial is none of the router's faults: it ends the deploy at once.
    fn ask(&self, from: u64) -> Result<Result<Measurements, Failure>, Failure> {
        match traffic::measure(&self.service, Some(from), 0) {
            Err(error @ traffic::Error::Denied(_)) => Err(Failure::from(error)),
            other => Ok(other.map_err(Failure::from)),
        }
    }

    fn measure(&self) -> Result<Measurements, Failure> {
        traffic::measure(&self.service, None, 1_000)
            .or_fail_with(|| format!("ask what was measured of {}", self.service))
    }

    fn feed(&mut self, at: usize, measured: Result<&Measurements, &str>) -> Result<(), Failure> {
        let Some(settings) = &self.settings else { return Ok(()) };
        let feed = &mut self.feeds[at];
        let window = observe::window(measured, feed.until, self.now);
        // The router's clock may be a moment behind: not an interval yet.
        if window.1 < feed.due() || window.1 <= window.0 {
            return Ok(());
        }
        let about = observe::About {
            service: &self.service,
            canary: &self.canary,
            baseline: self.baseline.as_deref(),
            prometheus: settings.prometheus.as_deref(),
        };
        let reading = observe::reading(feed.metric(), &about, measured)?;
        feed.observe(window, reading)?;
        if let Some(judgement) = feed.news() {
            info!("{judgement}");
            record(&self.service, &self.canary, judgement, &judgement.next.to_string());
        }
        Ok(())
    }

    /// Does what the metrics say together.
    fn obey(&mut self) -> Result<(), Failure> {
        let binding = self.feeds.iter().filter(|feed| !feed.overruled).map(Feed::said);
        match overall(binding).map(|overall| overall.next) {
            Some(Next::Abort) => Err(Failure::new(self.words(Next::Abort))),
            Some(Next::Ask) => self.ask_a_person(),
            Some(Next::GoOn | Next::Hold | Next::Extend) | None => Ok(()),
        }
    }

    /// What those metrics say that want this.
    fn words(&self, next: Next) -> String {
        let those = self.feeds.iter().filter(|feed| !feed.overruled && feed.said().next == next);
        let words: Vec<_> =
            those.map(|feed| feed.said()).map(|j| format!("{}: {}: {}", j.metric, j.verdict, j.reason)).collect();
        words.join("; ")
    }

    fn ask_a_person(&mut self) -> Result<(), Failure> {
        let words = self.words(Next::Ask);
        let question = format!("{} of {}: {words}; go on all the same?", self.canary, self.service);
        let decision = approval::wait(&question).or_fail("wait until somebody has decided")?;
        let reason = decision.reason.filter(|reason| !reason.is_empty()).map(|reason| format!(": {reason}"));
        let said = format!(
            "{} by {}{}",
            if decision.approved { "accepted" } else { "rejected" },
            decision.by,
            reason.unwrap_or_default()
        );
        for feed in self.feeds.iter_mut().filter(|feed| !feed.overruled && feed.said().next == Next::Ask) {
            record(&self.service, &self.canary, feed.said(), &said);
            feed.overruled = true;
        }
        if !decision.approved {
            return Err(Failure::new(format!("{words}; {said}")));
        }
        info!("{said}");
        self.now = self.measure()?.now_ms;
        Ok(())
    }

    /// The deploy is over: what was said last goes into the record, with its numbers.
    pub(crate) fn end(&mut self) {
        for feed in self.feeds.drain(..) {
            if let Some(judgement) = feed.last_words() {
                record(&self.service, &self.canary, judgement, &judgement.next.to_string());
            }
        }
    }
}

/// Writes a judgement into the record. That it cannot be written is no reason to fail.
fn record(service: &str, revision: &str, judgement: &Judgement, next: &str) {
    let verdict = match judgement.verdict {
        Verdict::Pass => traffic::Verdict::Pass,
        Verdict::Fail => traffic::Verdict::Fail,
        Verdict::InsufficientData => traffic::Verdict::InsufficientData,
        Verdict::Error => traffic::Verdict::Error,
    };
    let written = traffic::Judgement {
        revision: revision.to_owned(),
        metric: judgement.metric.clone(),
        verdict,
        next: next.to_owned(),
        reason: judgement.reason.clone(),
    };
    if let Err(error) = traffic::judge(service, &written) {
        warn!("the judgement of `{}` is not in the record: {}", judgement.metric, Failure::from(error));
    }
}
