//! The e-variable of one interval: a two-by-two table of baseline and canary, hits and misses.

use serde::{Deserialize, Serialize};

/// One row of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Side {
    /// How many requests.
    pub requests: u64,
    /// How many of them were bad: errors, or slower than a threshold.
    pub bad: u64,
}

impl Side {
    /// `bad` of `requests`.
    pub const fn new(requests: u64, bad: u64) -> Self {
        Self { requests, bad }
    }

    /// The share of bad ones; none without requests.
    pub fn rate(self) -> Option<f64> {
        (self.requests > 0).then(|| self.bad as f64 / self.requests as f64)
    }

    /// ln of what multiplies a likelihood when every request's chance to be bad is `to` instead of `from`.
    fn ln_ratio(self, from: f64, to: f64) -> f64 {
        let (bad, good) = (self.bad as f64, self.requests.saturating_sub(self.bad) as f64);
        // `ln_1p` keeps the digits of chances near zero.
        times(bad, (to / from).ln()) + times(good, (-to).ln_1p() - (-from).ln_1p())
    }
}

/// 0 × infinity is 0 here: nothing was seen of what cannot happen.
fn times(count: f64, ln: f64) -> f64 {
    if count == 0.0 { 0.0 } else { count * ln }
}

/// What both revisions did in the same interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Table {
    /// The revision that served before.
    pub baseline: Side,
    /// The new one.
    pub canary: Side,
}

/// A bet: these are the chances of a bad request. Fixed before the outcomes are seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alternative {
    /// Of the baseline, inside (0, 1).
    pub baseline: f64,
    /// Of the canary, inside (0, 1).
    pub canary: f64,
}

/// ln of the e-variable of one interval against "the canary's chance is at most the baseline's plus `margin`".
///
/// It is the likelihood of the bet over that of the point of the null nearest to it, in relative entropy weighted with
/// the numbers of requests. Why its mean is at most 1 for *every* point of the null, for any numbers of requests: the
/// mean is f(b)^m · g(c)^n with f, g linear in the true chances; by the weighted inequality of means it is at most
/// ((m·f + n·g)/(m + n))^(m + n); that sum is 1 at the nearest point, and since that point is a minimum over a convex
/// set, it is no larger anywhere in the set.
pub fn ln_e_value(table: &Table, bet: Alternative, margin: f64) -> f64 {
    let (m, n) = (table.baseline.requests as f64, table.canary.requests as f64);
    // Nobody to compare with, or a bet that is itself in the null: no bet.
    if m == 0.0 || n == 0.0 || bet.canary - bet.baseline <= margin {
        return 0.0;
    }
    let nearest = nearest(m, n, bet, margin);
    table.baseline.ln_ratio(nearest, bet.baseline) + table.canary.ln_ratio(nearest + margin, bet.canary)
}

/// The baseline's chance at the point of the null's edge that is nearest to the bet.
fn nearest(m: f64, n: f64, bet: Alternative, margin: f64) -> f64 {
    if margin == 0.0 {
        return (m * bet.baseline + n * bet.canary) / (m + n);
    }
    // The distance is convex along the edge; its slope is negative at `low` and positive at `high`.
    let (mut low, mut high) = (bet.baseline, bet.canary - margin);
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        let other = middle + margin;
        let slope = m * (middle - bet.baseline) / (middle * (1.0 - middle))
            + n * (other - bet.canary) / (other * (1.0 - other));
        if slope < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chance of `k` of `n`.
    fn binomial(n: u64, k: u64, p: f64) -> f64 {
        let ways: f64 = (0..k).map(|i| (n - i) as f64 / (k - i) as f64).product();
        ways * p.powi(k as i32) * (1.0 - p).powi((n - k) as i32)
    }

    /// The mean of the e-variable, summed over every possible outcome.
    fn mean(m: u64, n: u64, truth: (f64, f64), bet: Alternative, margin: f64) -> f64 {
        let mut mean = 0.0;
        for i in 0..=m {
            for j in 0..=n {
                let table = Table { baseline: Side::new(m, i), canary: Side::new(n, j) };
                mean += binomial(m, i, truth.0) * binomial(n, j, truth.1) * ln_e_value(&table, bet, margin).exp();
            }
        }
        mean
    }

    #[test]
    fn its_mean_is_at_most_one_everywhere_in_the_null_whatever_the_sizes() {
        let grid = [0.0_f64, 0.001, 0.01, 0.1, 0.3, 0.5, 0.8, 0.99, 1.0];
        let bets = [(0.005, 0.1), (0.01, 0.02), (0.3, 0.5), (0.5, 0.99), (0.9, 0.95)];
        let mut largest: f64 = 0.0;
        for (m, n) in [(1, 1), (1, 12), (12, 1), (20, 3), (7, 7)] {
            for margin in [0.0, 0.001, 0.03, 0.2] {
                for (baseline, canary) in bets {
                    for base in grid {
                        for below in [0.0, 0.005, 0.1, 0.4] {
                            let truth = (base, (base + margin - below).clamp(0.0, 1.0));
                            let mean = mean(m, n, truth, Alternative { baseline, canary }, margin);
                            assert!(mean <= 1.0 + 1e-9, "{mean} for {m}:{n}, {truth:?}, {baseline} {canary} {margin}");
                            largest = largest.max(mean);
                        }
                    }
                }
            }
        }
        assert!(largest > 0.999, "the bound is reached: {largest}");
    }

    #[test]
    fn it_grows_where_the_bet_is_right() {
        let bet = Alternative { baseline: 0.1, canary: 0.5 };
        assert!(mean(10, 10, (0.1, 0.5), bet, 0.0) > 2.0);
        assert!(mean(10, 10, (0.1, 0.5), bet, 0.1) > 1.2);
    }

    #[test]
    fn nothing_to_compare_is_no_evidence() {
        let bet = Alternative { baseline: 0.1, canary: 0.5 };
        let alone = Table { baseline: Side::new(0, 0), canary: Side::new(10, 10) };
        assert_eq!(ln_e_value(&alone, bet, 0.0), 0.0);
        assert_eq!(ln_e_value(&Table::default(), bet, 0.0), 0.0);
    }

    #[test]
    fn billions_of_requests_stay_finite() {
        let table = Table { baseline: Side::new(u64::MAX / 2, 1), canary: Side::new(u64::MAX / 2, u64::MAX / 2) };
        let bet = Alternative { baseline: 1e-9, canary: 1.0 - 1e-9 };
        assert!(ln_e_value(&table, bet, 0.001).is_finite());
    }
}
