//! The rollback criteria of the field, as they are written and as they act.

mod support;

use serde_json::json;
use support::{Fed, metric};
use windlass_analysis::{Histogram, Next, Reading, Traffic, Verdict};

/// Feeds `readings`; gives after how many it is final, and with what.
fn ends<T>(
    fed: &mut Fed,
    readings: impl IntoIterator<Item = T>,
    feed: fn(&mut Fed, T),
) -> Option<(usize, Verdict, Next)> {
    for (at, reading) in readings.into_iter().enumerate() {
        feed(fed, reading);
        let now = fed.analysis.judgement();
        if now.is_final {
            return Some((at + 1, now.verdict, now.next));
        }
    }
    None
}

fn canary(fed: &mut Fed, (requests, errors): (u64, u64)) {
    fed.canary(requests, errors);
}

#[test]
fn error_rate_over_five_per_cent_for_a_minute() {
    let fresh = || {
        Fed::new(metric(json!({
            "name": "errors", "failure": "error-rate > 5%", "for": "60s", "interval": "10s", "count": 30,
        })))
    };
    let (good, bad) = ((100, 5), (100, 6));
    assert_eq!(ends(&mut fresh(), [bad; 10], canary), Some((6, Verdict::Fail, Next::Abort)));
    assert_eq!(ends(&mut fresh(), [bad, bad, bad, bad, bad, good].repeat(5), canary), None, "never a whole minute");
    let after_good = [vec![good; 4], vec![bad; 6]].concat();
    let mut fed = fresh();
    assert_eq!(ends(&mut fed, after_good, canary), Some((10, Verdict::Fail, Next::Abort)));
    let told = fed.analysis.judgement();
    assert_eq!(
        told.reason,
        "`error-rate > 5%` for 1m, since 40s after the start: 6% against 5%; 1000 requests in all, 56 of them failed"
    );
    let broken = told.numbers.broken.clone().unwrap();
    assert_eq!((broken.since, broken.held_ms, broken.for_ms), (40_000, 60_000, 60_000));
    // An idle interval is no minute of errors, and no proof of health either.
    let idle = [bad, bad, bad, (0, 0), (0, 0), bad, bad, bad];
    assert_eq!(ends(&mut fresh(), idle, canary), Some((8, Verdict::Fail, Next::Abort)));
}

#[test]
fn p99_over_five_seconds_for_two_minutes() {
    let feed = |fed: &mut Fed, slow: u64| {
        let latency = Histogram { bounds_ms: vec![100.0, 1000.0, 5000.0], counts: vec![900, 100 - slow, 0, slow] };
        let canary = Traffic { requests: 1000, errors: 0, latency };
        fed.feed(Reading::Traffic { canary, baseline: None });
    };
    let fresh = |bound: &str| {
        let failure = format!("p99 > {bound}");
        Fed::new(metric(json!({ "name": "slow", "failure": failure, "for": "120s", "interval": "30s", "count": 10 })))
    };
    assert_eq!(ends(&mut fresh("5s"), [11; 8], feed), Some((4, Verdict::Fail, Next::Abort)));
    assert_eq!(ends(&mut fresh("5s"), [10; 12], feed), None, "one in a hundred is the 99th percentile itself");
    // The histogram ends at five seconds, so it cannot say whether it is over ten.
    let mut fed = fresh("10s");
    assert_eq!(ends(&mut fed, [11; 12], feed), None);
    let told = fed.analysis.judgement();
    assert_eq!((told.verdict, told.next), (Verdict::InsufficientData, Next::Hold));
    assert!(told.reason.contains("over 5s, the histogram's last bucket"), "{}", told.reason);
}

#[test]
fn availability_under_95_per_cent_for_half_a_minute() {
    let fresh = || {
        Fed::new(metric(json!({
            "name": "up", "failure": "availability < 95%", "for": "30s", "interval": "10s", "count": 30,
        })))
    };
    assert_eq!(ends(&mut fresh(), [(60, 4); 10], canary), Some((3, Verdict::Fail, Next::Abort)));
    assert_eq!(ends(&mut fresh(), [(60, 3); 30], canary), None);
}

#[test]
fn a_tenth_less_conversion_is_for_a_person_to_decide() {
    let fresh = || {
        Fed::new(metric(json!({
            "name": "conversion", "source": { "prometheus": "orders / visits" }, "failure": "value < 0.9 * baseline",
            "action": "ask", "interval": "60s", "for": "3m", "count": 10,
        })))
    };
    let value = |fed: &mut Fed, value: f64| {
        fed.value(Some(value), Some(0.030));
    };
    let mut fed = fresh();
    assert_eq!(ends(&mut fed, [0.026; 5], value), Some((3, Verdict::Fail, Next::Ask)));
    assert!(fed.analysis.judgement().reason.contains("0.026 against 0.027"), "{}", fed.analysis.judgement().reason);
    assert_eq!(ends(&mut fresh(), [0.028; 10], value), None);
}

#[test]
fn a_condition_for_success_alone_fails_when_it_does_not_hold() {
    let mut fed = Fed::new(metric(json!({ "name": "up", "success": "availability >= 99%", "failure-limit": 1 })));
    assert_eq!(ends(&mut fed, [(200, 3), (200, 0), (200, 3)], canary), Some((3, Verdict::Fail, Next::Abort)));
    let reason = &fed.analysis.judgement().reason;
    assert!(reason.contains("not `availability >= 99%`") && reason.contains("2 failures, 1 are tolerated"), "{reason}");
}

#[test]
fn between_success_and_failure_nothing_is_decided() {
    let mut fed = Fed::new(metric(json!({
        "name": "errors", "success": "error-rate < 1%", "failure": "error-rate > 5%", "count": 3,
    })));
    assert_eq!(ends(&mut fed, [(1000, 30); 6], canary), None);
    assert_eq!(fed.analysis.judgement().verdict, Verdict::InsufficientData);
    assert_eq!(ends(&mut fed, [(1000, 3); 3], canary), None);
    assert_eq!(fed.analysis.judgement().verdict, Verdict::Pass);
}
