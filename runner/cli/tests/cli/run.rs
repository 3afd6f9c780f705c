//! `windlass run`.

use crate::support::{Folder, HELLO, snapshot};

/// A pipeline of one step that runs this program of the host.
pub(crate) fn host(run: &str, granted: &str) -> String {
    format!(
        "[pipeline]\nname = \"p\"\n[[stages.s.steps]]\nname = \"t\"\nuses = \"builtin:command\"\nwith = {{ run = {run} }}\ngrants = {{ process = [\"{granted}\"] }}\n"
    )
}

#[test]
fn hello_runs_without_docker() {
    snapshot!(Folder::with(HELLO).windlass(&["run"]));
}

#[test]
fn the_state_is_beside_the_pipeline() {
    let folder = Folder::new().file("shop/pipeline.toml", HELLO);
    folder.windlass(&["run", "shop/pipeline.toml"]).exits(0);
    assert!(!folder.was_run());
    assert!(folder.path().join("shop/.windlass/journal.db").is_file());
}

#[test]
fn a_step_that_fails_is_told_with_the_end_of_its_log() {
    snapshot!(Folder::with(&host(r#"["sh", "-c", "echo one >&2; echo two >&2; exit 7"]"#, "sh")).windlass(&["run"]));
}

#[test]
fn what_no_grant_allows_ends_with_3() {
    snapshot!(Folder::with(&host(r#"["ls"]"#, "echo")).windlass(&["run"]));
}

#[test]
fn without_docker_a_step_that_needs_it_ends_with_4() {
    let pipeline = "[pipeline]\nname = \"p\"\n[[stages.s.steps]]\nname = \"t\"\nuses = \"builtin:command\"\nwith = { run = [\"true\"], image = \"busybox\" }\ngrants.docker.run = [\"busybox\"]\n";
    Folder::with(pipeline).windlass(&["run"]).exits(4).says("unix:///nowhere/docker.sock").says("from DOCKER_HOST");
}

#[test]
fn a_bad_pipeline_starts_nothing() {
    let folder = Folder::with(&HELLO.replace("echo\", ", "echo\"; "));
    folder.windlass(&["run"]).exits(2).says("pipeline.toml:12:");
    assert!(!folder.was_run());
}

#[test]
fn every_line_of_json_is_a_value() {
    let values = Folder::with(HELLO).windlass(&["run", "--format", "json"]).exits(0).json();
    assert_eq!(values[0]["event"], "run-started");
    assert!(values.iter().any(|value| value["event"] == "run-ended" && value["exit-code"] == 0));
    assert_eq!(values.last().unwrap()["state"], "succeeded");
}

#[test]
fn a_bad_pipeline_is_told_to_programs_as_json() {
    let values = Folder::with("x = 1\n").windlass(&["run", "--format", "json"]).exits(2).json();
    assert_eq!(values[0]["error"]["code"], "bad-pipeline");
}

#[test]
fn quiet_prints_errors_alone() {
    Folder::with(HELLO).windlass(&["run", "--quiet"]).exits(0).says_nothing();
    let done = Folder::with(&host(r#"["ls"]"#, "echo")).windlass(&["run", "-q"]).exits(3);
    assert_eq!(done.out, "");
    assert!(done.says("error: ").err.contains("process.run is not granted"));
    let folder = Folder::with(&host(r#"["ls"]"#, "echo"));
    let value = folder.windlass(&["run", "-q", "--format", "json"]).exits(3).json().remove(0);
    assert_eq!(value["error"]["exit-code"], 3);
}

#[test]
fn warnings_come_first() {
    let pipeline =
        HELLO.replace("process = [\"echo\"]", "process = [\"echo\"], http = [\"GET https://api.example/**\"]");
    Folder::with(&pipeline).windlass(&["run"]).exits(0).says("warning").says("never asks for `http`");
}

const TWO: &str = r#"[pipeline]
name = "two"
jobs = 1
[[stages.bad.steps]]
uses = "builtin:command"
with.run = ["false"]
grants.process = ["false"]
[[stages.other.steps]]
uses = "builtin:command"
with.run = ["echo", "still here"]
grants.process = ["echo"]
"#;

#[test]
fn nothing_new_begins_after_a_failure_unless_asked_for() {
    let done = Folder::with(TWO).windlass(&["run"]).exits(1);
    assert!(!done.out.contains("still here"), "{}", done.out);
    Folder::with(TWO).windlass(&["run", "--keep-going"]).exits(1).says("still here");
}

#[test]
fn variables_of_the_host_reach_a_step_only_when_granted_and_never_when_secret() {
    let pipeline = host(r#"["env"]"#, "env").replace("process", "env = [\"PATH\", \"SHOWN\", \"TOKEN\"], process")
        + "[secrets]\ntoken = { env = \"TOKEN\" }\n";
    let folder = Folder::with(&pipeline).env("SHOWN", "see me").env("HIDDEN", "not me").env("TOKEN", "geheim-geheim");
    let done = folder.windlass(&["run"]).exits(0).says("SHOWN=see me");
    assert!(!done.out.contains("not me") && !done.out.contains("geheim"), "{}", done.out);
}

#[test]
fn the_journal_is_not_written_through_a_link() {
    let folder = Folder::with(HELLO).file("elsewhere/x", "");
    std::os::unix::fs::symlink("elsewhere", folder.path().join(".windlass")).unwrap();
    folder.windlass(&["run"]).exits(4).says("is a link");
}

#[test]
fn a_folder_that_cannot_be_written_ends_with_4() {
    let folder = Folder::with(HELLO).file(".windlass", "a file is in the way");
    folder.windlass(&["run"]).exits(4).says("error: ");
}

#[test]
fn without_a_cache_folder_it_is_said_what_to_set() {
    let folder = Folder::with(HELLO).env("WINDLASS_CACHE_DIR", "").env("HOME", "");
    folder.windlass(&["run"]).exits(4).says("HOME is not set").says("WINDLASS_CACHE_DIR");
}
