//! Evidence gathered over intervals: the wealth of a gambler who learns what to bet on.

use super::block::{Alternative, Table, ln_e_value};
use serde::{Deserialize, Serialize};

/// How much larger the canary's odds of a bad request may be, as ln: every bet is one of these. The best of them gets
/// at least four fifths of what the true one would, between a tenth more and a hundred and fifty times the odds.
const LIFTS: [f64; 7] = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0];

/// One more for "no bet", which keeps what was won when there is nothing to find.
const BETS: usize = LIFTS.len() + 1;

/// What the baseline's chance may be while nothing is known of it.
const UNKNOWN: [f64; 6] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3];

/// How many requests of the baseline are remembered: enough to know a rare error, few enough to follow the day.
const MEMORY: f64 = 20_000.0;

/// Evidence that the canary's chance of a bad request is more than the baseline's plus a margin.
///
/// In each interval it bets on a mixture of alternatives. Their weights are what each of them would have won so far
/// (Bayes), and a share that falls as 1/t is dealt out anew, so that a revision that fails only after a long healthy
/// time is found as well. A mixture of e-variables whose weights are fixed beforehand is an e-variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Evidence {
    margin: f64,
    ln_wealth: f64,
    ln_peak: f64,
    intervals: u32,
    weights: [f64; BETS],
    /// Of the baseline, so far: requests and bad ones. Fractions, since old ones fade.
    seen: (f64, f64),
}

impl Evidence {
    /// None yet.
    pub fn new(margin: f64) -> Self {
        let margin = if margin.is_finite() { margin.clamp(0.0, 1.0) } else { 0.0 };
        Self {
            margin,
            ln_wealth: 0.0,
            ln_peak: 0.0,
            intervals: 0,
            weights: [1.0 / BETS as f64; BETS],
            seen: (0.0, 0.0),
        }
    }

    /// ln of the e-value now.
    pub fn ln_e(&self) -> f64 {
        self.ln_wealth
    }

    /// ln of the largest e-value so far; 1 over it bounds the chance of a false alarm.
    pub fn ln_peak(&self) -> f64 {
        self.ln_peak
    }

    /// Takes one interval in.
    pub fn observe(&mut self, table: &Table) {
        let bases = self.bases();
        self.observe_with(&bases, table);
        let kept = (MEMORY / (self.seen.0 + table.baseline.requests as f64)).min(1.0);
        self.seen.0 = (self.seen.0 + table.baseline.requests as f64) * kept;
        self.seen.1 = (self.seen.1 + table.baseline.bad as f64) * kept;
    }

    /// The same for a baseline whose chance the caller knows, from before this interval.
    pub(super) fn observe_with(&mut self, bases: &[f64], table: &Table) {
        if table.baseline.requests == 0 || table.canary.requests == 0 {
            return;
        }
        let mut won = [0.0; BETS];
        for (ln, lift) in won.iter_mut().zip(LIFTS) {
            let each: Vec<f64> = bases.iter().map(|&base| self.won(base, lift, table)).collect();
            *ln = super::ln_mean(&each);
        }
        self.intervals = self.intervals.saturating_add(1);
        self.ln_wealth += self.learn(&won);
        self.ln_peak = self.ln_peak.max(self.ln_wealth);
    }

    /// ln of what one bet wins.
    fn won(&self, base: f64, lift: f64, table: &Table) -> f64 {
        let base = base.clamp(1e-9, 1.0 - 1e-9);
        let edge = base + self.margin;
        if edge >= 1.0 - 1e-9 {
            return 0.0;
        }
        let odds = edge / (1.0 - edge) * lift.exp();
        let canary = (odds / (1.0 + odds)).min(1.0 - 1e-12);
        ln_e_value(table, Alternative { baseline: base, canary }, self.margin)
    }

    /// Weighs the bets by what they won, and gives ln of what the mixture won.
    fn learn(&mut self, won: &[f64; BETS]) -> f64 {
        // "No bet" always has weight and wins 1, so neither the most nor the sum is ever zero.
        let most = won.iter().copied().fold(0.0, f64::max);
        let mut sum = 0.0;
        for (weight, ln) in self.weights.iter_mut().zip(won) {
            *weight *= (ln - most).exp();
            sum += *weight;
        }
        let anew = 1.0 / (f64::from(self.intervals) + 1.0);
        for weight in &mut self.weights {
            *weight = (1.0 - anew) * *weight / sum + anew / BETS as f64;
        }
        most + sum.ln()
    }

    /// What the baseline's chance may be, by all that was seen before.
    fn bases(&self) -> Vec<f64> {
        let (requests, bad) = self.seen;
        // The mean of a Beta(1/2, 1/2) after what was seen.
        if requests > 0.0 { vec![(bad + 0.5) / (requests + 1.0)] } else { UNKNOWN.to_vec() }
    }
}
