//! Stacks: several services in their order, left alone or replaced, and all away when one does not come up.

use std::path::Path;

use windlass_tests::{Engine, Workspace};

/// A pipeline that builds an image, and deploys a compose file with it.
fn stack(name: &str, compose: &str, more: &str) -> Workspace {
    Workspace::new(&format!(
        r#"
[pipeline]
name = "{name}"
[stages.prepare]
[[stages.prepare.steps]]
name = "image"
uses = "builtin:image"
with = {{ context = "box", tag = "{name}-box:1" }}
grants = {{ docker = {{ build = ["box"], tag = ["{name}-box"] }} }}
[stages.deploy]
needs = ["prepare"]
[[stages.deploy.steps]]
name = "up"
uses = "builtin:stack"
with = {{ name = "shop", compose = "deploy/compose.yaml", variables = {{ IMAGE = "{name}-box:1" }}, keep = true }}
grants = {{ docker = {{ run = ["{name}-box"], networks = ["back"], volumes = ["www"], containers = ["page", "web"] }}, files = {{ read = ["deploy"] }} }}
{more}
"#
    ))
    .file("deploy/compose.yaml", compose)
    .busybox()
}

/// `web` serves what `page` has written before it was healthy.
const COMPOSE: &str = r#"
services:
  web:
    image: ${IMAGE}
    command: [/bin/httpd, -f, -p, "8080", -h, /www]
    volumes: ["www:/www:ro"]
    networks: [back]
    ports: [8080]
    depends_on: { page: { condition: service_healthy } }
    healthcheck: { test: "wget -q -O /dev/null http://127.0.0.1:8080/health", interval: 500ms, timeout: 5s }
  page:
    image: ${IMAGE}
    command: [/bin/sh, -c, "sleep 1; echo well > /www/health; exec sleep 1000"]
    volumes: ["www:/www"]
    networks: { back: { aliases: [pages] } }
    healthcheck: { test: [CMD, /bin/sh, -c, "test -s /www/health"], interval: 500ms, retries: 20 }
networks: { back: }
volumes: { www: }
"#;

/// A step that asks `web`, and one that takes the stack away.
const ASK_AND_DOWN: &str = r#"
[[stages.deploy.steps]]
name = "ask"
uses = "builtin:http-check"
with = { container = "web", port = 8080, path = "/health", contains = "well" }
grants = { health = ["web"] }
"#;

const DOWN: &str = r#"
[pipeline]
name = "NAME"
[stages.away]
[[stages.away.steps]]
name = "down"
uses = "builtin:stack"
with = { action = "down", name = "shop", compose = "deploy/compose.yaml", variables = { IMAGE = "" }, remove-volumes = true }
grants = { docker = { containers = ["page", "web"], networks = ["back"], volumes = ["www"] }, files = { read = ["deploy"] } }
"#;

#[track_caller]
fn left_by_the_last_run(workspace: &Workspace) -> Vec<String> {
    Engine::get().left_by(&workspace.run_id())
}

#[test]
fn a_stack_is_deployed_left_alone_changed_and_taken_away() {
    let workspace = stack("stacked", COMPOSE, ASK_AND_DOWN).file("down.toml", &DOWN.replace("NAME", "stacked"));
    let first = workspace.run(&["run"]).exits(0).says("started page, web").all();
    let at = |text: &str| first.find(text).unwrap_or_else(|| panic!("`{text}` is not in\n{first}"));
    assert!(at("started `page`") < at("`page` is healthy") && at("`page` is healthy") < at("started `web`"), "{first}");
    let left = left_by_the_last_run(&workspace);
    assert_eq!(left.len(), 4, "two containers, a network and a volume stay: {left:?}");

    let _ = workspace.run(&["run"]).exits(0).says("unchanged page, web");
    assert_eq!(left_by_the_last_run(&workspace), Vec::<String>::new(), "the second run made something");

    let changed = COMPOSE.replace("ports: [8080]", "ports: [8080]\n    labels: { changed: yes }");
    std::fs::write(workspace.path().join("deploy/compose.yaml"), changed).unwrap();
    let _ = workspace.run(&["run"]).exits(0).says("started web; unchanged page").says("its settings have changed");
    assert_eq!(left_by_the_last_run(&workspace).len(), 1);

    let before = workspace.run_id();
    let _ = workspace.run(&["run", "down.toml"]).exits(0).says("removed web, page");
    assert_eq!(Engine::get().left_by(&before), Vec::<String>::new());
    let labelled = Engine::get()
        .get_json("/containers/json?all=1&filters=%7B%22label%22%3A%5B%22windlass.pipeline%3Dstacked%22%5D%7D");
    assert_eq!(labelled.as_array().map(Vec::len), Some(0), "{labelled}");
    let _ = workspace.run(&["run", "down.toml"]).exits(0).says("there was nothing to remove");
}

#[test]
fn a_service_that_does_not_get_healthy_takes_all_along() {
    let ill = COMPOSE
        .replace("127.0.0.1:8080/health", "127.0.0.1:8080/nothing")
        .replace("interval: 500ms, timeout: 5s", "interval: 200ms, timeout: 5s, retries: 2");
    let workspace = stack("ill", &ill, "");
    let failed = workspace.run(&["run"]).exits(1).says("`web` runs, but does not get healthy").all();
    let at = |text: &str| failed.find(text).unwrap_or_else(|| panic!("`{text}` is not in\n{failed}"));
    assert!(at("removed `web` again") < at("removed `page` again"), "{failed}");
    assert_eq!(left_by_the_last_run(&workspace), Vec::<String>::new());
}

#[test]
fn what_was_there_before_stays_when_a_later_service_fails() {
    let workspace = stack("partly", COMPOSE, "").file("down.toml", &DOWN.replace("NAME", "partly"));
    let _ = workspace.run(&["run"]).exits(0);
    let first = workspace.run_id();
    let broken =
        COMPOSE.replace("[/bin/httpd, -f, -p, \"8080\", -h, /www]", "[/bin/sh, -c, \"echo no pages; exit 3\"]");
    std::fs::write(workspace.path().join("deploy/compose.yaml"), broken).unwrap();
    let _ = workspace.run(&["run"]).exits(1).says("it exited with code 3").says("no pages");
    assert_eq!(left_by_the_last_run(&workspace), Vec::<String>::new());
    // `page`, its network and its volume with what is in it.
    assert_eq!(Engine::get().left_by(&first).len(), 3);
    std::fs::write(workspace.path().join("deploy/compose.yaml"), COMPOSE).unwrap();
    let _ = workspace.run(&["run"]).exits(0).says("started web; unchanged page");
    let _ = workspace.run(&["run", "down.toml"]).exits(0).says("removed web, page");
    assert_eq!(Engine::get().left_by(&first), Vec::<String>::new());
}

#[test]
fn a_bad_compose_file_and_a_missing_image_are_told_before_anything_is_made() {
    let workspace = stack("refused", &COMPOSE.replace("ports: [8080]", "build: ."), "");
    let _ = workspace.run(&["run"]).exits(1).says("deploy/compose.yaml:8: services.web.build").says("builtin:image");
    assert_eq!(left_by_the_last_run(&workspace), Vec::<String>::new());
    let workspace = stack("absent", &COMPOSE.replacen("${IMAGE}", "absent-box:2", 1), "");
    let _ = workspace.run(&["run"]).exits(1).says("services.web.image").says("absent-box:2");
    assert!(!workspace.show(&["--calls"]).contains("docker.create-network"));
}

#[test]
fn the_example_is_deployed_and_taken_away() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/stack");
    let read = |file: &str| std::fs::read_to_string(example.join(file)).unwrap();
    let workspace = Workspace::new(&read("pipeline.toml"))
        .env("STACK_IMAGE", "stack-example-box")
        .env("STACK_TAG", "1")
        .file("app/compose.yaml", &read("app/compose.yaml"))
        .file("app/page/index.html", &read("app/page/index.html"))
        .file("down.toml", &read("down.toml"))
        .file("image.toml", "[pipeline]\nname = \"stack-image\"\n[stages.s]\n[[stages.s.steps]]\nuses = \"builtin:image\"\nwith = { context = \"box\", tag = \"stack-example-box:1\" }\ngrants = { docker = { build = [\"box\"], tag = [\"stack-example-box\"] } }\n")
        .busybox();
    let _ = workspace.run(&["run", "image.toml"]).exits(0);
    let _ = workspace.run(&["check"]).exits(0);
    let _ = workspace.run(&["run"]).exits(0).says("started page, web");
    let run = workspace.run_id();
    let _ = workspace.run(&["run", "down.toml"]).exits(0).says("removed web, page");
    assert_eq!(Engine::get().left_by(&run), Vec::<String>::new());
}
