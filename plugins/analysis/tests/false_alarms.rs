//! Over 1,000 pairs of identical revisions, with a look after every interval, false failures stay at or below alpha;
//! and what is really worse is found.

#![allow(clippy::print_stdout, reason = "the numbers are worth seeing: `--nocapture`")]

mod support;

use support::{Dice, Fed, comparing};
use windlass_analysis::{Compare, Traffic, Verdict};

const PAIRS: u64 = 1000;
const LOOKS: u64 = 50;

/// The two revisions of one interval.
type Pair = (Traffic, Traffic);

/// How many of the pairs fail, at any look.
fn failures(compare: Compare, alpha: f64, effect: f64, pair: impl Fn(&mut Dice, u64) -> Pair) -> u64 {
    let fails = |seed: u64| {
        let (mut dice, mut fed) = (Dice(seed << 20), Fed::new(comparing(compare, alpha, effect)));
        (0..LOOKS).any(|look| {
            let (canary, baseline) = pair(&mut dice, look);
            fed.traffic(canary, baseline).verdict == Verdict::Fail
        })
    };
    (0..PAIRS).filter(|seed| fails(*seed)).count() as u64
}

#[test]
fn identical_error_rates_make_no_more_false_failures_than_alpha() {
    for rate in [0.0, 0.001, 0.01, 0.05, 0.3, 1.0] {
        for (canary, baseline) in [(1, 99), (10, 90), (50, 50), (90, 10)] {
            for alpha in [0.01, 0.05] {
                let pair = |dice: &mut Dice, _| (dice.traffic(canary, rate), dice.traffic(baseline, rate));
                let failed = failures(Compare::ErrorRate, alpha, 0.0, pair);
                println!("rate {rate}, {canary}:{baseline}, alpha {alpha}: {failed} of {PAIRS}");
                assert!(failed as f64 <= alpha * PAIRS as f64);
            }
        }
    }
}

#[test]
fn nor_does_a_difference_of_just_the_minimum_effect() {
    for (rate, effect) in [(0.0, 0.02), (0.01, 0.005), (0.3, 0.1)] {
        let pair = |dice: &mut Dice, _| (dice.traffic(100, rate + effect), dice.traffic(300, rate));
        let failed = failures(Compare::ErrorRate, 0.05, effect, pair);
        println!("{rate} + {effect}: {failed} of {PAIRS}");
        assert!(failed as f64 <= 0.05 * PAIRS as f64);
    }
}

#[test]
fn nor_do_weights_that_rise_nor_an_outage_of_both_nor_a_rate_that_drifts() {
    let pair = |dice: &mut Dice, look: u64| {
        let weight = [1, 5, 25, 50][(look * 4 / LOOKS) as usize];
        let rate = if look % 10 == 7 { 0.6 } else { 0.001 + 0.05 * look as f64 / LOOKS as f64 };
        (dice.traffic(weight * 4, rate), dice.traffic((100 - weight) * 4, rate))
    };
    let failed = failures(Compare::ErrorRate, 0.05, 0.0, pair);
    println!("{failed} of {PAIRS}");
    assert!(failed as f64 <= 0.05 * PAIRS as f64);
}

#[test]
fn identical_latencies_make_no_more_false_failures_than_alpha() {
    for (canary, baseline) in [(2, 98), (20, 80), (50, 50)] {
        for alpha in [0.01, 0.05] {
            // It drifts for both: the median doubles.
            let median = |look: u64| 80.0 * (1.0 + look as f64 / LOOKS as f64);
            let pair = |dice: &mut Dice, look| (dice.timed(canary, median(look)), dice.timed(baseline, median(look)));
            let failed = failures(Compare::Latency, alpha, 0.0, pair);
            println!("{canary}:{baseline}, alpha {alpha}: {failed} of {PAIRS}");
            assert!(failed as f64 <= alpha * PAIRS as f64);
        }
    }
}

/// The same traffic makes a test that must not be repeated fail far too often: this simulation can find false alarms.
#[test]
fn a_test_for_one_look_would_be_found_out() {
    let fails = |seed: u64| {
        let (mut dice, mut sums) = (Dice(seed << 20), [0.0; 4]);
        (0..LOOKS).any(|_| {
            let (canary, baseline) = (dice.traffic(50, 0.05), dice.traffic(50, 0.05));
            let seen = [canary.requests, canary.errors, baseline.requests, baseline.errors];
            sums.iter_mut().zip(seen).for_each(|(sum, more)| *sum += more as f64);
            let [n, bad, m, base] = sums;
            let pooled = (bad + base) / (n + m);
            let deviation = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
            // One-sided, 5 %.
            (bad / n - base / m) / deviation > 1.645
        })
    };
    let failed = (0..PAIRS).filter(|seed| fails(*seed)).count();
    println!("{failed} of {PAIRS}");
    assert!(failed > 200, "{failed}");
}

/// In how many intervals of `pair` each of 100 bad revisions is found; those that are not, are left out.
fn found(compare: Compare, effect: f64, pair: impl Fn(&mut Dice, u64) -> Pair) -> Vec<u64> {
    let find = |seed: u64| {
        let (mut dice, mut fed) = (Dice(seed << 20), Fed::new(comparing(compare, 0.01, effect)));
        (1..200).find(|look| {
            let (canary, baseline) = pair(&mut dice, *look);
            fed.traffic(canary, baseline).verdict == Verdict::Fail
        })
    };
    let mut found: Vec<u64> = (0..100).filter_map(find).collect();
    found.sort_unstable();
    found
}

#[test]
fn ten_per_cent_errors_are_found_soon() {
    let looks = found(Compare::ErrorRate, 0.001, |dice, _| (dice.traffic(10, 0.1), dice.traffic(90, 0.005)));
    assert_eq!(looks.len(), 100, "all are found");
    assert!(looks[50] <= 8 && looks[90] <= 20, "80 requests of the canary in the middle: {looks:?}");
}

#[test]
fn a_revision_that_fails_after_a_long_healthy_time_is_found() {
    let pair =
        |dice: &mut Dice, look| (dice.traffic(100, if look > 100 { 0.1 } else { 0.005 }), dice.traffic(900, 0.005));
    let looks = found(Compare::ErrorRate, 0.001, pair);
    assert_eq!(looks.len(), 100, "all are found");
    assert!(looks[0] > 100 && looks[90] <= 105, "within five intervals: {looks:?}");
}

#[test]
fn a_slower_revision_is_found_and_one_that_is_slower_by_less_than_the_minimum_is_not() {
    let at = |slower: f64| move |dice: &mut Dice, _| (dice.timed(20, 100.0 * slower), dice.timed(80, 100.0));
    let looks = found(Compare::Latency, 0.1, at(1.5));
    assert_eq!(looks.len(), 100);
    assert!(looks[90] <= 30, "600 requests: {looks:?}");
    assert!(found(Compare::Latency, 0.1, at(1.08)).len() <= 1);
    // Only the tail: three in a hundred wait for ten seconds.
    let tail = |dice: &mut Dice, _| {
        let (mut canary, baseline) = (dice.timed(50, 100.0), dice.timed(50, 100.0));
        let slow = dice.of(50, 0.03);
        canary.requests += slow;
        canary.latency.counts[66] += slow;
        (canary, baseline)
    };
    let looks = found(Compare::Latency, 0.1, tail);
    assert!(looks.len() == 100 && looks[50] <= 40, "{looks:?}");
}
