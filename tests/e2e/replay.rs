//! Recorded runs once more, and pipelines against a record, on a machine that has nothing.

use serde_json::Value as Json;
use windlass_tests::Workspace;

fn nowhere(pipeline: &str) -> Workspace {
    Workspace::new(pipeline).env("DOCKER_HOST", "unix:///nowhere/docker.sock")
}

fn step(run: &str) -> String {
    format!(
        "[pipeline]\nname = \"p\"\n[[stages.s.steps]]\nname = \"t\"\nuses = \"builtin:command\"\nwith = {{ run = {run} }}\ngrants = {{ process = [\"sh\"], env = [\"PATH\"] }}\n"
    )
}

#[test]
fn nothing_is_done_and_nothing_is_written() {
    let workspace = nowhere(&step(r#"["sh", "-c", "echo ran >> ran"]"#));
    let _ = workspace.run(&["run"]).exits(0);
    let before = workspace.record();
    for only in [&[][..], &["latest", "s"], &["latest", "s/t"]] {
        let _ = workspace.run(&[&["replay"], only].concat()).exits(0).says("all as recorded");
    }
    let json = workspace.run(&["replay", "--format", "json"]).exits(0);
    let json: Json = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&json["same"], &json["exit-code"]), (&Json::Bool(true), &Json::from(0)));
    assert_eq!(json["steps"][0]["step"], "s/t");
    assert_eq!(std::fs::read_to_string(workspace.path().join("ran")).unwrap(), "ran\n");
    assert_eq!(workspace.record(), before);
    let _ = workspace.run(&["replay", "latest", "x"]).exits(2).says("its stages are: s");
    let _ = workspace.run(&["replay", "latest", "s/x"]).exits(2).says("its steps are: s/t");
    let _ = workspace.run(&["replay", "--with", "image=x.wasm"]).exits(2).says("builtin:command");
    let _ = workspace.run(&["replay", "--with", "x.wasm"]).exits(2);
}

#[test]
fn a_failure_is_replayed_as_one() {
    let workspace = nowhere(&step(r#"["sh", "-c", "exit 9"]"#));
    let _ = workspace.run(&["run"]).exits(1);
    let _ = workspace.run(&["replay"]).exits(0).says("failed").says("exit code 1");
}

#[test]
fn a_denial_is_replayed_as_one() {
    let workspace = nowhere(&step(r#"["ls"]"#));
    let _ = workspace.run(&["run"]).exits(3);
    let _ = workspace.run(&["replay"]).exits(0).says("exit code 3");
}

#[test]
fn a_step_that_would_never_end_is_replayed_as_far_as_it_got() {
    let pipeline =
        "[pipeline]\nname = \"p\"\n[[stages.s.steps]]\nname = \"t\"\nuses = \"./spin.wasm\"\ntimeout = \"1s\"\n";
    let workspace = nowhere(pipeline).guest("spin");
    let _ = workspace.run(&["run"]).exits(1).says("limit");
    let _ = workspace.run(&["replay"]).exits(0);
    let _ = workspace.run(&["run", "--offline"]).exits(1).says("limit");
    let _ = workspace.run(&["replay"]).exits(0);
}

#[test]
fn clocks_random_numbers_and_pauses_are_replayed() {
    let pipeline = "[pipeline]\nname = \"p\"\n[[stages.s.steps]]\nname = \"t\"\nuses = \"./observer.wasm\"\nwith = { sleep = \"20ms\" }\n";
    let workspace = nowhere(pipeline).guest("observer");
    let _ = workspace.run(&["run"]).exits(0);
    let _ = workspace.run(&["replay"]).exits(0).says("all as recorded");
}

#[test]
fn an_offline_run_answers_from_the_record_says_so_and_does_nothing() {
    let workspace = nowhere(&step(r#"["sh", "-c", "echo ran >> ran; echo printed"]"#));
    let _ = workspace.run(&["run", "--offline"]).exits(2);
    let _ = workspace.run(&["run"]).exits(0);
    let from = workspace.run_id();
    let _ = workspace.run(&["run", "--offline"]).exits(0).says("offline").says(&from);
    assert_eq!(std::fs::read_to_string(workspace.path().join("ran")).unwrap(), "ran\n");
    let offline = workspace.run_id();
    assert_ne!(offline, from);
    assert!(workspace.show(&[]).contains("offline"));
    // It is no record of the world.
    let _ = workspace.run(&["run", "--offline", "--from", &offline]).exits(2).says(&from);
    let _ = workspace.run(&["run", "--offline"]).exits(0).says(&from);
    // A replay of it is one of what it answered.
    let _ = workspace.run(&["replay"]).exits(0);
}

#[test]
fn a_pipeline_that_asks_for_something_else_is_told_where() {
    let workspace = nowhere(&step(r#"["sh", "-c", "echo one"]"#));
    let _ = workspace.run(&["run"]).exits(0);
    std::fs::write(workspace.path().join("pipeline.toml"), step(r#"["sh", "-c", "echo two"]"#)).unwrap();
    let told = workspace.run(&["run", "--offline"]);
    assert_ne!(told.code, 0);
    let _ = told.says("command.args.1").says("echo one").says("echo two");
}

#[test]
fn what_is_no_longer_granted_is_denied_offline() {
    let workspace = nowhere(&step(r#"["sh", "-c", "echo one"]"#));
    let _ = workspace.run(&["run"]).exits(0);
    let pipeline = step(r#"["sh", "-c", "echo one"]"#).replace(r#"process = ["sh"]"#, r#"process = ["make"]"#);
    std::fs::write(workspace.path().join("pipeline.toml"), pipeline).unwrap();
    let _ = workspace.run(&["run", "--offline"]).exits(3).says("process.run is not granted");
}
