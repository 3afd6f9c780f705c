//! What a router serves is safe from runs that were told of another one, and a deploy whose router went away can be ended.

use windlass_tests::{Engine, Router, Workspace};

fn shop(name: &str) -> Workspace {
    let pipeline = format!(
        r#"
[pipeline]
name = "{name}"
[vars]
revision = "${{env.REVISION:-v1}}"
[stages.image]
[[stages.image.steps]]
name = "image"
uses = "builtin:image"
with = {{ context = "box", tag = "{name}-box:1" }}
grants = {{ docker = {{ build = ["box"], tag = ["{name}-box"] }} }}
[stages.deploy]
needs = ["image"]
[[stages.deploy.steps]]
name = "deploy"
uses = "builtin:deploy"
with.service = "web"
with.image = "{name}-box:1"
with.revision = "${{vars.revision}}"
with.strategy = "canary"
with.canary.steps = [{{ weight = 50, pause = "until-approved" }}]
with.command = ["/bin/sh", "-c", "mkdir /www; echo ok > /www/health; exec httpd -f -p 8080 -h /www"]
with.port = 8080
with.health = {{ http = "/health", interval = "200ms", deadline = "30s" }}
with.drain = "1s"
grants.docker = {{ run = ["{name}-box"], containers = ["web-*"] }}
grants.traffic = ["web"]
grants.health = ["web-*"]
grants.approval = true
"#
    );
    let stop = format!(
        r#"
[pipeline]
name = "{name}"
[[stages.stop.steps]]
uses = "builtin:service"
with = {{ action = "stop", name = "web-v1-1" }}
grants.docker = {{ containers = ["web-*"] }}
"#
    );
    Workspace::new(&pipeline).file("stop.toml", &stop).busybox()
}

/// The names of the pipeline's containers that run.
fn running(pipeline: &str) -> Vec<String> {
    let filters = format!("%7B%22label%22%3A%5B%22windlass.pipeline%3D{pipeline}%22%5D%7D");
    let all = Engine::get().get_json(&format!("/containers/json?filters={filters}"));
    let name = |one: &serde_json::Value| one["Labels"]["windlass.name"].as_str().unwrap_or_default().to_owned();
    let mut names: Vec<_> = all.as_array().unwrap().iter().map(name).collect();
    names.sort();
    names
}

fn remove_all(pipeline: &str) {
    let filters = format!("%7B%22label%22%3A%5B%22windlass.pipeline%3D{pipeline}%22%5D%7D");
    let engine = Engine::get();
    for one in engine.get_json(&format!("/containers/json?all=1&filters={filters}")).as_array().unwrap() {
        let id = one["Id"].as_str().unwrap();
        let _ = engine.request("DELETE", &format!("/containers/{id}?force=1"));
    }
}

#[test]
fn what_serves_at_one_router_is_left_alone_by_runs_with_another() {
    let (one, other) = (Router::start(), Router::start());
    let workspace = shop("routers").env("WINDLASS_ROUTER", one.folder());
    let _ = workspace.run(&["run"]).exits(0);
    assert_eq!(running("routers"), ["web-v1-1"]);

    let workspace = workspace.env("WINDLASS_ROUTER", other.folder()).env("REVISION", "v2");
    let _ = workspace.run(&["run"]).exits(0);
    assert_eq!(running("routers"), ["web-v1-1", "web-v2-1"], "each router has its own");
    assert_eq!(one.service("web")["current"], "v1");
    let workspace = workspace.env("REVISION", "v1");
    let _ = workspace.run(&["run"]).exits(1).says("is behind another router").says(one.folder());

    // Nor does any other step get it, with this router or with none.
    let set = format!("WINDLASS_ROUTER={}", one.folder());
    let _ = workspace.run(&["run", "stop.toml"]).exits(3).says("it serves requests of service `web`").says(&set);
    let workspace = workspace.env("WINDLASS_ROUTER", "");
    let _ = workspace.run(&["run", "stop.toml"]).exits(3).says("it serves requests of service `web`").says(&set);
    assert_eq!(running("routers"), ["web-v1-1", "web-v2-1"]);
    remove_all("routers");
}

#[test]
fn a_deploy_whose_router_went_away_is_ended_when_it_is_back() {
    let mut router = Router::start();
    let workspace = shop("away").env("WINDLASS_ROUTER", router.folder());
    let _ = workspace.run(&["run"]).exits(0);
    let workspace = workspace.env("REVISION", "v2");
    let _ = workspace.run(&["run", "--no-wait"]).exits(5);
    let run = workspace.run_id();
    router.kill();
    let _ = workspace.run(&["approve", &run, "deploy"]).exits(0);
    // It can neither go on nor go back, and nobody else could give the service back.
    let _ = workspace.run(&["resume"]).exits(4).says("the run is not over").says(&format!("windlass resume {run}"));
    router.start_again();
    assert_eq!(router.service("web")["deployment"]["holder"], run.as_str());
    let _ = workspace.run(&["resume"]).exits(4);
    assert_eq!(router.service("web")["deployment"], serde_json::Value::Null);
    assert_eq!(running("away"), ["web-v1-1"]);
    let _ = workspace.env("REVISION", "v3").run(&["run", "--no-wait"]).exits(5);
    remove_all("away");
}
