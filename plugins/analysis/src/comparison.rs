//! The comparison with the baseline, as the settings ask for it.

use crate::evidence::{Evidence, LatencyEvidence, Side, Table};
use crate::judgement::Comparison;
use crate::observation::{Histogram, Traffic};
use crate::settings::{Compare, Metric};
use crate::units::Share;
use serde::{Deserialize, Serialize};

/// The evidence so far, of one kind or the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Errors(Evidence),
    Latency(LatencyEvidence),
}

/// A comparison under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Comparing {
    kind: Kind,
    alpha: f64,
    effect: f64,
    worse_since: Option<u64>,
}

impl Comparing {
    pub(crate) fn new(metric: &Metric) -> Option<Self> {
        let effect = metric.effect();
        let kind = match metric.compare? {
            Compare::ErrorRate => Kind::Errors(Evidence::new(effect)),
            Compare::Latency => Kind::Latency(LatencyEvidence::new(effect)),
        };
        Some(Self { kind, alpha: metric.alpha, effect, worse_since: None })
    }

    /// Why one interval cannot be compared.
    pub(crate) fn missing(&self, canary: &Traffic, baseline: Option<&Traffic>) -> Option<String> {
        let Some(baseline) = baseline else { return Some("no baseline served".to_owned()) };
        for (who, traffic) in [("new revision", canary), ("baseline", baseline)] {
            if traffic.requests == 0 {
                return Some(format!("the {who} had no requests"));
            }
            if matches!(self.kind, Kind::Latency(_)) && traffic.latency.total() == 0 {
                return Some(format!("no times were measured for the {who}"));
            }
        }
        None
    }

    /// What the baseline did while the canary was not judged yet.
    pub(crate) fn learn(&mut self, baseline: &Traffic) {
        match &mut self.kind {
            Kind::Errors(evidence) => {
                let side = Side::new(baseline.requests, baseline.errors);
                evidence.observe(&Table { baseline: side, canary: Side::default() });
            }
            Kind::Latency(evidence) => learn_latency(evidence, &baseline.latency, None),
        }
    }

    /// What both did in the same interval, which ended at `at`.
    pub(crate) fn observe(&mut self, canary: &Traffic, baseline: &Traffic, at: u64) {
        let ln_e = match &mut self.kind {
            Kind::Errors(evidence) => {
                let side = |traffic: &Traffic| Side::new(traffic.requests, traffic.errors);
                evidence.observe(&Table { baseline: side(baseline), canary: side(canary) });
                evidence.ln_e()
            }
            Kind::Latency(evidence) => {
                learn_latency(evidence, &baseline.latency, Some(&canary.latency));
                evidence.ln_e()
            }
        };
        if ln_e >= -self.alpha.ln() {
            self.worse_since.get_or_insert(at);
        }
    }

    /// The evidence has sufficed, at some moment.
    pub(crate) fn is_worse(&self) -> bool {
        self.worse_since.is_some()
    }

    /// The numbers, for reports.
    pub(crate) fn numbers(&self) -> Comparison {
        let (compare, ln_e, ln_peak, thresholds) = match &self.kind {
            Kind::Errors(e) => (Compare::ErrorRate, e.ln_e(), e.ln_peak(), Vec::new()),
            Kind::Latency(e) => (Compare::Latency, e.ln_e(), e.ln_peak(), e.thresholds().to_vec()),
        };
        Comparison {
            compare,
            // Shown, and no longer reckoned with: it need not be larger than what JSON can hold.
            e_value: ln_e.exp().min(1e300),
            needed: 1.0 / self.alpha,
            alpha: self.alpha,
            confidence: 1.0 - (-ln_peak.max(0.0)).exp(),
            minimum_effect: self.effect,
            worse_since: self.worse_since,
            thresholds,
        }
    }

    /// What was found, in words.
    pub(crate) fn words(&self, canary: Side, baseline: Side) -> String {
        let numbers = self.numbers();
        let effect = Share(self.effect);
        let evidence = format!(
            "e-value {}, {} needed (alpha {}); confidence {}",
            rounded(numbers.e_value),
            rounded(numbers.needed),
            self.alpha,
            confidence(numbers.confidence),
        );
        match numbers.compare {
            Compare::ErrorRate => format!(
                "errors: {} against {} of the baseline, {effect} more does not matter: {evidence}",
                share(canary),
                share(baseline)
            ),
            Compare::Latency => {
                let each = numbers.thresholds.iter().filter_map(|t| {
                    let (baseline, canary) = (t.baseline_ms?, t.canary_ms?);
                    let e = rounded(t.ln_e().exp());
                    Some(format!(
                        "p{:.0}: over {canary:.1} ms against over {baseline:.1} ms, e-value {e}",
                        t.level * 100.0
                    ))
                });
                let each: Vec<String> = each.collect();
                let each = if each.is_empty() { "no thresholds yet".to_owned() } else { each.join("; ") };
                format!("latency, {effect} slower does not matter: {evidence} ({each})")
            }
        }
    }
}

fn learn_latency(evidence: &mut LatencyEvidence, baseline: &Histogram, canary: Option<&Histogram>) {
    if !baseline.counts.is_empty() {
        evidence.observe(baseline, canary);
    }
}

fn share(side: Side) -> String {
    let rate = side.rate().map_or_else(|| "none".to_owned(), |rate| format!("{:.2}%", rate * 100.0));
    format!("{rate} ({} of {})", side.bad, side.requests)
}

fn rounded(number: f64) -> String {
    match number {
        n if n >= 1e6 => format!("{n:.1e}"),
        n if n >= 100.0 => format!("{n:.0}"),
        n if n >= 0.01 => format!("{n:.2}"),
        _ => "under 0.01".to_owned(),
    }
}

fn confidence(confidence: f64) -> String {
    if confidence > 0.9999 { "over 99.99%".to_owned() } else { format!("{:.2}%", confidence * 100.0) }
}
