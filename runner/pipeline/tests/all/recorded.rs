//! A step of a run that is over.

use serde_json::{Value, json};
use windlass_pipeline::{Facts, PluginSource, parse_tolerant, recorded_step};

use crate::support::source;

const SHOP: &str = r#"[pipeline]
name = "shop"
[vars]
image = "localhost:5000/shop"
port = 80
[environments.live]
vars = { port = 8080 }
[stages.build]
[[stages.build.steps]]
name = "image"
uses = "builtin:image"
with = { tag = "${vars.image}:${git.short}" }
[stages.ship]
needs = ["build"]
environment = "live"
[[stages.ship.steps]]
name = "it"
uses = "builtin:gone"
with = { image = "${stages.build.steps.image.outputs.ref}", port = "${vars.port}", by = "${env.WHO} $${x}", n = "${stages.build.steps.image.outputs.none:-3}", size = "${stages.build.steps.image.outputs.size}" }
grants = { docker = { run = { images = ["${vars.image}:*"] }, expose = ["${vars.port}"] }, traffic = ["shop"] }
"#;

fn facts() -> Facts {
    let pairs = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
    Facts { env: pairs("WHO", "ada"), git: pairs("short", "4f2a9c1"), ..Facts::default() }
}

fn outputs(stage: &str, step: &str, output: &str) -> Option<Value> {
    match (stage, step, output) {
        ("build", "image", "ref") => Some(json!("localhost:5000/shop@sha256:1")),
        ("build", "image", "size") => Some(json!(12)),
        _ => None,
    }
}

#[test]
fn everything_is_filled_in_without_any_plugin() {
    let source = source(SHOP);
    let step = recorded_step(&parse_tolerant(&source), &source, &facts(), ("ship", "it"), &outputs).unwrap();
    assert_eq!(step.plugin, PluginSource::Builtin("gone".to_owned()));
    assert_eq!(step.environment.as_deref(), Some("live"));
    assert_eq!(
        step.with,
        json!({ "image": "localhost:5000/shop@sha256:1", "port": 8080, "by": "ada ${x}", "n": "3", "size": 12 })
    );
    let docker = json!({ "run": { "images": ["localhost:5000/shop:*"] }, "expose": ["8080"] });
    assert_eq!(step.grants, json!({ "docker": docker, "traffic": ["shop"] }));
}

#[test]
fn what_is_not_known_any_more_is_told() {
    let source = source(SHOP);
    let pipeline = parse_tolerant(&source);
    let problem = |facts: &Facts, step, outputs: &dyn Fn(&str, &str, &str) -> Option<Value>| {
        recorded_step(&pipeline, &source, facts, step, outputs).unwrap_err().to_string()
    };
    let said = problem(&facts(), ("ship", "it"), &|_, _, _| None);
    assert!(said.contains("step `image` of stage `build` gave no output `ref` in this run"), "{said}");
    let said = problem(&Facts::default(), ("ship", "it"), &outputs);
    assert!(said.contains("`WHO` is not set"), "{said}");
    for step in [("ship", "that"), ("shop", "it")] {
        assert!(problem(&facts(), step, &outputs).contains("has no step"));
    }
}
