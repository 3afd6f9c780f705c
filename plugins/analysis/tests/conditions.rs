//! The words of conditions and of settings.

mod support;

use serde_json::json;
use support::{Dice, metric};
use windlass_analysis::{
    Action, Analysis, Bound, Condition, Metric, OnInsufficientData, Quantity, Relation, Source, Span,
};

fn condition(quantity: Quantity, relation: Relation, bound: Bound) -> Condition {
    Condition { quantity, relation, bound }
}

#[test]
fn conditions_are_read() {
    let cases = [
        ("error-rate > 5%", condition(Quantity::ErrorRate, Relation::Above, Bound::Fixed(0.05))),
        ("availability<95 %", condition(Quantity::Availability, Relation::Below, Bound::Fixed(0.95))),
        ("p99 > 5s", condition(Quantity::Percentile(99.0), Relation::Above, Bound::Fixed(5000.0))),
        ("p99.9 >= 1m30s", condition(Quantity::Percentile(99.9), Relation::AtLeast, Bound::Fixed(90_000.0))),
        ("value < 0.9 * baseline", condition(Quantity::Value, Relation::Below, Bound::Baseline(0.9))),
        ("p50 <= baseline*1.2", condition(Quantity::Percentile(50.0), Relation::AtMost, Bound::Baseline(1.2))),
        ("error-rate > baseline", condition(Quantity::ErrorRate, Relation::Above, Bound::Baseline(1.0))),
        ("value >= -3.5", condition(Quantity::Value, Relation::AtLeast, Bound::Fixed(-3.5))),
        ("value < 95%", condition(Quantity::Value, Relation::Below, Bound::Fixed(0.95))),
    ];
    for (text, expected) in cases {
        let read: Condition = text.parse().unwrap();
        assert_eq!(read, expected, "{text}");
        assert_eq!(read.to_string().parse(), Ok(expected), "{text} is written as {read}");
    }
}

#[test]
fn what_is_not_a_condition_is_told_what_is_wrong() {
    for (text, says) in [
        ("errors > 5%", "`errors` cannot be compared: a condition begins with `error-rate`"),
        ("", "`` cannot be compared"),
        ("p100 > 5s", "`p100` cannot be compared"),
        ("error-rate", "`` is no comparison"),
        ("error-rate 5%", "`5%` is no comparison"),
        ("error-rate = 5%", "`=` is no comparison: `>`, `>=`, `<` or `<=`"),
        ("error-rate > 5", "`5` is not a share from `0%` to `100%`, nor `0.9 * baseline`"),
        ("availability < 950%", "`950%` is not a share"),
        ("p50 > 0.1ms", "`0.1ms` is not a time"),
        ("p99 > 5", "`5` is not a time such as `500ms` or `5s`"),
        ("p99 > 5s for 60s", "`5s for 60s` is not a time"),
        ("value > fast", "`fast` is not a number"),
        ("value > 2 * base", "`2 * base` is not a number"),
        ("value > NaN", "`NaN` is not a number"),
    ] {
        let error = text.parse::<Condition>().unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn no_text_makes_it_panic_and_what_is_read_is_written_so_that_it_is_read_again() {
    let parts = [
        "error-rate",
        "p99",
        "p",
        "value",
        "availability",
        ">",
        "<=",
        "!",
        " ",
        "5%",
        "5s",
        "-1",
        "0.5",
        "*",
        "baseline",
        "NaN",
        "é",
        "1e9",
        "m",
        ".",
    ];
    let (mut dice, mut read) = (Dice(7), 0);
    for _ in 0..200_000 {
        let text: String = (0..1 + dice.below(6)).map(|_| parts[dice.below(parts.len() as u64) as usize]).collect();
        if let Ok(condition) = text.parse::<Condition>() {
            assert_eq!(condition.to_string().parse(), Ok(condition), "{text}");
            read += 1;
        }
    }
    assert!(read > 100, "some are conditions: {read}");
}

#[test]
fn a_metric_is_read_with_its_defaults() {
    let read = metric(json!({ "name": "errors", "failure": "error-rate > 5%" }));
    let failure = Some("error-rate > 5%".parse().unwrap());
    assert_eq!(read, Metric { failure, ..Metric::new("errors") });
    assert!(read.problems().is_empty());
    let again: Metric = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
    assert_eq!(again, read);
}

#[test]
fn a_metric_is_read_with_everything() {
    let read = metric(json!({
        "name": "conversion", "source": { "prometheus": "sum(rate(orders[1m]))" }, "failure": "value < 0.9 * baseline",
        "interval": "1m", "count": 5, "failure-limit": 1, "consecutive-error-limit": 2, "initial-delay": "90s",
        "minimum-requests": 500, "for": "2m", "dry-run": true, "on-insufficient-data": { "extend": "10m" },
        "action": "ask",
    }));
    assert_eq!(read.source, Source::Prometheus("sum(rate(orders[1m]))".into()));
    assert_eq!(
        (read.interval, read.initial_delay, read.held_for),
        (Span::seconds(60), Span::seconds(90), Some(Span::seconds(120)))
    );
    assert_eq!((read.on_insufficient_data, read.action), (OnInsufficientData::Extend(Span::seconds(600)), Action::Ask));
    assert!(read.needs_baseline());
}

#[test]
fn unknown_keys_and_bad_values_are_refused() {
    for (key, value, says) in [
        ("failure-limits", json!(1), "unknown field `failure-limits`"),
        ("interval", json!("fast"), "`fast` is not a time"),
        ("minimum-effect", json!(0.1), "expected a string"),
        ("failure", json!("error-rate > 5"), "`5` is not a share"),
        ("on-insufficient-data", json!("wait"), "unknown variant `wait`"),
        ("source", json!({ "datadog": "x" }), "unknown variant `datadog`"),
    ] {
        let mut settings = json!({ "name": "errors" });
        settings[key] = value;
        let error = serde_json::from_value::<Metric>(settings).unwrap_err().to_string();
        assert!(error.contains(says), "{key}: {error}");
    }
}

#[test]
fn settings_without_sense_are_all_named() {
    for (settings, says) in [
        (json!({}), "nothing says what is good or bad"),
        (json!({ "failure": "value > 3" }), "`failure` looks at `value`, but its source measures `error-rate`"),
        (json!({ "success": "p99 < 1s", "source": { "prometheus": "x" } }), "`success` looks at `p99`"),
        (json!({ "compare": "latency", "source": { "prometheus": "x" } }), "needs `source = \"router\"`"),
        (json!({ "success": "p99 < 1s", "failure": "p99 < 1s" }), "the same condition"),
        (json!({ "compare": "latency", "alpha": 0.0 }), "`alpha` must be above 0"),
        (json!({ "compare": "error-rate", "minimum-effect": "100%" }), "`minimum-effect` must be below 100%"),
        (json!({ "compare": "latency", "interval": "0s", "count": 0 }), "nothing; `count` must be at least 1"),
        (json!({ "compare": "latency", "for": "60s" }), "`for` says nothing without `success` or `failure`"),
        (json!({ "success": "p99 < 1s", "for": "0s" }), "`for` must be longer than nothing"),
        (json!({ "success": "p99 < 1s", "minimum-effect": "1%" }), "`minimum-effect` says nothing without `compare`"),
    ] {
        let mut settings = settings;
        settings["name"] = json!("m");
        let error = Analysis::new(metric(settings), 0).unwrap_err().to_string();
        assert!(error.starts_with("the metric `m`: ") && error.contains(says), "{error}");
    }
}
