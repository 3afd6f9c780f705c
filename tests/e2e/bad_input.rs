//! Bad input: exit 2, the place and the reason, nothing started.

use windlass_tests::{Workspace, guest};

fn pipeline(uses: &str) -> String {
    format!("[pipeline]\nname = \"p\"\n[stages.s]\n[[stages.s.steps]]\nname = \"t\"\nuses = \"{uses}\"\n")
}

#[track_caller]
fn refused(workspace: &Workspace, says: &[&str]) {
    for command in ["check", "run"] {
        let mut finished = workspace.run(&[command]).exits(2);
        for text in says {
            finished = finished.says(text);
        }
        assert!(!finished.all().contains("panicked"), "{}", finished.all());
    }
    assert!(!workspace.path().join(".windlass").exists(), "something was started");
}

#[test]
fn a_missing_file() {
    let workspace = Workspace::new("");
    std::fs::remove_file(workspace.path().join("pipeline.toml")).unwrap();
    refused(&workspace, &["pipeline.toml"]);
}

#[test]
fn an_empty_file() {
    refused(&Workspace::new(""), &["pipeline.toml", "empty"]);
}

#[test]
fn a_file_that_is_not_utf_8() {
    let workspace = Workspace::new("");
    std::fs::write(workspace.path().join("pipeline.toml"), b"[pipeline]\nname = \"\xff\xfe\"\n").unwrap();
    refused(&workspace, &["UTF-8"]);
}

#[test]
fn a_file_of_more_than_50_megabytes() {
    refused(&Workspace::new(&"# a comment\n".repeat(5_000_000)), &["pipeline.toml"]);
}

#[test]
fn five_mistakes_are_five_errors_with_their_places() {
    let workspace = Workspace::new(
        "[pipeline]\nname = \"p\"\ncolour = \"red\"\n\n[stages.build]\nneeds = [\"biuld\"]\n[[stages.build.steps]]\nname = \"a\"\nuses = \"builtin:imag\"\n\n[stages.test]\nneeds = [\"test\"]\n[[stages.test.steps]]\nname = 7\nuses = \"builtin:command\"\nwith = { run = [\"echo\", \"${vars.nothing}\"] }\n",
    );
    let finished = workspace.run(&["check"]).exits(2);
    let all = finished.all();
    for place in ["3:1", "6:10", "9:8", "12:10", "14:8", "16:"] {
        assert!(all.contains(&format!("pipeline.toml:{place}")), "{place} is missing in\n{all}");
    }
}

#[test]
fn a_plugin_that_is_not_webassembly() {
    refused(
        &Workspace::new(&pipeline("./x.wasm")).file("x.wasm", "#!/bin/sh\necho hi\n"),
        &["x.wasm", "is not WebAssembly"],
    );
    refused(&Workspace::new(&pipeline("./x.wasm")).file("x.wasm", ""), &["x.wasm", "empty"]);
    refused(&Workspace::new(&pipeline("./x.wasm")), &["x.wasm"]);
}

#[test]
fn a_core_module() {
    let workspace = Workspace::new(&pipeline("./x.wasm"));
    std::fs::write(workspace.path().join("x.wasm"), wat::parse_str("(module)").unwrap()).unwrap();
    refused(&workspace, &["x.wasm", "core module", "wasm32-wasip2"]);
}

#[test]
fn a_component_of_another_world() {
    let workspace = Workspace::new(&pipeline("./x.wasm"));
    std::fs::write(workspace.path().join("x.wasm"), wat::parse_str("(component)").unwrap()).unwrap();
    refused(&workspace, &["x.wasm", "another world", "windlass:step/step"]);
}

#[test]
fn a_component_that_is_damaged() {
    let workspace = Workspace::new(&pipeline("./x.wasm"));
    let mut bytes = std::fs::read(guest("noop")).unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(workspace.path().join("x.wasm"), bytes).unwrap();
    refused(&workspace, &["x.wasm", "cannot be compiled"]);
}

#[test]
fn a_plugin_for_a_newer_interface() {
    let bytes = std::fs::read(guest("noop")).unwrap();
    // The contract's version stands in the component's names, so a newer one is a few bytes away.
    let newer = replace(&bytes, b"windlass:step/step@0.1.0", b"windlass:step/step@0.9.0");
    let workspace = Workspace::new(&pipeline("./x.wasm"));
    std::fs::write(workspace.path().join("x.wasm"), newer).unwrap();
    refused(&workspace, &["x.wasm", "windlass:step/step@0.9.0", "update Windlass"]);
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(from.len()).position(|window| window == from) {
        bytes[at + found..at + found + from.len()].copy_from_slice(to);
        at += found + from.len();
    }
    bytes
}

#[test]
fn a_service_without_any_docker_grant_is_refused_by_check() {
    let workspace = Workspace::new(
        "[pipeline]\nname = \"p\"\n[stages.s]\n[[stages.s.steps]]\nname = \"t\"\nuses = \"builtin:service\"\nwith = { name = \"web\", image = \"web:1\" }\n",
    );
    refused(&workspace, &["docker", "grants"]);
}

#[test]
fn hello_runs_with_docker_stopped() {
    let hello = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello/pipeline.toml");
    let workspace =
        Workspace::new(&std::fs::read_to_string(hello).unwrap()).env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let _ = workspace.run(&["run"]).exits(0).says("hello");
}

/// A deploy of a canary with these settings and grants besides.
fn deploy(more: &str) -> Workspace {
    Workspace::new(&format!(
        "[pipeline]\nname = \"p\"\n[[stages.s.steps]]\nuses = \"builtin:deploy\"\nwith.service = \"shop\"\nwith.image = \"shop:1\"\nwith.port = 8080\ngrants.docker = {{ run = [\"shop\"], containers = [\"shop-*\"] }}\ngrants.traffic = [\"shop\"]\ngrants.health = [\"shop-*\"]\n{more}\n"
    ))
}

#[test]
fn a_deploy_that_makes_no_sense_is_told_before_it_begins() {
    refused(&deploy(""), &["pipeline.toml:5:", "has no `strategy`"]);
    refused(&deploy("with.strategy = \"canary\""), &["has no `canary`"]);
    let canary = |more: &str| deploy(&format!("with.strategy = \"canary\"\n{more}"));
    refused(&canary("with.canary.steps = [{ weight = 50 }, { weight = 10 }]"), &["weights rise"]);
    refused(&canary("with.canary.steps = [{ weight = 60 }, { weight = 160 }]"), &["pipeline.toml:12:", "160"]);
    let steps = "with.canary.steps = [{ weight = 50, pause = \"1s\" }]\n";
    let metric = |metric: &str| canary(&format!("{steps}with.analysis.metrics = [{{ name = \"m\", {metric} }}]"));
    refused(&metric("failure = \"error-rate > 150%\""), &["150"]);
    refused(&metric("failure = \"error-rat > 5%\""), &["error-rat"]);
    refused(&canary(&format!("{steps}with.routes = [{{ path = \"/a?b\" }}]")), &["pipeline.toml:13:", "path"]);
    refused(
        &canary(&format!("{steps}with.routes = [{{ path = \"/a\" }}, {{ path = \"/a\" }}]")),
        &["has twice the route `*/a`"],
    );
    refused(&canary(&format!("{steps}with.health = {{ http = \"health\" }}")), &["health"]);
    refused(&canary(&format!("{steps}with.rolling = {{ max-surge = 2 }}")), &["`with.strategy` cannot be `canary`"]);
}

#[test]
fn a_deploy_is_looked_at_though_its_image_is_still_to_be_built() {
    let built = |more: &str| {
        Workspace::new(&format!(
            "[pipeline]\nname = \"p\"\n[[stages.b.steps]]\nname = \"image\"\nuses = \"builtin:image\"\nwith = {{ context = \".\", tag = \"shop:1\" }}\ngrants.docker = {{ build = [\".\"], tag = [\"shop\"] }}\n[stages.d]\nneeds = [\"b\"]\n[[stages.d.steps]]\nuses = \"builtin:deploy\"\nwith.service = \"shop\"\nwith.image = \"${{stages.b.steps.image.outputs.ref}}\"\nwith.port = 8080\nwith.strategy = \"canary\"\ngrants.docker = {{ run = [\"shop\"], containers = [\"shop-*\"] }}\ngrants.traffic = [\"shop\"]\ngrants.health = [\"shop-*\"]\n{more}\n"
        ))
    };
    refused(&built("with.canary.steps = [{ weight = 50 }, { weight = 10 }]"), &["pipeline.toml:12:", "weights rise"]);
    let _ = built("with.canary.steps = [{ weight = 50 }]").run(&["check"]).exits(0);
    let pause = "with.canary.steps = [{ weight = 50, pause = \"${stages.b.steps.image.outputs.size}s\" }]";
    let _ = built(pause).run(&["check"]).exits(0);
}

#[test]
fn a_deploy_is_told_beforehand_which_grant_it_will_need() {
    let canary = "with.strategy = \"canary\"\nwith.canary.steps = [{ weight = 50, pause = \"until-approved\" }]\n";
    refused(&deploy(canary), &["no grant for `approval.wait`", "grants.approval = true"]);
    let _ = deploy(&format!("{canary}grants.approval = true")).run(&["check"]).exits(0);
    refused(&deploy("with.strategy = \"recreate\""), &["no grant for `traffic.downtime`"]);
    let asks = "with.strategy = \"canary\"\nwith.canary.steps = [{ weight = 50, pause = \"1s\" }]\nwith.analysis = { prometheus = \"http://localhost:9/\", metrics = [{ name = \"m\", source = { prometheus = \"up\" }, failure = \"value < 1\" }] }\n";
    refused(&deploy(asks), &["the metric `m` has a query", "`query.ask`", "http://localhost:9/"]);
}
