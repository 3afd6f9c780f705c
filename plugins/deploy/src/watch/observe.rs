//! From what router and Prometheus answer to what the analysis reads.

use windlass_analysis::{Histogram, Metric, Reading, Source, Traffic};
use windlass_plugin::query::{self, Sample};
use windlass_plugin::traffic::{Measured, Measurements};
use windlass_plugin::{Failure, OrFail};

/// How long a query may take, in milliseconds.
const QUERY_MS: u64 = 10_000;

/// Who is judged, and where to ask.
pub(super) struct About<'a> {
    pub(super) service: &'a str,
    pub(super) canary: &'a str,
    pub(super) baseline: Option<&'a str>,
    pub(super) prometheus: Option<&'a str>,
}

/// The window that was measured. A gap in what the router knows does not count; without an answer, it is the time that has
/// passed.
pub(super) fn window(measured: Result<&Measurements, &str>, until: u64, now: u64) -> (u64, u64) {
    match measured {
        Ok(measured) => (measured.from_ms.max(measured.since_ms).max(until), measured.to_ms),
        Err(_) => (until, now - now % 1_000),
    }
}

/// What a metric reads in this window.
///
/// # Errors
/// A query is not granted.
pub(super) fn reading(
    metric: &Metric,
    about: &About<'_>,
    measured: Result<&Measurements, &str>,
) -> Result<Reading, Failure> {
    let of = |measured: &Measurements, name: &str| measured.revisions.iter().find(|r| r.revision == name).cloned();
    Ok(match (&metric.source, measured) {
        (Source::Router, Err(error)) => Reading::Error(error.to_owned()),
        (Source::Router, Ok(measured)) => Reading::Traffic {
            canary: of(measured, about.canary).as_ref().map(traffic).unwrap_or_default(),
            baseline: about.baseline.map(|name| of(measured, name).as_ref().map(traffic).unwrap_or_default()),
        },
        (Source::Prometheus(expression), measured) => {
            let requests = measured.ok().and_then(|measured| of(measured, about.canary)).map_or(0, |r| r.requests);
            let canary = match ask(about, expression, about.canary)? {
                Ok(value) => value,
                Err(error) => return Ok(Reading::Error(error)),
            };
            let baseline = match about.baseline.filter(|_| metric.needs_baseline()) {
                None => None,
                Some(name) => match ask(about, expression, name)? {
                    Ok(value) => value,
                    Err(error) => return Ok(Reading::Error(error)),
                },
            };
            Reading::Value { value: canary, baseline, requests }
        }
    })
}

/// Asks Prometheus. The inner error is one of the source.
fn ask(about: &About<'_>, expression: &str, revision: &str) -> Result<Result<Option<f64>, String>, Failure> {
    let url = about.prometheus.or_fail("`analysis.prometheus` is missing")?;
    let expression = filled(expression, about.service, revision);
    match query::prometheus(url, &expression, QUERY_MS) {
        Ok(samples) => Ok(value(&samples)),
        Err(error @ query::Error::Denied(_)) => Err(Failure::from(error)),
        Err(error) => Ok(Err(Failure::from(error).to_string())),
    }
}

/// An expression with the names in it.
fn filled(expression: &str, service: &str, revision: &str) -> String {
    expression.replace("{{service}}", service).replace("{{revision}}", revision)
}

/// The one number of an answer; NaN where it is none or infinite, so that it is told apart from no answer at all.
fn value(samples: &[Sample]) -> Result<Option<f64>, String> {
    match samples {
        [] => Ok(None),
        [one] => Ok(Some(one.value.unwrap_or(f64::NAN))),
        several => Err(format!("the query gives {} series; it has to give one: `sum(...)`", several.len())),
    }
}

/// What the router measured of a revision.
fn traffic(measured: &Measured) -> Traffic {
    Traffic { requests: measured.requests, errors: measured.errors, latency: histogram(measured) }
}

/// The bounds of every histogram, in microseconds: sixteen to each doubling, from 15 microseconds to nineteen hours, as
/// the router has them. It leaves empty buckets out of its answers, but the analysis compares revisions and intervals with
/// each other, so they have to have the same ones. What another router measures goes to the next bound above.
fn bounds() -> impl Iterator<Item = u64> {
    let doublings = (0..32).flat_map(|doubling| (16..32_u64).map(move |part| ((part + 1) << doubling) - 1));
    std::iter::once(15).chain(doublings)
}

fn histogram(measured: &Measured) -> Histogram {
    let bounds: Vec<u64> = bounds().collect();
    let mut counts = vec![0_u64; bounds.len() + 1];
    for bucket in &measured.latency {
        let at = bounds.partition_point(|bound| *bound < bucket.le_us);
        counts[at] = counts[at].saturating_add(bucket.count);
    }
    Histogram { bounds_ms: bounds.into_iter().map(|micros| micros as f64 / 1_000.0).collect(), counts }
}

#[cfg(test)]
mod tests {
    use windlass_analysis::Quantile;
    use windlass_plugin::traffic::Bucket;

    use super::*;

    fn measured(revision: &str, requests: u64, latency: &[(u64, u64)]) -> Measured {
        Measured {
            revision: revision.to_owned(),
            requests,
            errors: 1,
            classes: Vec::new(),
            unreachable: 0,
            client_aborts: 0,
            chosen: 0,
            p50_us: 0,
            p99_us: 0,
            max_us: 0,
            latency: latency.iter().map(|(le_us, count)| Bucket { le_us: *le_us, count: *count }).collect(),
            in_flight: 0,
        }
    }

    fn measurements(from_ms: u64, to_ms: u64, since_ms: u64, revisions: Vec<Measured>) -> Measurements {
        Measurements { from_ms, to_ms, now_ms: to_ms + 300, since_ms, revisions, unserved: 0 }
    }

    const ABOUT: About<'_> = About { service: "shop", canary: "v2", baseline: Some("v1"), prometheus: None };

    #[test]
    fn bounds_rise_and_are_those_of_the_router() {
        let bounds: Vec<u64> = bounds().collect();
        assert!(bounds.is_sorted_by(|a, b| a < b));
        assert_eq!(&bounds[..3], [15, 16, 17]);
        assert!(bounds.contains(&31) && bounds.contains(&33) && bounds.contains(&((1 << 36) - 1)));
    }

    #[test]
    fn both_revisions_are_read_with_the_same_bounds() {
        let v1 = measured("v1", 90, &[(8_191, 90)]);
        let v2 = measured("v2", 10, &[(3, 1), (1_000, 8), (1 << 40, 1)]);
        let seen = measurements(0, 1_000, 0, vec![v1, v2]);
        let Reading::Traffic { canary, baseline } = reading(&Metric::new("m"), &ABOUT, Ok(&seen)).unwrap() else {
            unreachable!("the router's numbers")
        };
        let baseline = baseline.unwrap();
        assert_eq!((canary.requests, canary.errors, baseline.requests), (10, 1, 90));
        assert_eq!(canary.latency.bounds_ms, baseline.latency.bounds_ms);
        assert_eq!((canary.latency.total(), baseline.latency.total()), (10, 90));
        let Some(Quantile::About(median)) = baseline.latency.quantile(0.5) else { unreachable!("a median") };
        assert!((7.6..=8.2).contains(&median), "{median}");
    }

    #[test]
    fn a_revision_that_served_nothing_had_no_requests() {
        let seen = measurements(0, 1_000, 0, Vec::new());
        let read = reading(&Metric::new("m"), &ABOUT, Ok(&seen)).unwrap();
        assert_eq!(read, Reading::Traffic { canary: Traffic::default(), baseline: Some(Traffic::default()) });
        let first = About { baseline: None, ..ABOUT };
        let read = reading(&Metric::new("m"), &first, Ok(&seen)).unwrap();
        assert_eq!(read, Reading::Traffic { canary: Traffic::default(), baseline: None });
        assert_eq!(reading(&Metric::new("m"), &ABOUT, Err("gone")).unwrap(), Reading::Error("gone".to_owned()));
    }

    #[test]
    fn gaps_do_not_count() {
        let seen = measurements(5_000, 9_000, 7_000, Vec::new());
        assert_eq!(window(Ok(&seen), 4_000, 9_300), (7_000, 9_000));
        assert_eq!(window(Ok(&seen), 8_000, 9_300), (8_000, 9_000));
        assert_eq!(window(Err(""), 4_000, 9_300), (4_000, 9_000));
    }

    #[test]
    fn queries_name_the_revision_and_give_one_number() {
        let expression = r#"sum(rate(errors{service="{{service}}",version="{{revision}}"}[1m]))"#;
        let filled = filled(expression, "shop", "v2");
        assert_eq!(filled, r#"sum(rate(errors{service="shop",version="v2"}[1m]))"#);
        let sample = |value| Sample { labels: Vec::new(), value };
        assert_eq!(value(&[]), Ok(None));
        let nan = value(&[sample(None)]).unwrap();
        assert!(nan.is_some_and(f64::is_nan), "told apart from no answer");
        assert_eq!(value(&[sample(Some(1.5))]), Ok(Some(1.5)));
        assert!(value(&[sample(None), sample(None)]).unwrap_err().contains("2 series"));
    }
}
