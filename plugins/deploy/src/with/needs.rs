//! The grants that settings need, beyond those that every deploy does.

use windlass_analysis::{Action as Judging, Source};
use windlass_plugin::{Failure, Planned};

use super::{Pause, Strategy, With};

/// What is missing: told before anything runs, since it would otherwise be denied when traffic has moved already.
pub(crate) fn missing(with: &With, planned: &Planned) -> Vec<Failure> {
    let service = &with.service;
    let metrics = || with.analysis.iter().flat_map(|analysis| &analysis.metrics);
    let asks = asking(with);
    let queries = metrics().find(|metric| metric.source != Source::Router);
    let prometheus = with.analysis.as_ref().and_then(|analysis| analysis.prometheus.as_deref()).unwrap_or("URL/");
    let needs = [
        ("approval.wait", asks, "grants.approval = true".to_owned()),
        (
            "query.ask",
            queries.map(|metric| format!("the metric `{}` has a query", metric.name)),
            format!("grants.query = [\"{prometheus}\"]"),
        ),
        (
            "traffic.downtime",
            (with.strategy == Some(Strategy::Recreate))
                .then(|| "with `strategy = \"recreate\"` nothing serves for a time".to_owned()),
            format!("grants.traffic = {{ services = [\"{service}\"], downtime = [\"{service}\"] }}"),
        ),
    ];
    let missing = needs.into_iter().filter(|(verb, ..)| !planned.grants(verb));
    missing
        .filter_map(|(verb, why, grant)| {
            Some(
                Failure::new(format!("{}, and the step has no grant for `{verb}`", why?))
                    .hint(format!("add `{grant}`")),
            )
        })
        .collect()
}

/// Why a person may be asked, if one may.
fn asking(with: &With) -> Option<String> {
    let pauses = with.canary.iter().flat_map(|canary| &canary.steps).map(|step| step.pause);
    let pauses = pauses.chain([with.preview.as_ref().and_then(|preview| preview.pause)]);
    if pauses.flatten().any(|pause| pause == Pause::UntilApproved) {
        return Some("`pause = \"until-approved\"` asks a person".to_owned());
    }
    let mut metrics = with.analysis.iter().flat_map(|analysis| &analysis.metrics);
    let asks = metrics.find(|metric| metric.action == Judging::Ask)?;
    Some(format!("`action = \"ask\"` of the metric `{}` asks a person", asks.name))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn told(more: Json, granted: &[&str]) -> Vec<String> {
        let mut with = json!({ "service": "shop", "image": "i", "port": 8080, "strategy": "canary" });
        for (key, value) in more.as_object().unwrap() {
            with[key] = value.clone();
        }
        let with = serde_json::from_value(with).unwrap();
        missing(&with, &Planned::new(granted, &[])).iter().map(|it| it.message().to_owned()).collect()
    }

    #[test]
    fn what_asks_somebody_needs_a_grant_for_it() {
        let steps = json!({ "canary": { "steps": [{ "weight": 50, "pause": "until-approved" }] } });
        assert!(told(steps.clone(), &["traffic.route"])[0].contains("no grant for `approval.wait`"));
        assert_eq!(told(steps, &["approval.wait"]), [""; 0]);
        let metric =
            json!({ "name": "orders", "failure": "value < 1", "source": { "prometheus": "up" }, "action": "ask" });
        let analysis = json!({ "analysis": { "prometheus": "http://p/", "metrics": [metric] } });
        let told_all = told(analysis, &[]);
        assert_eq!(told_all.len(), 2, "{told_all:?}");
        assert!(told_all[0].contains("of the metric `orders`") && told_all[1].contains("`query.ask`"), "{told_all:?}");
    }

    #[test]
    fn recreate_needs_to_be_let_down() {
        let recreate = json!({ "strategy": "recreate" });
        assert!(told(recreate.clone(), &[])[0].contains("`traffic.downtime`"));
        assert_eq!(told(recreate, &["traffic.downtime"]), [""; 0]);
    }
}
