//! `windlass replay`, and `windlass run --offline`.

use crate::run::host;
use crate::support::{Folder, HELLO, snapshot};

fn recorded(pipeline: &str, code: i32) -> Folder {
    let folder = Folder::with(pipeline);
    folder.windlass(&["run", "--quiet"]).exits(code);
    folder
}

#[test]
fn the_same_is_told_step_by_step() {
    snapshot!(recorded(HELLO, 0).windlass(&["replay"]));
}

#[test]
fn a_failed_run_is_replayed_too() {
    snapshot!(recorded(&host(r#"["sh", "-c", "exit 7"]"#, "sh"), 1).windlass(&["replay"]));
}

#[test]
fn programs_are_told_in_json() {
    let value = recorded(HELLO, 0).windlass(&["replay", "--format", "json"]).exits(0).json().remove(0);
    assert_eq!((&value["same"], &value["status"], &value["exit-code"]), (&true.into(), &"succeeded".into(), &0.into()));
    assert_eq!(value["steps"].as_array().unwrap().len(), 1);
}

#[test]
fn what_there_is_not_is_named() {
    let folder = recorded(&host(r#"["true"]"#, "true"), 0);
    folder.windlass(&["replay", "latest", "u"]).exits(2).says("no stage `u`").says("its stages are: s");
    folder.windlass(&["replay", "latest", "s/u"]).exits(2).says("no step `s/u`").says("its steps are: s/t");
    folder.windlass(&["replay", "zzzz"]).exits(2).says("no run is called `zzzz`");
    folder.windlass(&["replay", "--with", "x"]).exits(2).says("--with image=build/image.wasm");
    folder.windlass(&["replay", "--with", "x=y.wasm"]).exits(2).says("no plugin `x`").says("builtin:command");
    folder.windlass(&["replay", "--with", "command=y.wasm"]).exits(2).says("y.wasm");
    Folder::with(HELLO).windlass(&["replay"]).exits(2);
}

#[test]
fn a_run_that_has_not_ended_has_nothing_to_compare_with() {
    let folder = Folder::with(&host(r#"["sh", "-c", "echo ready; exec sleep 60"]"#, "sh"));
    let mut child = folder.start(&["run"]);
    crate::run_signals::until(&mut child, "| ready");
    crate::run_signals::signal(&child, "-KILL");
    folder.wait(child);
    snapshot!(folder.windlass(&["replay"]));
}

#[test]
fn an_offline_run_says_that_it_is_one() {
    let folder = recorded(HELLO, 0);
    let from = folder.runs().remove(0);
    folder
        .windlass(&["run", "--offline"])
        .exits(0)
        .says(&format!("offline: every call is answered from the record of run {from}"));
    folder.windlass(&["run", "--offline", "--quiet"]).exits(0).says_nothing();
    let values = folder.windlass(&["run", "--offline", "--format", "json"]).exits(0).json();
    assert!(
        values.iter().any(|value| value["event"] == "notice" && value["message"].as_str().unwrap().contains(&from))
    );
}

#[test]
fn an_offline_run_needs_a_record() {
    snapshot!(Folder::with(HELLO).windlass(&["run", "--offline"]));
    let folder = recorded(HELLO, 0);
    let other = folder.file("pipeline.toml", HELLO.replace("name = \"hello\"", "name = \"other\""));
    other.windlass(&["run", "--offline"]).exits(2).says("no run of pipeline `other`");
    other.windlass(&["run", "--from", "latest"]).exits(2);
}

#[test]
fn an_offline_run_shows_where_the_pipeline_asks_for_something_else() {
    let folder = recorded(&host(r#"["sh", "-c", "echo one"]"#, "sh"), 0);
    let folder = folder.file("pipeline.toml", host(r#"["sh", "-c", "echo two"]"#, "sh"));
    snapshot!(folder.windlass(&["run", "--offline"]));
}

/// An offline run of a run that was cut short ends as that did, and its own record can be replayed.
fn ends_offline(folder: &Folder, code: i32, says: &str) {
    folder.windlass(&["run", "--offline"]).exits(code).says(says);
    folder.windlass(&["replay"]).exits(0).says("all as recorded");
}

const WAITS: &str = r#"["sh", "-c", "echo ready; exec sleep 60"]"#;

#[test]
fn a_step_that_timed_out_does_so_offline() {
    let pipeline = host(WAITS, "sh") + "timeout = \"1s\"\n";
    ends_offline(&recorded(&pipeline, 1), 1, "step `t` took more than its limit of 1s");
}

#[test]
fn a_run_that_timed_out_does_so_offline() {
    let pipeline = host(WAITS, "sh").replace("name = \"p\"\n", "name = \"p\"\ntimeout = \"1s\"\n");
    ends_offline(&recorded(&pipeline, 1), 1, "was ended here by the run's own time limit");
}

#[test]
fn a_run_that_was_cancelled_ends_there_offline() {
    let folder = Folder::with(&host(WAITS, "sh"));
    let mut child = folder.start(&["run"]);
    crate::run_signals::until(&mut child, "| ready");
    crate::run_signals::signal(&child, "-INT");
    folder.wait(child).exits(130);
    ends_offline(&folder, 1, "was ended here by SIGINT");
}
