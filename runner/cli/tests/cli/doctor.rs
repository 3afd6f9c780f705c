//! `windlass doctor`.

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
    folder.windlass(&["doctor"]).exits(4).says(".windlass, 1 run\n");
    let broken = Folder::new().file(".windlass/journal.db", "no database ".repeat(100));
    broken.windlass(&["doctor"]).exits(4).says("fail  journal");
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
