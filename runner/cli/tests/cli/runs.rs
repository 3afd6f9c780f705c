//! `windlass runs`.

use crate::run::host;
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
