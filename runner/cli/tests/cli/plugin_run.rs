//! `windlass plugin run`.

use crate::support::Folder;

const ECHO: [&str; 7] =
    ["plugin", "run", "command", "--with", r#"{"run": ["echo", "é ${x}"]}"#, "--grant", "process = [\"echo\"]"];

#[test]
fn one_plugin_runs_alone_and_is_recorded() {
    let folder = Folder::new();
    folder.windlass(&ECHO).exits(0).says("é ${x}");
    let runs = folder.windlass(&["runs", "--format", "json"]).exits(0).json();
    assert_eq!(runs[0]["pipeline"], "command");
    folder.windlass(&["logs"]).exits(0).says("é ${x}");
    folder.windlass(&["replay"]).exits(0);
}

#[test]
fn a_grant_is_needed_here_too() {
    Folder::new().windlass(&ECHO[..5]).exits(3).says("process");
    let args = ["plugin", "run", "builtin:image", "--with", r#"{"context": ".", "tag": "a"}"#];
    Folder::new().windlass(&args).exits(2).says("docker");
}

#[test]
fn the_record_answers_offline() {
    let folder = Folder::new();
    folder.windlass(&[&ECHO[..], &["--offline"]].concat()).exits(2).says("no journal");
    folder.windlass(&ECHO).exits(0);
    folder.windlass(&[&ECHO[..], &["--offline"]].concat()).exits(0).says("offline: every call is answered");
}

#[test]
fn the_pipeline_that_it_stands_for_can_be_had() {
    let args =
        [&ECHO[..], &["--variable", "A=b", "--secret", "token=env:TOKEN", "--timeout", "5s", "--print"]].concat();
    let folder = Folder::new();
    let printed = folder.windlass(&args).exits(0).out;
    assert!(!folder.was_run());
    let folder = folder.file("pipeline.toml", printed);
    folder.windlass(&["run"]).exits(0).says("é ${x}");
}

#[test]
fn a_file_and_its_variables() {
    let program = wat::parse_str(include_str!("../../../../tests/guests/wat/command.wat")).unwrap();
    let folder = Folder::new().file("tool", program.clone()).file("a/tool.wasm", program);
    folder.windlass(&["plugin", "run", "tool", "--variable", "A=b"]).exits(0);
    folder.windlass(&["plugin", "run", "a/tool.wasm"]).exits(0);
}

#[test]
fn what_means_nothing_is_told() {
    let run = |args: &[&str]| Folder::new().windlass(&[&["plugin", "run"], args].concat()).exits(2);
    run(&["gone.wasm"]).says("there is no file gone.wasm");
    run(&["command", "--with", "{"]).says("`--with` is not JSON");
    run(&["command", "--with", "{}", "--grant", "process = ["]).says("--grant");
    run(&["command", "--with", r#"{"rnu": []}"#]).says("did you mean `run`");
    run(&["command", "--with", "{}", "--grant", "porcess = [\"x\"]"]).says("did you mean `process`");
    run(&["command", "--from", "x"]).says("--offline");
}
