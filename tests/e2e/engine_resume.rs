//! Runs that are killed while Docker works for them, and go on: nothing is made twice, nothing is left over.

use std::path::PathBuf;

use nix::sys::signal::Signal;
use serde_json::Value as Json;
use windlass_tests::{Engine, Workspace};

const NOWHERE: &str = "unix:///nowhere/docker.sock";

/// A box to run things in, and what comes after it.
fn with_box(name: &str, rest: &str) -> Workspace {
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
{rest}
"#
    ))
    .busybox()
}

/// The containers of a run, by id.
fn containers(run: &str) -> Vec<String> {
    let filters = format!("%7B%22label%22%3A%5B%22windlass.run%3D{run}%22%5D%7D");
    let all = Engine::get().get_json(&format!("/containers/json?all=1&filters={filters}"));
    all.as_array().unwrap().iter().map(|container| container["Id"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn leaves_nothing(workspace: &Workspace) {
    assert_eq!(Engine::get().left_by(&workspace.run_id()), Vec::<String>::new());
}

#[test]
fn a_service_that_was_getting_healthy_goes_on_getting_healthy() {
    // It is healthy as soon as somebody says so, which the test does after the crash.
    let workspace = with_box(
        "resumed",
        r#"
[[stages.serve.steps]]
name = "service"
uses = "builtin:service"
with.name = "web"
with.image = "resumed-box:1"
with.command = ["/bin/sh", "-c", "while ! test -e /sign/go; do sleep 0.1; done; mkdir /www; echo ok > /www/health; exec httpd -f -p 8080 -h /www"]
with.ports = [8080]
with.mounts = [{ folder = "sign", target = "/sign" }]
with.health = { http = "/health", port = 8080, interval = "200ms", retries = 10_000 }
grants = { docker = { run = { images = ["resumed-box"], mounts = ["sign"] } }, health = ["web"] }
"#,
    )
    .file("sign/here", "");
    workspace.killed_in(&["run"], "http.probe ");
    let run = workspace.run_id();
    let [before] = &containers(&run)[..] else { panic!("one container is there") };
    std::fs::write(workspace.path().join("sign/go"), "").unwrap();
    let _ = workspace.run(&["resume"]).exits(0);
    let show = workspace.show_json();
    let outputs = &show["stages"][1]["steps"][0]["outputs"];
    assert_eq!(outputs["container"], before.as_str(), "{outputs}");
    assert!(outputs["url"].as_str().is_some_and(|url| url.starts_with("http://")), "{outputs}");
    assert!(show["stages"][0]["steps"][0]["outputs"]["id"].as_str().is_some(), "{show}");
    let calls = workspace.show(&["--calls"]);
    assert_eq!(calls.matches("  docker.create  ").count(), 1, "{calls}");
    assert_eq!(calls.matches("  docker.build  ").count(), 1, "{calls}");
    leaves_nothing(&workspace);

    let workspace = workspace.env("DOCKER_HOST", NOWHERE);
    let _ = workspace.run(&["replay"]).exits(0).says("all as recorded");
    let _ = workspace.run(&["replay", &run, "serve/service"]).exits(0).says("1 step");
    let _ = workspace.run(&["run", "--offline"]).exits(0).says("offline").says(&run);
    let offline = workspace.show_json();
    assert_eq!(&offline["stages"][1]["steps"][0]["outputs"], outputs);
}

#[test]
fn a_command_in_a_container_is_waited_for_again_and_its_output_is_there_once() {
    let workspace = with_box(
        "waited",
        r#"
[[stages.serve.steps]]
name = "command"
uses = "builtin:command"
with.image = "waited-box:1"
with.run = ["/bin/sh", "-c", "echo first; while ! test -e /sign/go; do sleep 0.1; done; echo second"]
with.mounts = [{ folder = "sign", target = "/sign" }]
grants = { docker = { run = { images = ["waited-box"], mounts = ["sign"] } } }
"#,
    )
    .file("sign/here", "");
    workspace.killed_at(&["run"], "| first");
    std::fs::write(workspace.path().join("sign/go"), "").unwrap();
    let _ = workspace.run(&["resume"]).exits(0);
    let show = workspace.show_json();
    assert_eq!(show["stages"][1]["steps"][0]["outputs"]["stdout"].as_str().map(str::trim), Some("first\nsecond"));
    let log = workspace.run(&["logs"]).stdout;
    assert_eq!((log.matches("| first").count(), log.matches("| second").count()), (1, 1), "{log}");
    leaves_nothing(&workspace);
    let _ = workspace.env("DOCKER_HOST", NOWHERE).run(&["replay"]).exits(0);
}

#[test]
fn a_step_that_begins_anew_leaves_nothing_of_its_first_attempt() {
    let workspace = with_box(
        "anew",
        r#"
[[stages.serve.steps]]
name = "t"
uses = "./asks.wasm"
with.calls = [
    { function = "docker.start", or = "fail", args = { name = "web", spec = { image = "anew-box:1", command = ["/bin/sleep", "600"], no-network = true } } },
    { function = "timer.sleep", args = { milliseconds = 3000 } },
]
grants = { docker = { run = { images = ["anew-box"] } } }
"#,
    )
    .guest("asks");
    workspace.killed_in(&["run"], "timer.sleep");
    let run = workspace.run_id();
    let [first] = &containers(&run)[..] else { panic!("one container is there") };
    let plugin = workspace.path().join("asks.wasm");
    let mut bytes = std::fs::read(&plugin).unwrap();
    bytes.extend_from_slice(b"\0\x04\x03new");
    std::fs::write(&plugin, bytes).unwrap();
    let _ = workspace.run(&["resume"]).exits(2).says("--restart-step serve/t");
    workspace.killed_in(&["resume", "--restart-step", "serve/t"], "#2.5  timer.sleep");
    let now = containers(&run);
    assert!(now.len() == 1 && now[0] != *first, "the first attempt's is gone, and the second has its own: {now:?}");
    let _ = workspace.run(&["resume"]).exits(0);
    leaves_nothing(&workspace);
    let _ = workspace.env("DOCKER_HOST", NOWHERE).run(&["replay"]).exits(0);
}

#[test]
fn a_run_that_was_being_cancelled_is_cleaned_up_and_begins_nothing_new() {
    let workspace = with_box(
        "ending",
        r#"
[[stages.serve.steps]]
name = "service"
uses = "builtin:service"
with = { name = "web", image = "ending-box:1", command = ["/bin/sleep", "600"] }
grants = { docker = { run = { images = ["ending-box"] } } }
[[stages.serve.steps]]
name = "exec"
uses = "./asks.wasm"
with.calls = [{ function = "docker.exec", args = { spec = { container = "web", command = ["/bin/sh", "-c", "echo inside; exec sleep 600"] } } }]
grants = { docker = { containers = ["web"] } }
[[stages.serve.steps]]
name = "never"
uses = "./asks.wasm"
with.calls = []
[[stages.waiting.steps]]
name = "never"
uses = "./asks.wasm"
with.calls = []
"#,
    )
    .guest("asks");
    // One at a time: the last stage is ready, and waits for its turn.
    let mut running = workspace.start(&["run", "--jobs", "1"]);
    running.until("| inside");
    running.signal(Signal::SIGINT);
    // What runs in a container is seen through for a while, so that what it makes is known.
    running.until("step serve/exec: cancelled");
    running.signal(Signal::SIGKILL);
    let _ = running.finish();
    let run = workspace.run_id();
    assert_eq!(containers(&run).len(), 1, "it was killed before it cleaned up");
    let _ = workspace.run(&["resume"]).exits(130);
    let show = workspace.show_json();
    assert_eq!(show["state"], "cancelled", "{show}");
    assert_eq!(show["stages"][1]["status"], "cancelled", "{show}");
    assert_eq!(show["stages"][2]["status"], "skipped", "{show}");
    assert!(!show.to_string().contains(r#""status":"running""#), "{show}");
    leaves_nothing(&workspace);
    let _ = workspace.env("DOCKER_HOST", NOWHERE).run(&["replay"]).exits(0);
}

/// The plugin that builds images, as it is built into Windlass.
fn image_plugin() -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let path = target.join("plugins/image.wasm");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn another_build_of_a_plugin_is_asked_whether_it_would_have_done_the_same() {
    let workspace = with_box(
        "patched",
        "[[stages.serve.steps]]\nname = \"t\"\nuses = \"builtin:image\"\nwith = { action = \"tag\", image = \"patched-box:1\", tag = \"patched-box:2\" }\ngrants = { docker = { tag = [\"patched-box\"] } }\n",
    );
    let _ = workspace.run(&["run"]).exits(0);
    let workspace = workspace.env("DOCKER_HOST", NOWHERE);
    let same = image_plugin();
    std::fs::write(workspace.path().join("same.wasm"), &same).unwrap();
    let _ = workspace.run(&["replay", "--with", "image=same.wasm"]).exits(0).says("all as recorded");

    let mut patched = same;
    let name = b"image-size";
    // Its documentation has the name, too, between backticks.
    let quoted = |place: usize| patched[place - 1] == b'`';
    let places = patched.windows(name.len()).enumerate().filter(|(place, seen)| *seen == name && !quoted(*place));
    let places: Vec<_> = places.map(|(place, _)| place).collect();
    let [place] = places[..] else { panic!("{} places", places.len()) };
    patched[place] = b'I';
    std::fs::write(workspace.path().join("patched.wasm"), patched).unwrap();
    let differs = workspace.run(&["replay", "--with", "image=patched.wasm"]).exits(1);
    for part in ["first difference", "prepare/image", "metric.name", "image-size", "Image-size", "metrics.emit"] {
        assert!(differs.all().contains(part), "`{part}` is not in {differs:?}");
    }
    assert!(!differs.all().contains("serve/t"), "it stops at the first: {differs:?}");
    let json = workspace.run(&["replay", "--with", "image=patched.wasm", "--format", "json"]).exits(1);
    let json: Json = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["same"], false);
    let difference = &json["steps"][0]["difference"];
    assert_eq!(difference["at"], "metric.name");
    assert_eq!(difference["recorded"]["args"]["metric"]["name"], "image-size");
    assert_eq!(difference["actual"]["args"]["metric"]["name"], "Image-size");
}

/// A step that runs a command in a container; the command goes on when somebody says so, and prints.
fn with_exec(name: &str, on_crash: &str) -> Workspace {
    with_box(
        name,
        &format!(
            r#"
[[stages.serve.steps]]
name = "service"
uses = "builtin:service"
with = {{ name = "web", image = "{name}-box:1", command = ["/bin/sleep", "1000"], mounts = [{{ folder = "sign", target = "/sign" }}] }}
grants = {{ docker = {{ run = {{ images = ["{name}-box"], mounts = ["sign"] }} }} }}
[[stages.serve.steps]]
name = "exec"
uses = "./asks.wasm"
{on_crash}
with.calls = [{{ function = "docker.exec", or = "fail", args = {{ spec = {{ container = "web", command = ["/bin/sh", "-c", "echo it waits; while ! test -e /sign/go; do sleep 0.1; done; echo it goes on; exit 3"], env = [] }} }} }}]
grants = {{ docker = {{ containers = ["web"] }} }}
"#
        ),
    )
    .guest("asks")
    .file("sign/here", "")
}

#[test]
fn an_exec_that_docker_lost_sight_of_is_asked_about() {
    let workspace = with_exec("lost", "");
    workspace.killed_at(&["run"], "it waits");
    // The command is still there when the run goes on, and prints into the void only then.
    let mut resumed = workspace.start(&["resume"]);
    resumed.until("was started before the crash");
    std::fs::write(workspace.path().join("sign/go"), "").unwrap();
    let _ = resumed.finish().exits(5).says("cannot be found out");
    let before = workspace.record();
    let _ = workspace.run(&["resume"]).exits(5).says("docker.exec-start").says("--answer");
    assert_eq!(workspace.record(), before, "a question changes nothing");
    let _ = workspace.run(&["resume", "--answer", "repeat"]).exits(0).says("it goes on");
    let answers = &workspace.show_json()["stages"][1]["steps"][1]["outputs"]["answers"];
    assert_eq!(answers[0]["ok"]["code"], 3, "{answers}");
    assert_eq!(answers[0]["ok"]["stdout-tail"], "it waits\nit goes on\n");
    leaves_nothing(&workspace);
    let _ = workspace.env("DOCKER_HOST", NOWHERE).run(&["replay"]).exits(0);
}

#[test]
fn a_person_may_know_that_a_lost_exec_is_done_and_a_step_may_repeat_it_unasked() {
    let workspace = with_exec("known", "");
    workspace.killed_at(&["run"], "it waits");
    let mut resumed = workspace.start(&["resume"]);
    resumed.until("was started before the crash");
    std::fs::write(workspace.path().join("sign/go"), "").unwrap();
    let _ = resumed.finish().exits(5);
    let _ = workspace.run(&["resume", "--answer", "done"]).exits(0);
    assert_eq!(workspace.show_json()["stages"][1]["steps"][1]["outputs"]["answers"][0]["ok"]["code"], 0);
    leaves_nothing(&workspace);

    let workspace = with_exec("repeats", "on-crash = \"repeat\"");
    workspace.killed_at(&["run"], "it waits");
    std::fs::write(workspace.path().join("sign/go"), "").unwrap();
    // Whether Docker has lost it by now decides whether one resume is enough.
    let first = workspace.run(&["resume"]);
    if first.code != 0 {
        let _ = workspace.run(&["resume"]).exits(0);
    }
    assert_eq!(workspace.show_json()["stages"][1]["steps"][1]["outputs"]["answers"][0]["ok"]["code"], 3);
    leaves_nothing(&workspace);
}

#[test]
fn a_run_that_used_docker_waits_until_docker_is_back() {
    let workspace = with_exec("away", "");
    workspace.killed_at(&["run"], "it waits");
    let before = workspace.record();
    let gone = workspace.command(&["resume"]).env("DOCKER_HOST", NOWHERE).output().unwrap();
    assert_eq!(gone.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("when Docker is back"), "{gone:?}");
    assert_eq!(workspace.record(), before);
    std::fs::write(workspace.path().join("sign/go"), "").unwrap();
    let _ = workspace.run(&["resume"]).exits(5);
    let _ = workspace.run(&["resume", "--answer", "done"]).exits(0);
    leaves_nothing(&workspace);
}
