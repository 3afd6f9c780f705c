//! What is measured, handed in as data: nobody here asks the router or Prometheus.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How long requests took: counts by bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Histogram {
    /// The upper bound of each bucket in milliseconds, rising.
    pub bounds_ms: Vec<f64>,
    /// How many requests fell into each bucket; one more at the end for those over the last bound.
    pub counts: Vec<u64>,
}

/// A quantile, as far as a histogram knows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantile {
    /// About so many milliseconds, interpolated in its bucket.
    About(f64),
    /// More than the last bound, nobody knows how much.
    Over(f64),
}

impl Histogram {
    /// How many requests there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The time within which the share `level` of the requests was answered; none without requests.
    pub fn quantile(&self, level: f64) -> Option<Quantile> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        let wanted = level.clamp(0.0, 1.0) * total as f64;
        let (mut sum, mut low) = (0.0, 0.0);
        for (count, bound) in self.counts.iter().zip(&self.bounds_ms) {
            let count = *count as f64;
            if count > 0.0 && sum + count >= wanted {
                return Some(Quantile::About(low + (bound - low) * ((wanted - sum) / count).max(0.0)));
            }
            sum += count;
            low = *bound;
        }
        Some(Quantile::Over(low))
    }

    fn check(&self) -> Result<(), Unusable> {
        if self.counts.is_empty() && self.bounds_ms.is_empty() {
            return Ok(());
        }
        if self.counts.len() != self.bounds_ms.len() + 1 {
            return Err(Unusable::Buckets { bounds: self.bounds_ms.len(), counts: self.counts.len() });
        }
        let rising = self.bounds_ms.is_sorted_by(|a, b| a < b);
        if !rising || self.bounds_ms.iter().any(|b| !b.is_finite() || *b <= 0.0) {
            return Err(Unusable::Bounds);
        }
        Ok(())
    }
}

/// What one revision did in one interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Traffic {
    /// Requests that ended in the interval.
    pub requests: u64,
    /// How many of them failed, by the revision's fault.
    pub errors: u64,
    /// How long they took; empty if nobody measured.
    #[serde(default)]
    pub latency: Histogram,
}

impl Traffic {
    /// Is this possible at all?
    pub(crate) fn check(&self) -> Result<(), Unusable> {
        if self.errors > self.requests {
            return Err(Unusable::Errors { errors: self.errors, requests: self.requests });
        }
        self.latency.check()
    }

    /// The share that failed; none without requests.
    pub(crate) fn error_rate(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.errors as f64 / self.requests as f64)
    }
}

/// What came back when the source was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reading {
    /// The router's counts.
    Traffic {
        /// Of the new revision.
        canary: Traffic,
        /// Of the previous one in the same interval, if it served.
        baseline: Option<Traffic>,
    },
    /// A number, as Prometheus gives it.
    Value {
        /// For the new revision. None: the query found nothing. It may be NaN or infinite, which says as little.
        value: Option<f64>,
        /// The same query for the previous revision.
        #[serde(default)]
        baseline: Option<f64>,
        /// How many requests the new revision served in the interval, for `minimum-requests`.
        #[serde(default)]
        requests: u64,
    },
    /// The source could not be asked, or answered with an error.
    Error(String),
}

/// One interval. Times are milliseconds on a clock of the caller's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Observation {
    /// When the interval began.
    pub from: u64,
    /// When it ended.
    pub to: u64,
    /// What was measured.
    pub reading: Reading,
}

/// Numbers that cannot be: taken for an error of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// More errors than requests.
    Errors {
        /// So many errors
        errors: u64,
        /// among so many requests.
        requests: u64,
    },
    /// Counts and bounds do not fit together.
    Buckets {
        /// So many bounds
        bounds: usize,
        /// and so many counts.
        counts: usize,
    },
    /// The bounds do not rise, or are no times.
    Bounds,
    /// The two revisions were measured with different buckets.
    Different,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errors { errors, requests } => write!(f, "{errors} errors among {requests} requests"),
            Self::Buckets { bounds, counts } => {
                write!(f, "a histogram with {bounds} bounds and {counts} counts: there must be one count more")
            }
            Self::Bounds => write!(f, "a histogram whose bounds do not rise from above zero"),
            Self::Different => write!(f, "the histograms of the two revisions have different buckets"),
        }
    }
}

impl std::error::Error for Unusable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_interpolated_and_says_when_it_is_beyond_the_last_bucket() {
        let histogram = Histogram { bounds_ms: vec![100.0, 200.0, 400.0], counts: vec![50, 40, 8, 2] };
        assert_eq!(histogram.quantile(0.5), Some(Quantile::About(100.0)));
        assert_eq!(histogram.quantile(0.7), Some(Quantile::About(150.0)));
        assert_eq!(histogram.quantile(0.98), Some(Quantile::About(400.0)));
        assert_eq!(histogram.quantile(0.99), Some(Quantile::Over(400.0)));
        assert_eq!(Histogram::default().quantile(0.5), None);
    }

    #[test]
    fn impossible_numbers_are_refused() {
        let traffic = |errors, bounds_ms: &[f64], counts: &[u64]| Traffic {
            requests: 10,
            errors,
            latency: Histogram { bounds_ms: bounds_ms.to_vec(), counts: counts.to_vec() },
        };
        assert_eq!(traffic(10, &[], &[]).check(), Ok(()));
        assert_eq!(traffic(0, &[1.0, 2.0], &[1, 2, 3]).check(), Ok(()));
        assert_eq!(traffic(11, &[], &[]).check(), Err(Unusable::Errors { errors: 11, requests: 10 }));
        assert_eq!(traffic(0, &[1.0], &[1]).check(), Err(Unusable::Buckets { bounds: 1, counts: 1 }));
        assert_eq!(traffic(0, &[2.0, 1.0], &[1, 2, 3]).check(), Err(Unusable::Bounds));
        assert_eq!(traffic(0, &[f64::NAN], &[1, 2]).check(), Err(Unusable::Bounds));
    }
}
