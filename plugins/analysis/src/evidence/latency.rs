//! Evidence that the canary is slower, from histograms.

use super::block::{Side, Table};
use super::process::Evidence;
use crate::observation::Histogram;
use serde::{Deserialize, Serialize};

/// Which of the baseline's quantiles become thresholds: the middle, the slow ones, the tail.
const LEVELS: [f64; 3] = [0.5, 0.9, 0.99];

/// How many of the baseline's requests are remembered.
const MEMORY: f64 = 20_000.0;

/// Where one threshold stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Threshold {
    /// The quantile of the baseline's earlier requests that it was taken from.
    pub level: f64,
    /// What it was in the last interval, for the baseline, in milliseconds; none before the baseline was seen.
    pub baseline_ms: Option<f64>,
    /// And for the canary, which may be slower by the minimum effect.
    pub canary_ms: Option<f64>,
    evidence: Evidence,
}

impl Threshold {
    /// ln of this threshold's own e-value.
    pub fn ln_e(&self) -> f64 {
        self.evidence.ln_e()
    }
}

/// Evidence against "the canary's requests, each made shorter by the minimum effect, are no slower than the
/// baseline's".
///
/// Under that, for any threshold t, the canary goes over t·(1 + effect) no more often than the baseline over t: a
/// two-by-two table. The thresholds come from the baseline's earlier intervals, so they are fixed before the interval
/// they judge. The average of their e-values is an e-value, and one that finds something suffices to make it large.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LatencyEvidence {
    slower: f64,
    bounds_ms: Vec<f64>,
    /// The baseline's earlier requests by bucket; fractions, since old ones fade.
    seen: Vec<f64>,
    thresholds: Vec<Threshold>,
    ln_peak: f64,
}

impl LatencyEvidence {
    /// None yet. `slower` is how much slower does not matter: 0.1 is a tenth.
    pub fn new(slower: f64) -> Self {
        let slower = if slower.is_finite() { slower.max(0.0) } else { 0.0 };
        let fresh = |level| Threshold { level, baseline_ms: None, canary_ms: None, evidence: Evidence::new(0.0) };
        Self {
            slower,
            bounds_ms: Vec::new(),
            seen: Vec::new(),
            thresholds: LEVELS.into_iter().map(fresh).collect(),
            ln_peak: 0.0,
        }
    }

    /// ln of the e-value now.
    pub fn ln_e(&self) -> f64 {
        let each: Vec<f64> = self.thresholds.iter().map(Threshold::ln_e).collect();
        super::ln_mean(&each)
    }

    /// ln of the largest e-value so far.
    pub fn ln_peak(&self) -> f64 {
        self.ln_peak
    }

    /// The thresholds, and what each has found.
    pub fn thresholds(&self) -> &[Threshold] {
        &self.thresholds
    }

    /// Takes one interval in. Without a canary it only learns what the baseline does; histograms with different
    /// buckets cannot be compared and are left out.
    pub fn observe(&mut self, baseline: &Histogram, canary: Option<&Histogram>) {
        if let Some(canary) = canary.filter(|c| c.bounds_ms == baseline.bounds_ms)
            && self.bounds_ms == baseline.bounds_ms
        {
            self.compare(baseline, canary);
        }
        self.remember(baseline);
    }

    fn compare(&mut self, baseline: &Histogram, canary: &Histogram) {
        let total: f64 = self.seen.iter().sum();
        if total <= 0.0 {
            return;
        }
        for threshold in &mut self.thresholds {
            let Some(at) = bound_at(&self.seen, total * threshold.level) else { continue };
            let Some(&bound) = self.bounds_ms.get(at) else { continue };
            // The next bound that is far enough; beyond the last one nothing is known.
            let far = bound * (1.0 + self.slower) * (1.0 - 1e-9);
            let Some((above, &limit)) = self.bounds_ms.iter().enumerate().find(|(_, b)| **b >= far) else { continue };
            (threshold.baseline_ms, threshold.canary_ms) = (Some(bound), Some(limit));
            let over: f64 = self.seen.iter().skip(at + 1).sum();
            let table = Table { baseline: over_bound(baseline, at), canary: over_bound(canary, above) };
            threshold.evidence.observe_with(&[(over + 0.5) / (total + 1.0)], &table);
        }
        self.ln_peak = self.ln_peak.max(self.ln_e());
    }

    fn remember(&mut self, baseline: &Histogram) {
        if self.bounds_ms != baseline.bounds_ms {
            self.bounds_ms.clone_from(&baseline.bounds_ms);
            self.seen = vec![0.0; baseline.counts.len()];
        }
        for (seen, count) in self.seen.iter_mut().zip(&baseline.counts) {
            *seen += *count as f64;
        }
        let total: f64 = self.seen.iter().sum();
        if total > MEMORY {
            self.seen.iter_mut().for_each(|seen| *seen *= MEMORY / total);
        }
    }
}

/// The first bucket up to which there are at least `wanted`.
fn bound_at(counts: &[f64], wanted: f64) -> Option<usize> {
    let mut sum = 0.0;
    counts.iter().position(|count| {
        sum += count;
        sum >= wanted
    })
}

fn over_bound(histogram: &Histogram, at: usize) -> Side {
    Side::new(histogram.total(), histogram.counts.iter().skip(at + 1).sum())
}
