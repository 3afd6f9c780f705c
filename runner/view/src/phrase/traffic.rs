//! Calls about traffic as people say them: `storefront v2 5 %, v1 95 %`.

use serde_json::Value;

use crate::text::duration;

/// The arguments of a call, if it is about traffic and is what such a call looks like.
pub(super) fn arguments(function: &str, args: &Value) -> Option<String> {
    let function = function.strip_prefix("traffic.")?;
    if function == "begin" {
        return begin(args.get("deployment")?);
    }
    let service = text(args, "service")?;
    let revision = text(args, "revision");
    Some(match function {
        "set-replicas" => format!("{service} {}: {}", revision?, list(args, "replicas", replica)?),
        "set-endpoints" => format!("{service} {}: {}", revision?, list(args, "endpoints", replica)?),
        "shift" => format!("{service} {}", list(args, "weights", weight)?),
        "hold" => format!("{service} for {} at most", millis(args, "limit-ms")?),
        "drain" => {
            let container = text(args, "container").map_or_else(String::new, |name| format!(", container {name}"));
            format!("{service} {}{container}, within {}", revision?, millis(args, "limit-ms")?)
        }
        "abort" => format!("{service}, draining for {} at most", millis(args, "drain-ms")?),
        "retire" => format!("{service} {}", revision?),
        "measure" => match args.get("from-ms").and_then(Value::as_u64) {
            Some(from) => format!("{service} since {}", crate::text::moment(from.saturating_mul(1000))),
            None => format!("{service}, the last {}", millis(args, "last-ms")?),
        },
        "judge" => {
            let judged = args.get("judgement")?;
            let of = |key| text(judged, key);
            let next = of("next").filter(|next| !next.is_empty()).map_or_else(String::new, |next| format!(", {next}"));
            format!("{service} {}: {} says {}{next}: {}", of("revision")?, of("metric")?, of("verdict")?, of("reason")?)
        }
        _ => service.to_owned(),
    })
}

/// What came back from such a call.
pub(super) fn answer(function: &str, ok: &Value) -> Option<String> {
    match function.strip_prefix("traffic.")? {
        "drain" => {
            let of = |key| ok.get(key).and_then(Value::as_u64);
            Some(match (ok.get("done")?.as_bool()?, of("in-flight")?, of("cut")?) {
                (true, _, 0) => "nothing is under way any more".to_owned(),
                (true, _, cut) => format!("nothing is under way any more, {cut} cut"),
                (false, left, cut) => format!("{left} still under way, {cut} cut"),
            })
        }
        "measure" => list(ok, "revisions", measured),
        "read" | "begin" | "set-endpoints" | "shift" | "take-down" | "commit" | "retire" => {
            list(ok, "revisions", standing)
        }
        _ => None,
    }
}

/// Hundredths of a percent: `5 %`, `33.34 %`.
pub(crate) fn percent(weight: u64) -> String {
    let (whole, rest) = (weight / 100, weight % 100);
    match (rest, rest % 10) {
        (0, _) => format!("{whole} %"),
        (_, 0) => format!("{whole}.{} %", rest / 10),
        _ => format!("{whole}.{rest:02} %"),
    }
}

fn begin(deployment: &Value) -> Option<String> {
    let of = |key| text(deployment, key);
    let mut said = format!("{} {}, {}", of("service")?, of("revision")?, of("strategy")?);
    if let Some(replicas) = deployment.get("replicas").and_then(Value::as_u64) {
        said.push_str(&format!(", {}", crate::text::count(replicas, "replica")));
    }
    if deployment.get("downtime").and_then(Value::as_bool) == Some(true) {
        said.push_str(", with downtime");
    }
    for pair in deployment.get("details").and_then(Value::as_array).into_iter().flatten() {
        if text(pair, "name") == Some("replicas") {
            continue;
        }
        said.push_str(&format!(", {} {}", text(pair, "name")?, text(pair, "value")?));
    }
    Some(said)
}

fn replica(replica: &Value) -> Option<String> {
    let name = text(replica, "container").or_else(|| text(replica, "id"))?;
    let place = text(replica, "address").map_or_else(String::new, |address| format!(" at {address}"));
    let ready = if replica.get("ready")?.as_bool()? { "ready" } else { "not ready" };
    Some(format!("{name}{place} {ready}"))
}

fn weight(split: &Value) -> Option<String> {
    Some(format!("{} {}", text(split, "revision")?, percent(split.get("weight")?.as_u64()?)))
}

/// A revision as the router sees it.
fn standing(revision: &Value) -> Option<String> {
    let of = |key| revision.get(key).and_then(Value::as_u64);
    let (weight, ready, replicas) = (percent(of("weight")?), of("ready")?, of("replicas")?);
    Some(format!("{} {weight} ({ready} of {replicas} ready)", text(revision, "name")?))
}

/// What a revision did.
fn measured(revision: &Value) -> Option<String> {
    let of = |key| revision.get(key).and_then(Value::as_u64);
    let name = text(revision, "revision")?;
    let requests = crate::text::count(of("requests")?, "request");
    Some(format!("{name} {requests}, {} failed, p99 {}", of("errors")?, duration(0, of("p99-us")?)))
}

fn list(of: &Value, key: &str, each: impl Fn(&Value) -> Option<String>) -> Option<String> {
    let items = of.get(key)?.as_array()?;
    if items.is_empty() {
        return Some("nothing".to_owned());
    }
    let said: Option<Vec<_>> = items.iter().map(each).collect();
    Some(said?.join(", "))
}

fn text<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    of.get(key)?.as_str()
}

fn millis(of: &Value, key: &str) -> Option<String> {
    Some(duration(0, of.get(key)?.as_u64()?.saturating_mul(1000)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_read_as_people_say_them() {
        let split = |revision: &str, weight: u32| json!({ "revision": revision, "weight": weight });
        for (function, args, said) in [
            (
                "traffic.shift",
                json!({ "service": "storefront", "weights": [split("v2", 500), split("v1", 9500)] }),
                "storefront v2 5 %, v1 95 %",
            ),
            (
                "traffic.begin",
                json!({ "deployment": {
                    "service": "storefront", "revision": "v2", "strategy": "canary", "replicas": 2, "downtime": false,
                    "details": [{ "name": "image", "value": "shop:2" }],
                } }),
                "storefront v2, canary, 2 replicas, image shop:2",
            ),
            (
                "traffic.set-endpoints",
                json!({ "service": "storefront", "revision": "v2", "endpoints": [
                    { "container": "web", "id": "c1", "port": 80, "address": "172.17.0.3:80", "ready": true },
                    { "container": "web-2", "id": "c2", "port": 80, "address": "172.17.0.4:80", "ready": false },
                ] }),
                "storefront v2: web at 172.17.0.3:80 ready, web-2 at 172.17.0.4:80 not ready",
            ),
            (
                "traffic.drain",
                json!({ "service": "storefront", "revision": "v1", "container": null, "limit-ms": 30_000 }),
                "storefront v1, within 30.0s",
            ),
            (
                "traffic.judge",
                json!({ "service": "storefront", "judgement": {
                    "revision": "v2", "metric": "errors", "verdict": "fail", "next": "abort", "reason": "9 of 80 failed",
                } }),
                "storefront v2: errors says fail, abort: 9 of 80 failed",
            ),
            ("traffic.measure", json!({ "service": "shop", "from-ms": null, "last-ms": 500 }), "shop, the last 500ms"),
            ("traffic.commit", json!({ "service": "storefront" }), "storefront"),
        ] {
            assert_eq!(super::super::arguments(function, &args.to_string()), said);
        }
    }

    #[test]
    fn answers_say_what_counts() {
        let revision = |name: &str, weight: u32, ready: u32| json!({ "name": name, "weight": weight, "ready": ready, "replicas": 2, "endpoints": [] });
        let state =
            json!({ "ok": { "service": "s", "revisions": [revision("v2", 3334, 1), revision("v1", 6666, 2)] } });
        let said = super::super::answer("traffic.shift", &state.to_string());
        assert_eq!(said, "v2 33.34 % (1 of 2 ready), v1 66.66 % (2 of 2 ready)");
        let drained = json!({ "ok": { "done": false, "in-flight": 2, "cut": 1 } }).to_string();
        assert_eq!(super::super::answer("traffic.drain", &drained), "2 still under way, 1 cut");
        assert_eq!(super::super::answer("traffic.finish", r#"{"ok":null}"#), "done");
        let refused = r#"{"err":{"unsafe":"too few replicas"}}"#;
        assert_eq!(super::super::answer("traffic.shift", refused), "unsafe: too few replicas");
    }

    #[test]
    fn what_is_none_of_it_stays_as_it_is() {
        assert_eq!(
            super::super::arguments("traffic.shift", r#"{"service":"s","weights":1}"#),
            r#"service: "s", weights: 1"#
        );
        assert_eq!(super::super::answer("traffic.shift", r#"{"ok":{"a":1}}"#), "{a: 1}");
    }

    #[test]
    fn weights_are_exact() {
        for (weight, said) in
            [(0, "0 %"), (1, "0.01 %"), (50, "0.5 %"), (500, "5 %"), (3334, "33.34 %"), (10_000, "100 %")]
        {
            assert_eq!(percent(weight), said);
        }
    }
}
