//! Every function of the contract, called by a real component: answered when granted, denied when not.

use serde_json::{Value as Json, json};
use windlass_tests::{Engine, Router, Workspace};

/// JSON as TOML, on one line. What is null is left out.
fn toml(value: &Json) -> String {
    match value {
        Json::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Json::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| !value.is_null());
            format!(
                "{{ {} }}",
                entries.map(|(key, value)| format!("{key:?} = {}", toml(value))).collect::<Vec<_>>().join(", ")
            )
        }
        other => other.to_string(),
    }
}

fn spec(image: &str, command: &[&str]) -> Json {
    json!({
        "image": image, "command": command, "env": [{ "name": "A", "value": { "plain": "b" } }], "labels": [], "ports": [{ "container": 8080, "protocol": "tcp" }],
        "mounts": [{ "source": { "tmpfs": 1_048_576 }, "target": "/tmp", "writable": true }], "networks": [], "aliases": [],
        "no-network": false, "read-only-root": false, "restart": "no",
        "healthcheck": { "command": ["/bin/sh", "-c", "exit 0"], "interval-ms": 200, "timeout-ms": 1000, "retries": 3, "start-period-ms": 0 }
    })
}

fn calls(registry: &str, port: u16) -> Vec<(&'static str, Json)> {
    let image = format!("{registry}/every:1");
    let httpd = "mkdir -p /www; echo ok > /www/health; echo serving; exec httpd -f -p 8080 -h /www";
    let port_of = json!({ "container": "web", "port": 8080 });
    let probe = json!({ "status-min": 200, "status-max": 299, "body-contains": "ok" });
    let policy =
        json!({ "interval-ms": 100, "timeout-ms": 2000, "retries": 50, "start-period-ms": 0, "success-threshold": 1 });
    vec![
        ("log.log", json!({ "level": "info", "message": "hello" })),
        ("timer.sleep", json!({ "milliseconds": 1 })),
        (
            "metrics.emit",
            json!({ "metric": { "name": "m", "value": 1.5, "unit": "s", "labels": [{ "name": "a", "value": "b" }] } }),
        ),
        ("artifacts.put", json!({ "name": "report", "content": "bytes" })),
        ("artifacts.get", json!({ "name": "report" })),
        ("artifacts.list", json!({})),
        ("process.run", json!({ "command": { "program": "echo", "args": ["hi"], "env": [] } })),
        (
            "http.send",
            json!({ "request": { "method": "GET", "url": format!("http://127.0.0.1:{port}/"), "headers": [], "redirects": 0 } }),
        ),
        (
            "docker.build",
            json!({ "spec": { "context": "box", "tags": [image], "args": [{ "name": "X", "value": "y" }], "labels": [], "no-cache": false, "pull": false, "secrets": [] } }),
        ),
        ("docker.tag", json!({ "image": image, "reference": format!("{registry}/every:2") })),
        ("docker.push", json!({ "reference": image })),
        ("docker.pull", json!({ "reference": image })),
        ("docker.inspect-image", json!({ "reference": image })),
        ("docker.list-images", json!({ "repository": format!("{registry}/every") })),
        ("docker.create-network", json!({ "name": "net", "internal": false, "lifetime": "run" })),
        ("docker.create-volume", json!({ "name": "vol", "lifetime": "run" })),
        ("docker.run", json!({ "spec": spec(&image, &["/bin/sh", "-c", "echo out"]), "timeout-ms": 60_000 })),
        ("docker.start", json!({ "name": "web", "spec": spec(&image, &["/bin/sh", "-c", httpd]), "lifetime": "run" })),
        ("docker.wait-healthy", json!({ "container": "web", "timeout-ms": 60_000 })),
        (
            "docker.exec",
            json!({ "spec": { "container": "web", "command": ["/bin/sh", "-c", "echo inside"], "env": [] } }),
        ),
        ("docker.inspect", json!({ "container": "web" })),
        ("docker.list", json!({})),
        ("docker.logs", json!({ "query": { "container": "web", "tail": 5, "follow-ms": 0 } })),
        ("docker.stats", json!({ "container": "web" })),
        ("health.check", json!({ "target": { "docker": "web" }, "timeout-ms": 5000 })),
        (
            "health.wait",
            json!({ "target": { "container-http": { "port": port_of, "path": "/health", "probe": probe } }, "policy": policy }),
        ),
        ("health.wait", json!({ "target": { "container-tcp": port_of }, "policy": policy })),
        (
            "health.wait",
            json!({ "target": { "command": { "container": "web", "command": ["/bin/sh", "-c", "exit 0"] } }, "policy": policy }),
        ),
        ("health.check", json!({ "target": { "tcp": format!("127.0.0.1:{port}") }, "timeout-ms": 5000 })),
        (
            "query.prometheus",
            json!({ "url": format!("http://127.0.0.1:{port}"), "expression": "up", "timeout-ms": 5000 }),
        ),
        ("docker.start", json!({ "name": "web2", "spec": spec(&image, &["/bin/sh", "-c", httpd]), "lifetime": "run" })),
        ("traffic.begin", deployment("r1")),
        ("traffic.set-replicas", replicas("r1", "web")),
        ("traffic.shift", weight("r1")),
        ("traffic.read", json!({ "service": "every" })),
        ("traffic.hold", json!({ "service": "every", "limit-ms": 1000 })),
        ("traffic.release", json!({ "service": "every" })),
        ("traffic.measure", json!({ "service": "every", "last-ms": 1000 })),
        (
            "traffic.judge",
            json!({ "service": "every", "judgement": { "revision": "r1", "metric": "m", "verdict": "pass", "next": "go on", "reason": "well" } }),
        ),
        ("traffic.take-down", json!({ "service": "every" })),
        ("traffic.shift", weight("r1")),
        ("traffic.commit", json!({ "service": "every" })),
        ("traffic.finish", json!({ "service": "every" })),
        ("traffic.begin", deployment("r2")),
        ("traffic.abort", json!({ "service": "every", "drain-ms": 1000 })),
        ("traffic.begin", deployment("r3")),
        ("traffic.set-replicas", replicas("r3", "web2")),
        ("traffic.shift", weight("r3")),
        ("traffic.commit", json!({ "service": "every" })),
        ("traffic.drain", json!({ "service": "every", "revision": "r1", "limit-ms": 1000 })),
        ("traffic.retire", json!({ "service": "every", "revision": "r1" })),
        ("traffic.finish", json!({ "service": "every" })),
        ("docker.stop", json!({ "container": "web", "grace-ms": 2000 })),
        ("docker.start-again", json!({ "container": "web" })),
        ("docker.stop", json!({ "container": "web", "grace-ms": 2000 })),
        ("docker.remove", json!({ "container": "web", "force": false })),
        ("docker.remove-network", json!({ "name": "net" })),
        ("docker.remove-volume", json!({ "name": "vol" })),
    ]
}

fn deployment(revision: &str) -> Json {
    json!({ "deployment": {
        "service": "every", "revision": revision, "strategy": "by-hand", "routes": [{ "path": "/" }], "replicas": 1,
        "connect-timeout-ms": 1000, "read-timeout-ms": 0, "downtime": true, "details": [{ "name": "why", "value": "to see" }]
    } })
}

fn replicas(revision: &str, container: &str) -> Json {
    let replica = json!({ "container": container, "port": 8080, "ready": true });
    json!({ "service": "every", "revision": revision, "replicas": [replica] })
}

fn weight(revision: &str) -> Json {
    json!({ "service": "every", "weights": [{ "revision": revision, "weight": 10_000 }] })
}

fn workspace(name: &str, calls: &[(&str, Json)], grants: &str) -> Workspace {
    let calls: Vec<Json> = calls.iter().map(|(function, args)| json!({ "function": function, "args": args })).collect();
    let with = toml(&json!({ "calls": calls }));
    Workspace::new(&format!(
        "[pipeline]\nname = \"{name}\"\n[stages.s]\n[[stages.s.steps]]\nname = \"t\"\nuses = \"./asks.wasm\"\nwith = {with}\ngrants = {grants}\n"
    ))
    .guest("asks")
    .busybox()
}

fn answers(workspace: &Workspace) -> Vec<Json> {
    let show = workspace.show_json();
    show["stages"][0]["steps"][0]["outputs"]["answers"].as_array().unwrap_or_else(|| panic!("{show}")).clone()
}

/// An HTTP server that says `ok`, and answers a query as Prometheus does.
fn server() -> u16 {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap_or(0);
            let query = String::from_utf8_lossy(&request[..read]).contains("/api/v1/query?query=up ");
            let value = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"1.5"]}}"#;
            let body = if query { value } else { "ok" };
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all((head + body).as_bytes());
        }
    });
    port
}

#[test]
fn each_is_answered_when_it_is_granted() {
    let engine = Engine::get();
    let (registry, port) = (&engine.registry, server());
    let calls = calls(registry, port);
    let grants = format!(
        "{{ docker = {{ build = [\"box\"], tag = [\"{registry}/every\"], push = [\"{registry}/every\"], pull = [\"{registry}/every\"], run = [\"{registry}/every\"], networks = [\"net\"], volumes = [\"vol\"] }}, http = [\"GET http://127.0.0.1:*/\"], health = [\"web\", \"tcp://127.0.0.1:{port}\"], process = [\"echo\"], artifacts = [\"report\"], query = [\"http://127.0.0.1:{port}/\"], traffic = {{ services = [\"every\"], downtime = [\"every\"] }} }}"
    );
    let router = Router::start();
    let workspace = workspace("every", &calls, &grants).env("WINDLASS_ROUTER", router.folder());
    let _ = workspace.run(&["run"]).exits(0);
    let answers = answers(&workspace);
    assert_eq!(answers.len(), calls.len());
    for ((function, _), answer) in calls.iter().zip(&answers) {
        assert!(answer.get("ok").is_some(), "{function}: {answer}");
        if function.starts_with("health.") {
            assert_eq!(answer["ok"]["healthy"], true, "{function}: {answer}");
        }
    }
    let of = |wanted: &str| &answers[calls.iter().position(|(function, _)| *function == wanted).unwrap()]["ok"];
    assert_eq!(of("docker.push")["digest"].as_str(), engine.digest_of("every", "1").as_deref());
    assert_eq!(of("docker.run")["stdout-tail"], "out\n");
    assert_eq!(of("docker.exec")["stdout-tail"], "inside\n");
    assert_eq!(of("docker.wait-healthy")["health"], "healthy");
    assert_eq!(of("docker.logs")["stdout-tail"], "serving\n");
    assert!(of("docker.stats")["memory"].as_u64().unwrap() > 0);
    assert_eq!(of("artifacts.get"), "bytes");
    assert_eq!(of("query.prometheus")[0]["value"], 1.5);
    assert_eq!(of("docker.start-again")["state"], "running");
    // What serves goes on serving after the run, and nobody can remove it.
    assert_eq!(router.service("every")["current"], "r3");
    let serving = &router.service("every")["declared"]["revisions"]["r3"]["endpoints"][0]["container"];
    assert_eq!(engine.left_by(&workspace.run_id()).len(), 1, "{serving}");
    assert_eq!(engine.request("DELETE", &format!("/containers/{}?force=1", serving.as_str().unwrap())).0, 204);
    assert_eq!(engine.left_by(&workspace.run_id()), Vec::<String>::new());
}

#[test]
fn each_is_denied_when_it_is_not_granted() {
    let engine = Engine::get();
    let calls = calls(&engine.registry, 1);
    // Something of each capability, so that nothing is missing as a whole.
    let grants = "{ docker = { build = [\"elsewhere\"] }, http = [\"GET https://elsewhere.example/\"], health = [\"elsewhere\"], process = [\"elsewhere\"], query = [\"http://elsewhere.example/\"], traffic = [\"elsewhere\"] }";
    let workspace = workspace("nothing", &calls, grants);
    let _ = workspace.run(&["run"]).exits(0);
    for ((function, _), answer) in calls.iter().zip(answers(&workspace)) {
        let ambient = ["log.log", "timer.sleep", "metrics.emit"].contains(function);
        // Listing shows only what the pipeline itself made.
        let harmless = *function == "docker.list";
        assert_eq!(answer["err"]["denied"].is_string(), !ambient && !harmless, "{function}: {answer}");
    }
    assert_eq!(engine.left_by(&workspace.run_id()), Vec::<String>::new());
}

#[test]
fn the_calls_here_are_all_there_are() {
    let wit =
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../runner/gate/src/table.rs"))
            .unwrap();
    let exported = wit.lines().filter(|line| line.contains(" plugin ")).filter_map(|line| line.split('"').nth(1));
    let called = calls("r", 1);
    let mut count = 0;
    // It waits for a person: `approvals.rs` has one.
    for function in exported.filter(|function| *function != "approval.wait") {
        count += 1;
        assert!(called.iter().any(|(name, _)| *name == function), "{function} is never called");
    }
    assert!(count > 25, "{count}");
}
