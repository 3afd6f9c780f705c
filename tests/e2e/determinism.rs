//! A step that looks at whatever could differ is killed, resumed and replayed, and sees the same.

use std::time::{Duration, Instant};

use windlass_tests::Workspace;

const PIPELINE: &str = r#"
[pipeline]
name = "look"
[stages.look]
[[stages.look.steps]]
name = "around"
uses = "./observer.wasm"
with = { folder = "src", sleep = "4s" }
grants = { files = { read = ["src"] } }
"#;

fn workspace() -> Workspace {
    let workspace = Workspace::new(PIPELINE).guest("observer").env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    workspace.file("src/b.txt", "b").file("src/a.txt", "a").file("src/c/d.txt", "d")
}

#[test]
fn a_sleep_that_was_killed_goes_on_and_the_whole_is_replayed() {
    let workspace = workspace();
    let began = Instant::now();
    let running = workspace.start(&["run"]);
    while !workspace.path().join(".windlass").exists()
        || !workspace.run(&["show", "--calls"]).all().contains("wasi.wait-begun")
    {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", workspace.run(&["show", "--calls"]));
        std::thread::sleep(Duration::from_millis(50));
    }
    running.signal(nix::sys::signal::Signal::SIGKILL);
    let _ = running.finish();
    // What the step saw has changed meanwhile, but not for the step.
    let workspace = workspace.file("src/0.txt", "new").file("src/a.txt", "changed");
    let _ = workspace.run(&["resume"]).exits(0).says("a.txt changed");
    let outputs = workspace.show_json()["stages"][0]["steps"][0]["outputs"].clone();
    let files: Vec<_> = outputs["files"].as_array().unwrap().iter().filter_map(|line| line.as_str()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    assert!(files[0].starts_with("a.txt: 1 bytes"), "{files:?}");
    let slept = outputs["slept"].as_u64().unwrap();
    assert!((3_999..60_000).contains(&slept), "{slept}");
    let began = Instant::now();
    let _ = workspace.run(&["replay"]).exits(0);
    assert!(began.elapsed() < Duration::from_secs(3), "it slept again");
}
