//! The mean of the evidence over *every* possible course of a few small intervals: at most 1 if the canary is no
//! worse. No simulation, no luck; betting on an interval after having looked at it would show here.

use windlass_analysis::Histogram;
use windlass_analysis::evidence::{Evidence, LatencyEvidence, Side, Table};

/// The chance of `k` of `n`.
fn binomial(n: u64, k: u64, p: f64) -> f64 {
    let ways: f64 = (0..k).map(|i| (n - i) as f64 / (k - i) as f64).product();
    ways * p.powi(k as i32) * (1.0 - p).powi((n - k) as i32)
}

/// Numbers of requests and true chances in one interval: baseline, canary.
type Interval = ((u64, f64), (u64, f64));

/// The mean of the e-value after all `intervals`, times the chance of the course so far.
fn mean_of_errors(evidence: &Evidence, intervals: &[Interval]) -> f64 {
    let Some((&((m, base), (n, canary)), rest)) = intervals.split_first() else { return evidence.ln_e().exp() };
    let mut mean = 0.0;
    for i in 0..=m {
        for j in 0..=n {
            let chance = binomial(m, i, base) * binomial(n, j, canary);
            if chance > 0.0 {
                let mut next = evidence.clone();
                next.observe(&Table { baseline: Side::new(m, i), canary: Side::new(n, j) });
                mean += chance * mean_of_errors(&next, rest);
            }
        }
    }
    mean
}

#[test]
fn the_mean_of_the_evidence_of_errors_is_at_most_one() {
    let mut largest: f64 = 0.0;
    for (one, two, three) in [(0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.1, 0.6, 0.2), (0.02, 0.02, 0.02), (0.9, 0.9, 0.3)] {
        for (m, n) in [(1, 1), (4, 2), (1, 4), (3, 3)] {
            for (margin, more) in [(0.0, 0.0), (0.1, 0.1), (0.1, 0.0), (0.0, -0.2)] {
                let pair = |rate: f64| ((m, rate), (n, (rate + more).clamp(0.0, 1.0)));
                let mean = mean_of_errors(&Evidence::new(margin), &[pair(one), pair(two), pair(three)]);
                assert!(mean <= 1.0 + 1e-9, "{mean}: {m}:{n}, {one} {two} {three}, margin {margin}, {more} more");
                largest = largest.max(mean);
            }
        }
    }
    assert!(largest > 0.9, "it is no weaker than it must be: {largest}");
    let worse = [((4, 0.05), (4, 0.95)); 3];
    assert!(mean_of_errors(&Evidence::new(0.0), &worse) > 5.0, "and it grows if there is something to find");
}

/// Every histogram of `n` requests over three buckets, with its chance.
fn histograms(n: u64, chances: [f64; 3]) -> Vec<(f64, Histogram)> {
    let mut all = Vec::new();
    for fast in 0..=n {
        for middle in 0..=n - fast {
            let counts = vec![fast, middle, n - fast - middle];
            let left = chances[1] / (chances[1] + chances[2]);
            let chance = binomial(n, fast, chances[0]) * binomial(n - fast, middle, left);
            all.push((chance, Histogram { bounds_ms: vec![10.0, 100.0], counts }));
        }
    }
    all
}

fn mean_of_latency(evidence: &LatencyEvidence, intervals: &[([f64; 3], [f64; 3])]) -> f64 {
    let Some((&(base, new), rest)) = intervals.split_first() else { return evidence.ln_e().exp() };
    let mut mean = 0.0;
    for (chance, baseline) in histograms(2, base) {
        for (other, canary) in histograms(2, new) {
            let mut next = evidence.clone();
            next.observe(&baseline, Some(&canary));
            mean += chance * other * mean_of_latency(&next, rest);
        }
    }
    mean
}

#[test]
fn the_mean_of_the_evidence_of_latency_is_at_most_one() {
    let (quick, even, slow) = ([0.8, 0.15, 0.05], [0.3, 0.4, 0.3], [0.1, 0.3, 0.6]);
    let mut largest: f64 = 0.0;
    // In the first interval nothing can be bet: its thresholds are not known yet.
    for course in [[quick, quick, quick], [even, even, even], [quick, slow, even], [slow, quick, quick]] {
        let same = course.map(|chances| (chances, chances));
        let mean = mean_of_latency(&LatencyEvidence::new(0.0), &same);
        assert!(mean <= 1.0 + 1e-9, "{mean}: {course:?}");
        largest = largest.max(mean);
    }
    assert!(largest > 0.9, "{largest}");
    assert!(mean_of_latency(&LatencyEvidence::new(0.0), &[(quick, slow); 3]) > 1.5);
}
