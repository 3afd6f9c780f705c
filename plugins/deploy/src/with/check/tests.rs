//! What makes sense, and what is said of the rest.

use serde_json::{Value as Json, json};

use super::*;

fn with(more: Json) -> With {
    let mut with = json!({ "service": "shop", "image": "i", "port": 8080, "strategy": "blue-green" });
    for (key, value) in more.as_object().unwrap() {
        with[key] = value.clone();
    }
    serde_json::from_value(with).unwrap()
}

fn orders(more: Json) -> Vec<Order> {
    check(&with(more), "run1").unwrap().orders
}

fn refused(more: Json) -> String {
    check(&with(more), "run1").unwrap_err().to_string()
}

#[test]
fn defaults() {
    let orders = orders(json!({}));
    let [order] = orders.as_slice() else { unreachable!("one service") };
    assert_eq!((order.service.as_str(), order.revision.as_str(), order.strategy), ("shop", "run1", "blue-green"));
    assert_eq!((order.replicas, order.serving.carry, order.serving.routes.len()), (1, 1, 1));
    assert_eq!((order.end.drain_ms, order.end.grace_ms, order.end.keep), (30_000, 10_000, 1));
    assert_eq!(order.spec.restart, windlass_plugin::docker::Restart::UnlessStopped);
}

#[test]
fn what_belongs_to_another_strategy() {
    let refusal = refused(json!({ "canary": { "steps": [{ "weight": 5 }] } }));
    assert_eq!(refusal, "`canary` goes with `strategy = \"canary\"`, not with `\"blue-green\"`");
    assert!(refused(json!({ "rolling": {} })).contains("`rolling` goes with"));
    assert!(refused(json!({ "strategy": "rolling", "preview": { "host": "p" } })).contains("`preview` goes with"));
    assert!(refused(json!({ "strategy": "canary" })).contains("needs `canary.steps`"));
    assert!(refused(json!({ "strategy": "ring" })).contains("needs `rings`"));
    assert!(refused(json!({ "to": "v1" })).contains("`to` goes with"));
    assert!(refused(json!({ "labels": { "deploy.service": "x" } })).contains("cannot be set"));
}

#[test]
fn rolling_leaves_somebody_to_serve() {
    let rolling = |replicas, surge, missing| {
        json!({
            "strategy": "rolling", "replicas": replicas,
            "rolling": { "max-surge": surge, "max-unavailable": missing }
        })
    };
    assert_eq!(orders(rolling(3, 0, 1))[0].serving.carry, 2);
    assert!(refused(rolling(3, 0, 0)).contains("cannot begin"));
    assert!(refused(rolling(1, 1, 1)).contains("would leave nothing"));
}

#[test]
fn the_steps_of_a_canary() {
    let canary = |steps: Json| json!({ "strategy": "canary", "replicas": 4, "canary": { "steps": steps } });
    let steps = json!([{ "weight": 0.01 }, { "weight": 33.33, "pause": "until-approved" }, { "weight": 50, "replicas": 3 }, { "weight": 75 }]);
    let Way::Canary(stages) = orders(canary(steps))[0].way.clone() else { unreachable!("a canary") };
    let stages: Vec<_> = stages.iter().map(|stage| (stage.weight, stage.replicas)).collect();
    assert_eq!(stages, [(1, 1), (3_333, 2), (5_000, 3), (7_500, 3)]);
    for (steps, why) in [
        (json!([]), "is empty"),
        (json!([{ "weight": 5 }, { "weight": 5 }]), "weights rise"),
        (json!([{ "weight": 0.001 }]), "two decimals at most"),
        (json!([{ "weight": 12.345 }]), "two decimals at most"),
        (json!([{ "weight": 100.5 }]), "at most 100"),
        (json!([{ "weight": 5, "replicas": 5 }]), "only `replicas = 4`"),
        (json!([{ "weight": 60, "replicas": 2 }]), "needs 3 of"),
    ] {
        let said = refused(canary(steps));
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn each_ring_is_a_service() {
    let ring = |name: &str| json!({ "name": name, "routes": [{ "host": name }] });
    let mut outer = ring("outer");
    outer["replicas"] = json!(3);
    outer["env"] = json!({ "RING": "outer" });
    let orders = orders(json!({ "strategy": "ring", "env": { "RING": "none" }, "rings": [ring("inner"), outer] }));
    let told: Vec<_> = orders.iter().map(|o| (o.service.as_str(), o.replicas, o.bake_ms, o.strategy)).collect();
    assert_eq!(told, [("shop-inner", 1, 600_000, "ring"), ("shop-outer", 3, 600_000, "ring")]);
    assert_eq!(orders[1].spec.env[0].value, Value::Plain("outer".to_owned()));
    assert_eq!(orders[0].serving.routes[0].host.as_deref(), Some("inner"));
    let twice = refused(json!({ "strategy": "ring", "rings": [ring("a"), ring("a")] }));
    assert!(twice.contains("two of `rings` are called `a`"), "{twice}");
    let mut other = ring("b");
    other["routes"] = json!([{ "host": "A", "path": "/" }]);
    let clash = refused(json!({ "strategy": "ring", "rings": [ring("a"), other] }));
    assert!(clash.contains("the ring `a` and the ring `b` both have the route `A/`"), "{clash}");
    let routes = json!([{ "path": "/api" }, { "path": "/api/" }]);
    assert!(
        refused(json!({ "strategy": "rolling", "routes": routes })).contains("`routes` has twice the route `*/api/`")
    );
    let told_apart = json!([{ "listeners": ["127.0.0.1:1"] }, { "listeners": ["127.0.0.1:2"] }]);
    assert!(check(&with(json!({ "strategy": "rolling", "routes": told_apart })), "run1").is_ok());
}

#[test]
fn analysis_has_something_to_judge() {
    let analysis = |metric: Json| json!({ "metrics": [metric] });
    let errors = json!({ "name": "errors", "failure": "error-rate > 5%" });
    assert!(refused(json!({ "analysis": analysis(errors.clone()) })).contains("no time to judge in"));
    assert_eq!(orders(json!({ "bake": "1m", "analysis": analysis(errors) }))[0].bake_ms, 60_000);
    let compare = json!({ "name": "worse", "compare": "error-rate" });
    assert!(refused(json!({ "bake": "1m", "analysis": analysis(compare.clone()) })).contains("only with"));
    let steps = |pause: Json| json!({ "strategy": "canary", "canary": { "steps": [pause] }, "analysis": analysis(compare.clone()) });
    assert_eq!(orders(steps(json!({ "weight": 5, "pause": "1m" }))).len(), 1);
    assert!(refused(steps(json!({ "weight": 5 }))).contains("a `pause`"));
    let query = json!({ "name": "q", "failure": "value > 1", "source": { "prometheus": "up" } });
    assert!(refused(json!({ "bake": "1m", "analysis": analysis(query) })).contains("whom to ask"));
    let nothing = json!({ "name": "q" });
    assert!(refused(json!({ "bake": "1m", "analysis": analysis(nothing) })).contains("nothing says what is good"));
}

#[test]
fn requests_are_held_for_a_minute_at_most() {
    assert!(refused(json!({ "hold": "61s" })).contains("60 seconds"));
    assert_eq!(orders(json!({ "hold": true }))[0].hold_ms, 30_000);
}
