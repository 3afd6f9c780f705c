//! `windlass plan`.

use crate::support::{Folder, snapshot};

const SHOP: &str = r#"[pipeline]
name = "shop"
description = "Builds and tries the shop."
timeout = "1h"

[vars]
image = "localhost:5000/shop"

[secrets]
registry-password = { env = "REGISTRY_PASSWORD" }

[plugins]
image = "builtin:image"

[stages.lint]
required = false
[[stages.lint.steps]]
name = "clippy"
uses = "builtin:command"
with = { run = ["cargo", "clippy"] }
grants = { process = ["cargo"], env = ["PATH"] }
timeout = "90s"

[stages.unit]
[[stages.unit.steps]]
name = "test"
uses = "builtin:command"
with = { run = ["cargo", "test"], image = "rust:1.95", mount = "src" }
grants.docker.run = { images = ["rust:1.95"], mounts = ["src"] }

[stages.build]
needs = ["lint", "unit"]
[[stages.build.steps]]
uses = "image"
with = { context = ".", tag = "${vars.image}:${run.id}", push = true }
grants = { docker = { build = ["."], push = ["${vars.image}"] }, secrets = ["registry-password"] }

[stages.ship]
needs = ["build"]
[[stages.ship.steps]]
uses = "builtin:service"
with = { name = "shop", image = "${stages.build.steps.image.outputs.ref}" }
grants.docker.run = ["${vars.image}"]
"#;

#[test]
fn order_graph_and_capabilities() {
    snapshot!(Folder::with(SHOP).windlass(&["plan"]));
}

#[test]
fn the_same_for_programs() {
    let done = Folder::with(SHOP).windlass(&["plan", "--format", "json"]).exits(0);
    assert_eq!(done.out.lines().count(), 1);
    let plan = &done.json()[0];
    let names: Vec<&str> =
        plan["stages"].as_array().unwrap().iter().map(|stage| stage["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["lint", "unit", "build", "ship"]);
    let step = &plan["stages"][2]["steps"][0];
    assert_eq!(step["with"]["tag"], "localhost:5000/shop:0000000000");
    assert_eq!(step["sandboxed"], true);
    let push = &step["grants"][1];
    assert_eq!((&push["verb"], &push["resource"]), (&"push".into(), &"localhost:5000/shop".into()));
    assert_eq!(push["at"], serde_json::json!({ "line": 36, "column": 46 }));
    assert_eq!(plan["stages"][0]["steps"][0]["sandboxed"], false);
    assert_eq!(plan["stages"][3]["steps"][0]["with"]["image"], "${stages.build.steps.image.outputs.ref}");
}

#[test]
fn a_bad_pipeline_has_no_plan() {
    let folder = Folder::with("[pipeline]\nname = \"x\"\n");
    let done = folder.windlass(&["plan"]).exits(2).says("the pipeline has no stages");
    assert_eq!(done.out, "");
    assert!(folder.windlass(&["plan", "--format", "json"]).exits(2).json()[0]["error"]["diagnostics"].is_array());
}

#[test]
fn ten_thousand_stages_have_a_plan_without_a_graph() {
    let mut pipeline = "[pipeline]\nname = \"wide\"\n".to_owned();
    for stage in 0..10_000 {
        pipeline.push_str(&format!("[[stages.s{stage}.steps]]\nuses = \"builtin:command\"\nwith.run = [\"true\"]\ngrants.process = [\"true\"]\n"));
    }
    Folder::with(&pipeline).windlass(&["plan"]).exits(0).says("10000 stages, 10000 steps");
}

#[test]
fn nothing_is_written() {
    let folder = Folder::with(SHOP);
    folder.windlass(&["plan"]).exits(0);
    assert!(!folder.was_run());
}
