//! `windlass doctor`.

use crate::run::host;
use crate::support::{Folder, HELLO};

#[test]
fn every_line_says_how_something_is() {
    let done = Folder::with(HELLO).windlass(&["doctor"]).exits(4);
    let words: Vec<_> = done.out.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(words, ["ok", "ok", "ok", "ok", "fail", "help:", "ok"], "{}", done.out);
    done.says("cannot reach the Docker daemon at unix:///nowhere/docker.sock").says("from DOCKER_HOST");
}

#[test]
fn as_json() {
    let findings = Folder::new().windlass(&["doctor", "--format", "json"]).exits(4).json();
    let checks: Vec<_> = findings.iter().map(|finding| finding["check"].as_str().unwrap()).collect();
    assert_eq!(checks, ["windlass", "engine", "cache", "journal", "docker", "git"]);
    assert_eq!((&findings[0]["status"], &findings[4]["status"]), (&"ok".into(), &"fail".into()));
}

#[test]
fn the_journal_is_looked_at() {
    let folder = Folder::with(HELLO);
    folder.windlass(&["doctor"]).exits(4).says("nothing was run here");
    assert!(!folder.was_run());
    folder.windlass(&["run", "-q"]).exits(0);
    folder.windlass(&["doctor"]).exits(4).says(".windlass, 1 run, ").says("left on the disk");
    let broken = Folder::new().file(".windlass/journal.db", "no database ".repeat(100));
    broken.windlass(&["doctor"]).exits(4).says("fail  journal");
}

#[test]
fn what_is_wrong_with_the_journal_is_told_with_what_to_do() {
    let folder = Folder::with(&host(r#"["sleep", "60"]"#, "sleep"));
    let mut child = folder.start(&["run", "-q"]);
    while folder.windlass(&["runs"]).code != 0 || !folder.windlass(&["show"]).out.contains("running") {}
    child.kill().unwrap();
    child.wait().unwrap();
    let run = folder.runs().remove(0);
    folder.windlass(&["doctor"]).exits(4).says("warn  journal").says(&format!("windlass resume {run}"));
    folder.windlass(&["runs"]).exits(0).says(&format!("windlass resume {run}"));
    folder.windlass(&["show"]).exits(0).says(&format!("windlass resume {run}"));

    let file = folder.path().join(".windlass/journal.db");
    // What is in the log of the store is moved into it, where it can be damaged.
    folder.windlass(&["runs", "prune", "--keep", "9"]).exits(0);
    let mut bytes = std::fs::read(&file).unwrap();
    let at = find(&bytes, b"sleep").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    folder.windlass(&["doctor"]).exits(4).says("fail  journal").says("is damaged").says("keep a copy of the folder");
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

#[test]
fn a_cache_folder_that_others_may_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new().file("cache/compiled/x", "");
    let compiled = folder.path().join("cache/compiled");
    std::fs::set_permissions(&compiled, std::fs::Permissions::from_mode(0o777)).unwrap();
    let folder = folder.env("WINDLASS_CACHE_DIR", "cache");
    folder.windlass(&["doctor"]).exits(4).says("others may write to it");
}

#[test]
fn git_is_asked_for_only_as_a_warning() {
    Folder::new().env("PATH", "/nowhere").windlass(&["doctor"]).exits(4).says("warn  git").says("no program `git`");
}
