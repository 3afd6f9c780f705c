//! Verdicts are honest: too little data is never a pass.

mod support;

use serde_json::json;
use support::{Dice, Fed, metric};
use windlass_analysis::{Analysis, Histogram, Judgement, Next, Observation, Reading, Traffic, Verdict, overall};

fn says(judgement: &Judgement) -> (Verdict, Next) {
    (judgement.verdict, judgement.next)
}

/// Thirty requests a minute, a minimum of 500, ten measurements: what each policy does with it.
fn thirty_a_minute(policy: &serde_json::Value) -> Fed {
    Fed::new(metric(json!({
        "name": "errors", "failure": "error-rate > 5%", "compare": "error-rate", "interval": "60s", "count": 10,
        "minimum-requests": 500, "on-insufficient-data": policy,
    })))
}

fn minute(fed: &mut Fed) -> (Verdict, Next) {
    let traffic = |requests| Traffic { requests, errors: 0, latency: Histogram::default() };
    says(fed.traffic(traffic(30), traffic(270)))
}

#[test]
fn too_few_requests_are_insufficient_data_and_the_policy_decides() {
    let cases = [
        (json!("hold"), Next::Hold, false),
        (json!({ "extend": "3m" }), Next::Extend, false),
        (json!("pass"), Next::GoOn, false),
        (json!("fail"), Next::Abort, true),
    ];
    for (policy, next, is_final) in cases {
        let mut fed = thirty_a_minute(&policy);
        for _ in 0..9 {
            assert_eq!(minute(&mut fed), (Verdict::InsufficientData, Next::Hold), "{policy}");
        }
        assert_eq!(minute(&mut fed), (Verdict::InsufficientData, next), "{policy}");
        let told = fed.analysis.judgement();
        assert_eq!(told.is_final, is_final, "{policy}");
        assert!(told.reason.contains("the new revision has served 300 of 500 requests"), "{}", told.reason);
    }
}

#[test]
fn hold_passes_when_there_is_enough_and_extend_ends_at_its_limit() {
    let mut fed = thirty_a_minute(&json!("hold"));
    let passed = (1..40).find(|_| minute(&mut fed).0 == Verdict::Pass);
    assert_eq!(passed, Some(17), "510 requests");
    assert_eq!(fed.analysis.judgement().next, Next::GoOn);

    let mut fed = thirty_a_minute(&json!({ "extend": "7m" }));
    let ended = (1..40).find(|_| fed.analysis.judgement().is_final || minute(&mut fed).1 == Next::GoOn);
    assert_eq!((ended, says(fed.analysis.judgement())), (Some(17), (Verdict::Pass, Next::GoOn)));

    let mut fed = thirty_a_minute(&json!({ "extend": "3m" }));
    let ended = (1..40).find(|_| minute(&mut fed).1 == Next::Abort);
    assert_eq!((ended, says(fed.analysis.judgement())), (Some(13), (Verdict::InsufficientData, Next::Abort)));
}

#[test]
fn a_condition_is_not_judged_by_too_few_requests_but_the_comparison_is() {
    let mut fed = Fed::new(metric(json!({ "name": "errors", "failure": "error-rate > 5%", "minimum-requests": 500 })));
    for _ in 0..4 {
        assert_eq!(says(fed.canary(100, 50)), (Verdict::InsufficientData, Next::Hold));
    }
    assert_eq!(says(fed.canary(100, 50)), (Verdict::Fail, Next::Abort));

    // The e-value knows how few requests there were.
    let mut fed = thirty_a_minute(&json!("hold"));
    let traffic = |requests, errors| Traffic { requests, errors, latency: Histogram::default() };
    let failed = (1..10).find(|_| fed.traffic(traffic(30, 10), traffic(270, 1)).verdict == Verdict::Fail);
    assert!(failed.is_some_and(|minutes| minutes <= 2), "{failed:?}");
    let told = fed.analysis.judgement();
    let comparison = told.numbers.comparison.as_ref().unwrap();
    assert!(comparison.e_value >= 100.0 && comparison.confidence >= 0.99);
    assert!(told.reason.starts_with("worse than the baseline: errors: 33.33% ("), "{}", told.reason);
}

#[test]
fn idle_nan_infinite_and_absent_are_insufficient_and_never_a_pass() {
    let mut idle = Fed::new(metric(json!({ "name": "errors", "failure": "error-rate > 5%", "minimum-requests": 0 })));
    for _ in 0..20 {
        assert_eq!(says(idle.canary(0, 0)), (Verdict::InsufficientData, Next::Hold));
    }
    let query = json!({ "name": "q", "source": { "prometheus": "x" }, "failure": "value > 1" });
    for (value, says_why) in
        [(Some(f64::NAN), "NaN"), (Some(f64::INFINITY), "infinite"), (None, "the query found nothing")]
    {
        let mut fed = Fed::new(metric(query.clone()));
        for _ in 0..20 {
            assert_eq!(says(fed.value(value, None)), (Verdict::InsufficientData, Next::Hold));
        }
        assert!(fed.analysis.judgement().reason.contains(says_why), "{}", fed.analysis.judgement().reason);
        assert_eq!(fed.analysis.judgement().numbers.without_data, 20);
        // Ten that say something are enough, and not nine.
        for _ in 0..9 {
            assert_eq!(fed.value(Some(0.5), None).verdict, Verdict::InsufficientData);
        }
        assert_eq!(says(fed.value(Some(0.5), None)), (Verdict::Pass, Next::GoOn));
    }
    // Nothing to compare with.
    let mut alone = Fed::new(metric(json!({ "name": "errors", "compare": "error-rate" })));
    for _ in 0..20 {
        assert_eq!(says(alone.canary(1000, 0)), (Verdict::InsufficientData, Next::Hold));
    }
    assert!(alone.analysis.judgement().reason.contains("no baseline served"));
    let mut relative = Fed::new(metric(json!({ "name": "errors", "failure": "error-rate > 2 * baseline" })));
    for _ in 0..20 {
        assert_eq!(says(relative.canary(1000, 0)), (Verdict::InsufficientData, Next::Hold));
    }
}

#[test]
fn errors_of_the_source_count_in_a_row() {
    let settings = json!({
        "name": "q", "source": { "prometheus": "x" }, "failure": "value > 1", "consecutive-error-limit": 2,
    });
    let mut fed = Fed::new(metric(settings.clone()));
    for _ in 0..5 {
        fed.broken();
        assert_eq!(says(fed.broken()), (Verdict::InsufficientData, Next::Hold));
        fed.value(Some(0.1), None);
    }
    fed.broken();
    fed.broken();
    assert_eq!(says(fed.broken()), (Verdict::Error, Next::Abort));
    assert!(fed.analysis.judgement().reason.contains("connection refused"));
    assert_eq!(says(fed.value(Some(0.1), None)), (Verdict::Error, Next::Abort), "it stays");

    let mut asks = settings;
    asks["action"] = json!("ask");
    let mut fed = Fed::new(metric(asks));
    fed.broken();
    fed.broken();
    assert_eq!(says(fed.broken()), (Verdict::Error, Next::Ask));
}

#[test]
fn impossible_numbers_and_those_of_another_source_are_errors() {
    let mut fed = Fed::new(metric(json!({ "name": "e", "failure": "error-rate > 5%", "consecutive-error-limit": 1 })));
    fed.canary(10, 11);
    assert!(fed.analysis.judgement().reason.contains("11 errors among 10 requests"));
    assert_eq!(says(fed.value(Some(1.0), None)), (Verdict::Error, Next::Abort));
    assert_eq!(fed.analysis.judgement().numbers.canary.requests, 0, "not counted");
}

#[test]
fn nothing_is_judged_while_it_warms_up() {
    let mut fed = Fed::new(metric(json!({
        "name": "e", "failure": "error-rate > 5%", "initial-delay": "45s", "interval": "30s", "count": 2,
    })));
    for _ in 0..2 {
        assert_eq!(says(fed.canary(1000, 1000)), (Verdict::InsufficientData, Next::Hold));
    }
    assert_eq!(fed.analysis.judgement().numbers.measured, 0);
    fed.canary(1000, 0);
    assert_eq!(says(fed.canary(1000, 0)), (Verdict::Pass, Next::GoOn));
    assert_eq!(says(fed.canary(1000, 500)), (Verdict::Fail, Next::Abort), "a pass is not the end");
}

#[test]
fn a_dry_run_says_what_it_would_do_and_binds_nobody() {
    let dry = json!({ "name": "dry", "failure": "error-rate > 5%", "dry-run": true });
    let mut dry = Fed::new(metric(dry));
    let told = dry.canary(1000, 500).clone();
    assert_eq!((says(&told), told.would), ((Verdict::Fail, Next::GoOn), Some(Next::Abort)));
    assert!(told.to_string().starts_with("dry: fail, go on (dry run; it would abort): `error-rate > 5%`"), "{told}");
    assert_eq!(overall([&told]), None);

    let mut real = Fed::new(metric(json!({ "name": "real", "failure": "error-rate > 5%", "count": 1 })));
    let passed = real.canary(1000, 0).clone();
    let both = overall([&told, &passed]).unwrap();
    assert_eq!((both.verdict, both.next), (Verdict::Pass, Next::GoOn));
    let failed = real.canary(1000, 500).clone();
    let both = overall([&failed, &passed]).unwrap();
    assert_eq!((both.verdict, both.next), (Verdict::Fail, Next::Abort));
}

#[test]
fn no_pass_and_no_going_on_while_a_condition_is_broken() {
    let mut fed = Fed::new(metric(json!({
        "name": "e", "failure": "error-rate > 5%", "for": "2m", "interval": "30s", "count": 3, "failure-limit": 0,
        "on-insufficient-data": "pass",
    })));
    for _ in 0..3 {
        fed.canary(1000, 0);
    }
    assert_eq!(fed.analysis.judgement().verdict, Verdict::Pass);
    assert_eq!(says(fed.canary(1000, 100)), (Verdict::InsufficientData, Next::Hold));
    assert_eq!(says(fed.canary(0, 0)), (Verdict::InsufficientData, Next::Hold), "idle heals nothing");
    assert_eq!(says(fed.canary(1000, 0)), (Verdict::Pass, Next::GoOn));
}

#[test]
fn an_interval_is_counted_once() {
    let mut analysis = Analysis::new(metric(json!({ "name": "e", "failure": "error-rate > 5%" })), 1000).unwrap();
    let reading = Reading::Error("x".into());
    for (from, to, taken) in [(500, 2000, false), (1000, 1000, false), (1000, 2000, true), (1500, 3000, false)] {
        let observed = analysis.observe(&Observation { from, to, reading: reading.clone() });
        assert_eq!(observed.is_ok(), taken, "{from} to {to}");
    }
}

#[test]
fn whatever_is_observed_it_keeps_its_promises() {
    let mut dice = Dice(11);
    let mut verdicts = [0; 4];
    for _ in 0..1500 {
        let mut settings = json!({ "name": "m", "count": 1 + dice.below(5), "failure-limit": dice.below(2),
            "minimum-requests": dice.below(300), "consecutive-error-limit": dice.below(3) });
        let policies = [json!("hold"), json!("pass"), json!("fail"), json!({ "extend": "1m" })];
        settings["on-insufficient-data"] = policies[dice.below(4) as usize].clone();
        let judged = dice.below(7) + 1;
        for (bit, key, value) in
            [(1, "failure", "error-rate > 5%"), (2, "success", "p90 < 1s"), (4, "compare", "latency")]
        {
            if judged & bit != 0 {
                settings[key] = json!(value);
            }
        }
        let mut fed = Fed::new(metric(settings));
        for _ in 0..12 {
            let side = |dice: &mut Dice| {
                let requests = [0, 1, 50, 400][dice.below(4) as usize];
                let median = [20.0, 20.0, 20.0, 900.0][dice.below(4) as usize];
                let mut traffic = dice.timed(requests, median);
                let rate = [0.0, 0.0, 0.02, 0.2][dice.below(4) as usize];
                traffic.errors = dice.of(requests, rate);
                traffic
            };
            let reading = match dice.below(8) {
                0 => Reading::Error("down".into()),
                1 => Reading::Traffic { canary: side(&mut dice), baseline: None },
                _ => Reading::Traffic { canary: side(&mut dice), baseline: Some(side(&mut dice)) },
            };
            let before = fed.analysis.judgement().clone();
            // Written down and read again, it goes on the same way.
            let written = serde_json::to_string(&fed.analysis).unwrap();
            fed.analysis = serde_json::from_str(&written).unwrap();
            let after = fed.feed(reading).clone();
            promises(&fed, &before, &after);
            verdicts[after.verdict as usize] += 1;
        }
    }
    assert!(verdicts.iter().all(|n| *n > 200), "every verdict occurs: {verdicts:?}");
}

fn promises(fed: &Fed, before: &Judgement, after: &Judgement) {
    let (settings, numbers) = (fed.analysis.metric(), &after.numbers);
    assert!(!after.reason.is_empty());
    if before.is_final {
        assert_eq!(says(before), says(after));
        return;
    }
    let enough = |requests| requests >= numbers.minimum_requests;
    match after.verdict {
        Verdict::Pass => {
            assert!(numbers.judged >= settings.count && enough(numbers.canary.requests));
            assert!(settings.compare.is_none() || enough(numbers.baseline.requests));
            assert_eq!(after.next, Next::GoOn);
        }
        Verdict::Fail => {
            let worse = numbers.comparison.as_ref().is_some_and(|c| c.e_value >= c.needed);
            assert!(worse || numbers.failures > settings.failure_limit && enough(numbers.canary.requests));
            assert_eq!(after.next, Next::Abort);
        }
        Verdict::Error => assert!(numbers.errors_in_a_row > settings.consecutive_error_limit),
        Verdict::InsufficientData => assert!(numbers.failures <= settings.failure_limit),
    }
    let counted = numbers.judged + numbers.without_data + numbers.undecided + numbers.errors;
    assert_eq!(counted, numbers.measured, "every measurement is counted as one thing");
}
