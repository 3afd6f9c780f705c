//! `windlass runs`.

use crate::run::host;
use std::time::{Duration, SystemTime};

use windlass_journal::{CallId, Journal, Record, StepIndex, WriterOptions};

use crate::support::{Folder, HELLO, snapshot};

#[test]
fn the_newest_first() {
    let folder = Folder::with(HELLO);
    folder.windlass(&["run", "-q"]).exits(0);
    let folder = folder.file("pipeline.toml", host(r#"["false"]"#, "false"));
    folder.windlass(&["run", "-q"]).exits(1);
    let table = folder.windlass(&["runs"]).exits(0);
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<_> = table.out.lines().map(words).collect();
    assert_eq!(lines[0], ["STATUS", "RUN", "PIPELINE", "STARTED", "TOOK"]);
    assert_eq!((&*lines[1][0], &*lines[1][2], &lines[1][lines[1].len() - 2..]), ("failed", "p", &words("step t")[..]));
    assert_eq!((&*lines[2][0], &*lines[2][2]), ("succeeded", "hello"));
    let values = folder.windlass(&["runs", "--format", "json"]).exits(0).json();
    let pipelines: Vec<_> = values.iter().map(|value| value["pipeline"].as_str().unwrap()).collect();
    assert_eq!(pipelines, ["p", "hello"]);
    assert_eq!(folder.windlass(&["runs", "-n", "1", "--format", "json"]).exits(0).json().len(), 1);
}

#[test]
fn where_nothing_was_run() {
    snapshot!(Folder::new().windlass(&["runs"]));
    let error = &Folder::new().windlass(&["runs", "--format", "json"]).exits(2).json()[0]["error"];
    assert_eq!(error["code"], "journal");
}

#[test]
fn the_journal_is_found_from_a_folder_below_and_by_name() {
    let folder = Folder::new().file("shop/pipeline.toml", HELLO).file("shop/src/x", "");
    folder.windlass(&["run", "-q", "shop/pipeline.toml"]).exits(0);
    for within in ["shop", "shop/pipeline.toml", "shop/src/../"] {
        folder.windlass(&["runs", "--in", within]).exits(0).says("hello");
    }
    folder.windlass(&["runs", "--in", "gone"]).exits(2).says("cannot read gone: there is no such file");
}

#[test]
fn a_journal_that_is_none() {
    let folder = Folder::new()
        .file(".windlass/journal.db", "not a database, but more than a hundred bytes of text. ".repeat(20));
    folder.windlass(&["runs"]).exits(4).says("is not a journal of Windlass");
}

#[test]
fn a_journal_that_lost_its_runs_is_not_a_new_one() {
    let folder = Folder::with(HELLO);
    folder.windlass(&["run", "-q"]).exits(0);
    let state = folder.path().join(".windlass");
    std::fs::write(state.join("journal.db"), "").unwrap();
    std::fs::remove_file(state.join("journal.db-wal")).unwrap();
    for command in [&["runs"][..], &["show"], &["runs", "prune", "--keep", "0"], &["run"], &["resume"]] {
        folder.windlass(command).exits(4).says("logs of 1 run that were recorded there: the records are lost");
    }
    folder.windlass(&["doctor"]).exits(4).says("fail  journal").says("the records are lost");
    std::fs::remove_file(state.join("journal.db")).unwrap();
    folder.windlass(&["doctor"]).exits(4).says("fail  journal").says("the records are lost");
    assert_eq!(count(&folder, "runs"), 1);
}

/// A folder with an interrupted run that has a container and a volume.
fn interrupted() -> (Folder, String) {
    let folder = Folder::new();
    let run = windlass_journal::new_run_id();
    let started = windlass_journal::RunStarted {
        run: run.clone(),
        pipeline: "shop".to_owned(),
        file: "pipeline.toml".to_owned(),
        workspace: "/".to_owned(),
        source: "".into(),
        facts: Default::default(),
        plugins: Vec::new(),
        versions: Default::default(),
        stages: 1,
        steps: 1,
        flags: Default::default(),
    };
    let journal = Journal::open_or_create(&folder.path().join(".windlass")).unwrap();
    let writer = journal.start_run(WriterOptions::default(), started).unwrap();
    for (ordinal, function, args) in [(0, "docker.create-volume", r#"{"name":"data"}"#), (1, "docker.create", "{}")] {
        let call = CallId { step: StepIndex(0), attempt: 1, ordinal };
        writer.append(Record::CallStarted { call, function: function.into(), args: args.to_owned(), grant: None });
        writer.append(Record::CallEnded { call, answer: r#"{"ok":null}"#.to_owned() });
    }
    (folder, run)
}

#[test]
fn an_interrupted_run_with_something_in_docker_is_not_forgotten() {
    let (folder, run) = interrupted();
    let prune = |more: &[&str]| folder.windlass(&[&["runs", "prune", "--keep", "0"], more].concat());
    prune(&[]).exits(0).says("0 runs removed").says(&format!("{run} was interrupted and stays: windlass resume"));
    let (container, volume) = (format!("windlass-{run}-0-1-1"), "windlass-shop-data");
    let held = prune(&["--interrupted"]).exits(0).says("0 runs removed");
    let held =
        held.says(&format!("in Docker: volume {volume}, container {container}; `windlass resume {run}` ends it"));
    assert_eq!(held.out.matches("stays").count(), 1, "{}", held.out);
    let total = prune(&["--interrupted", "--format", "json"]).exits(0).json().remove(0);
    assert_eq!(total["holding"][0]["things"][1], format!("container {container}"));
    prune(&["--leave-behind"]).exits(2).says("--interrupted");
    let gone = prune(&["--interrupted", "--leave-behind"]).exits(0).says("1 run removed");
    gone.says(&format!("docker rm -f {container}")).says(&format!("docker volume rm {volume}"));
    folder.windlass(&["runs"]).exits(0).says("no runs yet");
}

/// A folder in which something ran so often, each time with an artifact and something staged.
fn shop(runs: usize) -> Folder {
    let folder = Folder::with(HELLO);
    for _ in 0..runs {
        folder.windlass(&["run", "-q"]).exits(0);
    }
    for run in folder.runs() {
        for kept in ["artifacts", "staging"] {
            let path = folder.path().join(".windlass").join(kept).join(&run);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("x"), "x".repeat(2000)).unwrap();
        }
    }
    folder
}

fn count(folder: &Folder, kept: &str) -> usize {
    folder.path().join(".windlass").join(kept).read_dir().unwrap().count()
}

#[test]
fn old_runs_go_with_all_they_had() {
    let folder = shop(4);
    let all = folder.runs();
    let said = folder.windlass(&["runs", "prune", "--keep", "1", "--dry-run"]).exits(0);
    assert_eq!(said.out.matches("would remove").count(), 3, "{}", said.out);
    assert_eq!((count(&folder, "runs"), count(&folder, "artifacts"), count(&folder, "staging")), (4, 4, 4));
    let values = folder.windlass(&["runs", "prune", "--keep", "2", "--format", "json"]).exits(0).json();
    let kinds: Vec<_> = values.iter().map(|value| value["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["removed", "removed", "pruned"]);
    assert!(values[2]["freed"].as_u64().unwrap() >= 8000, "{}", values[2]);
    assert_eq!((count(&folder, "runs"), count(&folder, "artifacts"), count(&folder, "staging")), (2, 2, 2));
    folder.windlass(&["runs", "prune", "--older-than", "1h"]).exits(0).says("0 runs removed");
    let done = folder.windlass(&["runs", "prune", "--older-than", "0s"]).exits(0).says("2 runs removed");
    assert!(done.out.contains("freed"), "{}", done.out);
    folder.windlass(&["runs"]).exits(0).says("no runs yet");
    for run in all {
        folder.windlass(&["show", &run]).exits(2).says("no run is called");
    }
    folder.windlass(&["run", "-q"]).exits(0);
    folder.windlass(&["show"]).exits(0);
}

#[test]
fn what_to_prune_has_to_be_said() {
    let folder = shop(1);
    folder.windlass(&["runs", "prune"]).exits(2).says("--keep");
    folder.windlass(&["runs", "prune", "--older-than", "soon"]).exits(2).says("soon");
    folder.windlass(&["runs", "prune", "--keep", "-1"]).exits(2);
    assert_eq!(count(&folder, "runs"), 1);
    Folder::new().windlass(&["runs", "prune", "--keep", "1"]).exits(2).says("no run was started here");
    snapshot!(folder.windlass(&["runs", "prune", "--help"]));
}

#[test]
fn what_an_earlier_prune_did_not_get_to_goes_with_the_next() {
    let folder = shop(1);
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    for kept in ["artifacts", "staging"] {
        let path = folder.path().join(".windlass").join(kept).join("zzzzzzzzzz");
        std::fs::create_dir_all(&path).unwrap();
        std::fs::File::open(&path).unwrap().set_modified(long_ago).unwrap();
    }
    folder.windlass(&["doctor"]).exits(4).says("2 files or folders left over");
    folder.windlass(&["runs", "prune", "--keep", "1"]).exits(0).says("left over of a run that is gone");
    assert_eq!((count(&folder, "artifacts"), count(&folder, "staging")), (1, 1));
}

#[test]
fn a_prune_that_is_killed_leaves_a_whole_journal() {
    let folder = shop(6);
    for (round, keep) in (0..5_u64).zip(["5", "4", "3", "2", "1"]) {
        let mut child = folder.start(&["runs", "prune", "--keep", keep]);
        std::thread::sleep(Duration::from_millis(3 + round * 4));
        let _ = child.kill();
        child.wait().unwrap();
        let listed = folder.windlass(&["runs", "--format", "json"]).exits(0).json();
        for run in &listed {
            folder.windlass(&["logs", run["run"].as_str().unwrap()]).exits(0).says("hello");
        }
        folder.windlass(&["doctor"]).exits(4).says("ok    journal");
    }
    folder.windlass(&["runs", "prune", "--keep", "1"]).exits(0);
    assert_eq!(folder.windlass(&["runs", "--format", "json"]).exits(0).json().len(), 1);
}

#[test]
fn inputs_that_no_run_refers_to_go_once_they_are_not_new() {
    let folder = shop(1);
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    let file = |digit: &str| {
        let path = folder.path().join(".windlass/inputs/content").join(digit.repeat(64));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "content").unwrap();
        path
    };
    let (old, young) = (file("a"), file("b"));
    std::fs::File::options().append(true).open(&old).unwrap().set_modified(long_ago).unwrap();
    folder.windlass(&["runs", "prune", "--keep", "1", "--dry-run"]).exits(0);
    assert!(old.exists());
    folder.windlass(&["runs", "prune", "--keep", "1"]).exits(0);
    assert!(!old.exists() && young.exists());
}
