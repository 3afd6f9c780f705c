//! Made-up traffic from a seed.
#![allow(dead_code, clippy::unwrap_used, reason = "every test uses a part of it, and a test may panic")]

use windlass_analysis::{Analysis, Compare, Histogram, Judgement, Metric, Observation, Reading, Share, Traffic};

/// SplitMix64: small, and good enough to throw dice.
pub struct Dice(pub u64);

impl Dice {
    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly in (0, 1).
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }

    /// How many of `n` happen, each with chance `p`.
    pub fn of(&mut self, n: u64, p: f64) -> u64 {
        if p <= 0.0 {
            return 0;
        }
        if p >= 0.1 {
            return (0..n).filter(|_| self.unit() < p).count() as u64;
        }
        // Rare: jump from one to the next.
        let (mut at, mut hits) = (0.0, 0);
        loop {
            at += (self.unit().ln() / (-p).ln_1p()).floor() + 1.0;
            if at > n as f64 {
                return hits;
            }
            hits += 1;
        }
    }

    /// `n` requests of which each fails with chance `p`.
    pub fn traffic(&mut self, n: u64, p: f64) -> Traffic {
        Traffic { requests: n, errors: self.of(n, p), latency: Histogram::default() }
    }

    /// `n` requests that take a log-normal time: `median` milliseconds in the middle, a p99 of five times that.
    pub fn timed(&mut self, n: u64, median: f64) -> Traffic {
        let bounds_ms: Vec<f64> = (0..75).map(|i| 1.15_f64.powi(i)).collect();
        let mut counts = vec![0; bounds_ms.len() + 1];
        for _ in 0..n {
            let normal = (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
            let took = median * (0.7 * normal).exp();
            counts[bounds_ms.partition_point(|bound| *bound < took)] += 1;
        }
        Traffic { requests: n, errors: 0, latency: Histogram { bounds_ms, counts } }
    }
}

/// A metric that compares, with a bound on false alarms.
pub fn comparing(compare: Compare, alpha: f64, minimum_effect: f64) -> Metric {
    let minimum_effect = Some(Share(minimum_effect));
    Metric { compare: Some(compare), alpha, minimum_effect, ..Metric::new("compared") }
}

/// An analysis that began at 0, fed with intervals of its own length, one after the other.
pub struct Fed {
    pub analysis: Analysis,
    at: u64,
}

impl Fed {
    pub fn new(metric: Metric) -> Self {
        Self { analysis: Analysis::new(metric, 0).unwrap(), at: 0 }
    }

    pub fn feed(&mut self, reading: Reading) -> &Judgement {
        let from = self.at;
        self.at += self.analysis.metric().interval.0;
        self.analysis.observe(&Observation { from, to: self.at, reading }).unwrap()
    }

    pub fn traffic(&mut self, canary: Traffic, baseline: Traffic) -> &Judgement {
        self.feed(Reading::Traffic { canary, baseline: Some(baseline) })
    }

    /// The new revision alone: requests and errors.
    pub fn canary(&mut self, requests: u64, errors: u64) -> &Judgement {
        let canary = Traffic { requests, errors, latency: Histogram::default() };
        self.feed(Reading::Traffic { canary, baseline: None })
    }

    pub fn value(&mut self, value: Option<f64>, baseline: Option<f64>) -> &Judgement {
        self.feed(Reading::Value { value, baseline, requests: 0 })
    }

    pub fn broken(&mut self) -> &Judgement {
        self.feed(Reading::Error("connection refused".into()))
    }
}

/// A metric from the JSON that a plugin's `with` brings.
pub fn metric(json: serde_json::Value) -> Metric {
    serde_json::from_value(json).unwrap()
}
