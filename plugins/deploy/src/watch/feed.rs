//! One metric, and how far it was fed.

use windlass_analysis::{Analysis, Judgement, Metric, Next, Observation, Reading, Verdict};
use windlass_plugin::Failure;

/// One metric, and how far it was fed.
#[derive(Debug)]
pub(super) struct Feed {
    analysis: Analysis,
    /// Where the next window begins.
    pub(super) until: u64,
    /// A person has said to go on all the same.
    pub(super) overruled: bool,
    /// It was fed since the weights changed last.
    fed: bool,
    /// What of it was told last.
    told: Option<(Verdict, Next, String)>,
}

impl Feed {
    /// Nothing is measured before `from`.
    ///
    /// # Errors
    /// The metric makes no sense.
    pub(super) fn new(metric: Metric, from: u64) -> Result<Self, Failure> {
        let analysis = Analysis::new(metric, from)?;
        Ok(Self { analysis, until: from, overruled: false, fed: false, told: None })
    }

    /// The weights have changed.
    pub(super) fn restart(&mut self, from: u64) {
        self.until = self.until.max(from);
        self.fed = false;
    }

    pub(super) fn metric(&self) -> &Metric {
        self.analysis.metric()
    }

    pub(super) fn said(&self) -> &Judgement {
        self.analysis.judgement()
    }

    /// When its next interval is over. Windows are whole seconds.
    pub(super) fn due(&self) -> u64 {
        self.until.saturating_add(self.metric().interval.0.next_multiple_of(1_000).max(1_000))
    }

    /// Takes an interval in.
    ///
    /// # Errors
    /// It is not after the last one.
    pub(super) fn observe(&mut self, (from, to): (u64, u64), reading: Reading) -> Result<(), Failure> {
        self.analysis.observe(&Observation { from: from.max(self.until), to, reading })?;
        self.until = to;
        self.fed = true;
        Ok(())
    }

    /// What it says, if that is another verdict or asks for something else than what was told last.
    pub(super) fn news(&mut self) -> Option<&Judgement> {
        let judgement = self.analysis.judgement();
        let same =
            |(verdict, next, _): &(Verdict, Next, String)| *verdict == judgement.verdict && *next == judgement.next;
        if self.told.as_ref().is_some_and(same) {
            return None;
        }
        self.told = Some((judgement.verdict, judgement.next, judgement.reason.clone()));
        Some(judgement)
    }

    /// What it says at the end, if nobody was told of these numbers.
    pub(super) fn last_words(&self) -> Option<&Judgement> {
        let judgement = self.analysis.judgement();
        let told = self.told.as_ref().is_some_and(|(_, _, reason)| *reason == judgement.reason);
        (!told && !self.overruled).then_some(judgement)
    }

    /// The deploy may take its next step, as far as this one is concerned: it has looked at how things stand now, and
    /// found nothing.
    pub(super) fn lets_go_on(&self) -> bool {
        self.overruled || self.metric().dry_run || (self.fed && self.said().next == Next::GoOn)
    }

    /// It has something to say to a person: that all is well, or that its measurements are over and do not suffice.
    pub(super) fn has_spoken(&self) -> bool {
        self.lets_go_on() || (self.fed && self.said().numbers.measured >= self.metric().count)
    }
}

#[cfg(test)]
mod tests {
    use windlass_analysis::Traffic;

    use super::*;

    fn feed(settings: &str) -> Feed {
        Feed::new(serde_json::from_str(settings).unwrap(), 10_000).unwrap()
    }

    fn traffic(requests: u64, errors: u64) -> Reading {
        let canary = Traffic { requests, errors, ..Traffic::default() };
        Reading::Traffic { canary, baseline: None }
    }

    #[test]
    fn windows_follow_each_other_and_begin_anew_with_the_weights() {
        let mut feed = feed(r#"{"name":"errors","failure":"error-rate > 5%","interval":"1500ms","count":2}"#);
        assert_eq!(feed.due(), 12_000);
        feed.observe((10_000, 12_000), traffic(100, 0)).unwrap();
        assert_eq!((feed.until, feed.lets_go_on()), (12_000, false));
        feed.observe((12_000, 14_000), traffic(100, 0)).unwrap();
        assert!(feed.lets_go_on());
        feed.restart(15_000);
        assert!(!feed.lets_go_on());
        assert_eq!(feed.due(), 17_000);
    }

    #[test]
    fn only_what_is_new_is_told() {
        let mut feed = feed(r#"{"name":"errors","failure":"error-rate > 5%","interval":"1s","count":3}"#);
        feed.observe((10_000, 11_000), traffic(100, 0)).unwrap();
        assert!(feed.news().is_some());
        feed.observe((11_000, 12_000), traffic(100, 0)).unwrap();
        assert!(feed.news().is_none());
        assert!(feed.last_words().is_some());
        feed.observe((12_000, 13_000), traffic(100, 50)).unwrap();
        assert_eq!(feed.news().map(|judgement| judgement.next), Some(Next::Abort));
        assert!(feed.last_words().is_none());
    }

    #[test]
    fn too_little_data_is_told_to_a_person_when_the_measurements_are_over() {
        let mut feed = feed(r#"{"name":"errors","failure":"error-rate > 5%","interval":"1s","count":2}"#);
        feed.observe((10_000, 11_000), traffic(1, 0)).unwrap();
        assert!(!feed.has_spoken());
        feed.observe((11_000, 12_000), traffic(1, 0)).unwrap();
        assert!(feed.has_spoken() && !feed.lets_go_on());
    }
}
