//! `windlass show`.

use crate::support::{Folder, HELLO, snapshot};

#[test]
fn the_newest_run_with_its_calls() {
    let folder = Folder::with(HELLO);
    folder.windlass(&["run", "-q"]).exits(0);
    snapshot!(folder.windlass(&["show", "--calls"]));
}

#[test]
fn a_run_by_the_beginning_of_its_id() {
    let folder = Folder::with(HELLO);
    folder.windlass(&["run", "-q"]).exits(0);
    let id = folder.runs().remove(0);
    for name in [&id, &id[..3], &id.to_uppercase(), "latest"] {
        folder.windlass(&["show", name]).exits(0).says(&id);
    }
    folder.windlass(&["show", "zzzz"]).exits(2).says("no run is called `zzzz`").says(&id);
    folder.windlass(&["show", "z"]).exits(2).says("too short");
}

#[test]
fn what_the_run_was_made_from_is_recorded_and_secrets_are_not() {
    let pipeline = HELLO.replace("hello from", "${env.WHO} from") + "[secrets]\ntoken = { env = \"TOKEN\" }\n";
    let folder = Folder::with(&pipeline).env("WHO", "greetings").env("TOKEN", "geheim-geheim");
    folder.windlass(&["run", "-q"]).exits(0);
    let run = folder.windlass(&["show", "--format", "json"]).exits(0).json().remove(0);
    let mut facts = run["facts"].clone();
    facts.as_object_mut().unwrap().remove("run.by");
    assert_eq!(facts, serde_json::json!({ "env.WHO": "greetings", "secrets.token": "env:TOKEN" }));
    assert_eq!(run["plugins"][0]["source"], "builtin:command");
    assert!(run["versions"]["windlass:step"].is_string());
}

#[test]
fn where_nothing_was_run() {
    Folder::new().windlass(&["show"]).exits(2).says("no run was started here yet");
}

#[test]
fn a_trace_is_written_as_a_whole_or_not_at_all() {
    let folder = Folder::with(HELLO);
    folder.windlass(&["run", "-q"]).exits(0);
    let printed = folder.windlass(&["show", "--trace", "-"]).exits(0);
    let trace: serde_json::Value = serde_json::from_str(&printed.out).unwrap();
    assert!(trace["traceEvents"].as_array().unwrap().len() > 10);
    std::fs::write(folder.path().join("run.json"), "an older one").unwrap();
    folder.windlass(&["show", "--trace", "run.json"]).exits(0).says("is in run.json");
    assert_eq!(std::fs::read_to_string(folder.path().join("run.json")).unwrap(), printed.out);
    folder.windlass(&["show", "--trace", "gone/run.json"]).exits(2).says("gone/run.json: there is no such folder");
    folder.windlass(&["show", "--trace", "."]).exits(2).says("it is a folder");
    let files: Vec<_> = folder.path().read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(files.iter().all(|name| !name.to_string_lossy().starts_with(".windlass-")), "{files:?}");
}

#[test]
fn a_file_in_the_place_of_the_journals_folder() {
    let folder = Folder::with(HELLO).file(".windlass", "mine");
    for args in [&["show"][..], &["runs"], &["run"], &["logs"], &["runs", "prune", "--keep", "1"]] {
        folder.windlass(args).exits(4).says(".windlass is a file").says("move the file away");
    }
}
