//! What a good pipeline becomes.

use std::time::Duration;

use windlass_pipeline::{
    Demand, Facts, Limits, OnCrash, PluginSource, SecretSource, Severity, parse, parse_tolerant, plan,
};

use crate::support::{descriptions, facts, planned, report, source, stages, step};

/// The pipeline of the documentation.
const STOREFRONT: &str = r#"
[pipeline]
name = "storefront"
description = "Builds and deploys the shop."
jobs = 4
timeout = "1h"

[vars]
registry = "${env.REGISTRY}"
image = "${vars.registry}/storefront"
replicas = 3

[secrets]
registry-password = { env = "REGISTRY_PASSWORD" }

[plugins]
image = "builtin:image"
deploy = { path = "./plugins/deploy.wasm" }

[stages.report]
needs = ["staging", "test"]
required = false
[[stages.report.steps]]
uses = "builtin:command"
with = { size = "${stages.build.steps.image.outputs.size}", all = "${stages.build.steps.image.outputs.tags}" }
env = { HOME = "${env.HOME}", REF = "at ${stages.build.steps.image.outputs.ref}", SIZE = "${stages.build.steps.image.outputs.size}" }
grants = { env = ["HOME"], artifacts = ["report"], secrets = ["registry-password"] }
required = false
on-crash = "repeat"

[stages.build]
[[stages.build.steps]]
name = "image"
uses = "image"
timeout = "5m"
limits = { memory = "256MiB", fuel = 1_000_000, calls = 1000, table = 10_000, log = "8MiB", outputs = "1MiB" }
with = { context = ".", tag = "${vars.image}:${git.short}", push = true }
grants = { docker = { build = ["."], push = ["${vars.image}"] } }

[stages.test]
needs = ["build"]
steps = [
    { name = "unit", uses = "builtin:command", with = { run = "cargo test" }, grants = { process = ["cargo"] } },
    { name = "lint", uses = "builtin:command", with = { run = "cargo clippy $${x}" }, grants = { process = ["cargo"] } },
]

[stages.staging]
needs = ["build"]
[[stages.staging.steps]]
uses = "deploy"
[stages.staging.steps.with]
service = "storefront"
image = "${stages.build.steps.image.outputs.ref}"
replicas = "${vars.replicas}"
[stages.staging.steps.grants]
health = ["storefront"]
docker.run.images = ["${vars.image}"]
docker.run.ports = ["8080"]
"#;

fn storefront() -> windlass_pipeline::Plan {
    let source = source(STOREFRONT);
    let pipeline = parse(&source).unwrap_or_else(|problems| panic!("{problems}"));
    let mut known = descriptions();
    if let Some(deploy) = known.remove(&PluginSource::Builtin("deploy".into())) {
        known.insert(PluginSource::Path("plugins/deploy.wasm".into()), deploy);
    }
    plan(&pipeline, &source, &facts(), &known).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_whole_plan() {
    insta::assert_snapshot!("storefront", serde_json::to_string_pretty(&storefront()).unwrap());
}

#[test]
fn stages_come_after_what_they_need_and_otherwise_as_in_the_file() {
    let plan = storefront();
    let names: Vec<&str> = plan.stages.iter().map(|stage| &*stage.name).collect();
    assert_eq!(names, ["build", "test", "staging", "report"]);
    assert_eq!(plan.stages[3].needs, [1, 2]);
    assert_eq!(plan.stages[0].dependents, [1, 2]);
    assert_eq!(plan.stages[1].steps, 1..3);
    assert_eq!(plan.steps_of(&plan.stages[1]).len(), 2);
    assert_eq!(plan.steps[1].stage, 1);
    assert!(!plan.stages[3].required && plan.stages[0].required);
}

#[test]
fn steps_say_all_that_the_file_says() {
    let plan = storefront();
    let image = &plan.steps[0];
    assert_eq!(image.timeout, Some(Duration::from_secs(300)));
    assert_eq!(
        image.limits,
        Limits {
            memory: Some(256 << 20),
            fuel: Some(1_000_000),
            calls: Some(1000),
            table_elements: Some(10_000),
            log: Some(8 << 20),
            output: Some(1 << 20),
        }
    );
    assert_eq!(image.on_crash, OnCrash::Ask);
    assert_eq!((image.location.line, image.location.column), (32, 1));
    let report = plan.steps.last().unwrap();
    assert_eq!((report.on_crash, report.required, &*report.name), (OnCrash::Repeat, false, "command"));
    assert_eq!(plan.timeout, Some(Duration::from_secs(3600)));
    assert_eq!(plan.secrets["registry-password"], SecretSource::Env("REGISTRY_PASSWORD".into()));
    assert!(plan.warnings.is_empty());
}

#[test]
fn references_to_outputs_know_the_step() {
    let plan = storefront();
    let report = plan.steps.last().unwrap();
    let references = report.with.references();
    assert_eq!(references.len(), 2);
    assert_eq!(references[0].to_string(), "stages.build.steps.image.outputs.size");
    assert_eq!(references[0].index, 0);
    assert!(!report.with.is_static() && plan.steps[0].with.is_static());
}

#[test]
fn plugins_are_listed_once_with_their_places() {
    let source = source(STOREFRONT);
    let pipeline = parse(&source).unwrap();
    let shown: Vec<String> =
        pipeline.plugin_sources().iter().map(|(plugin, place)| format!("{plugin} at {place}")).collect();
    assert_eq!(shown, ["builtin:command at 24:8", "builtin:image at 17:9", "plugins/deploy.wasm at 18:19"]);
    let names: Vec<&str> = pipeline.env_names().iter().map(String::as_str).collect();
    assert_eq!(names, ["HOME", "REGISTRY"]);
    let problem = pipeline.plugin_problem(&source, &PluginSource::Path("plugins/deploy.wasm".into()), "no such file");
    assert_eq!(problem.to_string(), "pipeline.toml:18:19: error: no such file");
}

#[test]
fn steps_with_the_same_grants_share_them_and_know_their_own_lines() {
    let text = stages(
        "[[stages.a.steps]]\nuses = \"x\"\ngrants = { process = [\"cargo\", \"git\"] }\n\n[[stages.b.steps]]\nuses = \"x\"\ngrants    = { process = [\"cargo\", \"git\"] }\n",
    );
    let plan = planned(&text).unwrap();
    assert!(std::sync::Arc::ptr_eq(&plan.steps[0].grants, &plan.steps[1].grants));
    let place = |step: usize, rule: usize| {
        let step = &plan.steps[step];
        step.granted_at(&step.grants.rules()[rule]).to_string()
    };
    assert_eq!([place(0, 0), place(0, 1), place(1, 0), place(1, 1)], ["3:23", "3:32", "7:26", "7:35"]);
}

#[test]
fn tables_of_grants_know_their_lines_too() {
    let plan = storefront();
    let deploy = plan.steps.iter().find(|step| &*step.name == "deploy").unwrap();
    let places: Vec<String> = deploy
        .permissions()
        .map(|one| format!("{}.{} {} {}", one.capability, one.verb, one.resource, one.line))
        .collect();
    assert_eq!(
        places,
        ["health.check storefront 56", "docker.run localhost:5000/storefront 57", "docker.port 8080 58"]
    );
    assert!(deploy.grants.allows(&Demand::new("docker", "run", "localhost:5000/storefront:0123456")).is_some());
}

#[test]
fn mistakes_of_the_file_and_of_the_plan_are_shown_together() {
    let text = step("uses = \"image\"\nwiht = 1\nwith = { tag = 1 }\ngrants = { docker = { build = [\".\"] } }");
    let source = source(&text);
    assert_eq!(parse(&source).unwrap_err().len(), 1);
    let problems = plan(&parse_tolerant(&source), &source, &facts(), &descriptions()).unwrap_err();
    let codes: Vec<&str> = problems.iter().map(|one| one.code).collect();
    assert_eq!(codes, ["unknown-key", "bad-with"]);
}

#[test]
fn a_warning_does_not_fail() {
    let plan = planned(&step(
        "uses = \"image\"\nwith.tag = \"a\"\ngrants = { docker = { tag = [\"a\"] }, process = [\"make\"] }",
    ))
    .unwrap();
    assert_eq!(plan.warnings.len(), 1);
    assert_eq!(plan.warnings.diagnostics[0].severity, Severity::Warning);
    assert!(!plan.warnings.has_errors());
}

#[test]
fn another_text_is_refused() {
    let first = source(&step("uses = \"x\""));
    let second = source(&step("uses = \"x\"  "));
    let pipeline = parse(&first).unwrap();
    let problems = plan(&pipeline, &second, &Facts::default(), &descriptions()).unwrap_err();
    assert_eq!(problems.diagnostics[0].code, "other-source");
}

#[test]
fn writers_in_order_may_share_a_folder() {
    let good = stages(
        "[[stages.a.steps]]\nuses = \"x\"\ngrants = { files = { write = [\"dist\"] } }\n[stages.b]\nneeds = [\"a\"]\nsteps = [{ uses = \"x\" }]\n[stages.c]\nneeds = [\"b\"]\nsteps = [{ uses = \"x\", grants = { files = { write = [\"dist/c\"] } } }, { name = \"y\", uses = \"x\", grants = { files = { write = [\"dist\"] } } }]\n[[stages.d.steps]]\nuses = \"x\"\ngrants = { files = { write = [\"distance\"], read = [\"dist\"] } }\n",
    );
    assert_eq!(report(&good), "");
}

#[test]
fn many_writers_are_compared_quickly() {
    let stage = |at: usize| {
        let needs = if at == 0 { String::new() } else { format!("needs = [\"s{}\"]\n", at - 1) };
        format!(
            "[stages.s{at}]\n{needs}steps = [{{ uses = \"x\", grants = {{ files = {{ write = [\"dist\"] }} }} }}]\n"
        )
    };
    assert_eq!(report(&stages(&(0..3_000).map(stage).collect::<String>())), "");
    let stage = |at: usize| {
        format!("[stages.s{at}]\nsteps = [{{ uses = \"x\", grants = {{ files = {{ write = [\"dist\"] }} }} }}]\n")
    };
    let problems = planned(&stages(&(0..3_000).map(stage).collect::<String>())).unwrap_err();
    assert_eq!(problems.len(), 2_999);
}

#[test]
fn a_long_chain_and_a_wide_layer_are_planned() {
    let stage = |at: usize| {
        let needs = if at == 0 { String::new() } else { format!("needs = [\"s{}\"]\n", at - 1) };
        format!("[stages.s{at}]\n{needs}steps = [{{ uses = \"x\" }}]\n")
    };
    let plan = planned(&stages(&(0..20_000).rev().map(stage).collect::<String>())).unwrap();
    assert_eq!(plan.stages.len(), 20_000);
    assert!(plan.stages.iter().enumerate().all(|(at, stage)| *stage.name == format!("s{at}")));
}

#[test]
fn many_references_to_outputs_far_away_are_checked_quickly() {
    let mut text = String::from("[[stages.s0.steps]]\nuses = \"x\"\n");
    for at in 1..5_000 {
        text.push_str(&format!(
            "[stages.s{at}]\nneeds = [\"s{}\"]\n[[stages.s{at}.steps]]\nuses = \"x\"\nwith.a = \"${{stages.s{}.steps.x.outputs.text}}\"\n",
            at - 1,
            at / 2
        ));
    }
    assert_eq!(report(&stages(&text)), "");
}
