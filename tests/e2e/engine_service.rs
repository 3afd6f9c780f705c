//! Services: started, healthy, stopped; and each way in which that fails.

use windlass_tests::{Engine, Workspace};

fn service(name: &str, with: &str, grants: &str) -> Workspace {
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
[stages.serve]
needs = ["prepare"]
[[stages.serve.steps]]
name = "service"
uses = "builtin:service"
with = {{ name = "web", image = "{name}-box:1", {with} }}
grants = {{ docker = {{ run = {{ images = ["{name}-box"]{grants} }} }}, health = ["web"] }}
"#
    ))
    .busybox()
}

#[track_caller]
fn leaves_nothing(workspace: &Workspace) {
    assert_eq!(Engine::get().left_by(&workspace.run_id()), Vec::<String>::new());
}

const HTTPD: &str = "command = [\"/bin/sh\", \"-c\", \"mkdir /www; echo ok > /www/health; exec httpd -f -p 8080 -h /www\"], ports = [8080]";

#[test]
fn a_service_gets_healthy_and_goes_with_the_run() {
    let workspace = service(
        "healthy",
        &format!("{HTTPD}, health = {{ http = \"/health\", port = 8080, interval = \"200ms\" }}"),
        "",
    );
    let _ = workspace.run(&["run"]).exits(0);
    leaves_nothing(&workspace);
    assert!(workspace.show(&["--calls"]).contains("http.probe"));
}

#[test]
fn a_service_that_never_gets_healthy_fails_with_its_log_and_leaves_nothing() {
    let with = "command = [\"/bin/sh\", \"-c\", \"echo still warming up; exec sleep 1000\"], ports = [8080], health = { http = \"/health\", port = 8080, interval = \"50ms\", retries = 3, start-period = \"0s\" }";
    let workspace = service("never", with, "");
    let _ = workspace.run(&["run"]).exits(1).says("healthy").says("still warming up");
    leaves_nothing(&workspace);
}

#[test]
fn an_image_that_exits_at_once_is_told_with_its_log() {
    let with = "command = [\"/bin/sh\", \"-c\", \"echo no such config; exit 78\"], health = { http = \"/\", port = 8080, interval = \"50ms\", retries = 50 }";
    let workspace = service("exits", with, "");
    let _ = workspace.run(&["run"]).exits(1).says("78").says("no such config");
    leaves_nothing(&workspace);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let with = format!("command = [\"/bin/sleep\", \"1000\"], ports = [\"{port}:8080\"]");
    let workspace = service("taken", &with, &format!(", ports = [\"{port}\"]"));
    let _ = workspace.run(&["run"]).exits(1).says(&port.to_string());
    leaves_nothing(&workspace);
}

#[test]
fn a_kept_service_that_fails_goes_and_one_that_is_healthy_stays() {
    let with = "command = [\"/bin/sleep\", \"1000\"], health = { command = [\"/bin/sh\", \"-c\", \"exit 1\"], interval = \"50ms\", retries = 2, start-period = \"0s\" }, keep = true";
    let workspace = service("kept", with, "");
    let _ = workspace.run(&["run"]).exits(1);
    leaves_nothing(&workspace);

    let workspace = service("stays", "command = [\"/bin/sleep\", \"1000\"], keep = true", "");
    let _ = workspace.run(&["run"]).exits(0);
    let run = workspace.run_id();
    let left = Engine::get().left_by(&run);
    assert_eq!(left.len(), 1, "{left:?}");
    let name = left[0].trim_start_matches("container \"/").trim_end_matches('"').to_owned();
    let (status, _) = Engine::get().request("DELETE", &format!("/containers/{name}?force=1"));
    assert_eq!(status, 204);
}

#[test]
fn the_keep_option_leaves_what_a_failed_run_made() {
    let with = "command = [\"/bin/sleep\", \"1000\"]";
    let workspace = service("looked-at", with, "");
    let pipeline = workspace.path().join("pipeline.toml");
    let mut text = std::fs::read_to_string(&pipeline).unwrap();
    text.push_str("[[stages.serve.steps]]\nname = \"fails\"\nuses = \"builtin:command\"\nwith = { run = [\"false\"] }\ngrants = { process = [\"false\"] }\n");
    std::fs::write(pipeline, text).unwrap();
    let _ = workspace.run(&["run", "--keep"]).exits(1).says("kept container");
    let left = Engine::get().left_by(&workspace.run_id());
    assert_eq!(left.len(), 1, "{left:?}");
    let name = left[0].trim_start_matches("container \"/").trim_end_matches('"').to_owned();
    let (status, _) = Engine::get().request("DELETE", &format!("/containers/{name}?force=1"));
    assert_eq!(status, 204);
}
