//! `windlass plugin update`, without a registry; tests/e2e has it with one.

use crate::support::{Folder, HELLO};

#[test]
fn the_lock_is_written_once_and_stays_the_same() {
    let folder = Folder::with(HELLO);
    let lock = folder.path().join("pipeline.lock");
    folder.windlass(&["plugin", "update"]).exits(0).says("pipeline.lock has");
    let first = std::fs::read(&lock).unwrap();
    folder.windlass(&["plugin", "update"]).exits(0);
    assert_eq!(std::fs::read(&lock).unwrap(), first);
}

#[test]
fn a_plugin_that_the_pipeline_has_not_is_told_with_those_that_it_has() {
    let folder = Folder::with(HELLO);
    folder.windlass(&["plugin", "update", "nothing"]).exits(2).says("no plugin `nothing`").says("builtin:");
    assert!(!folder.path().join("pipeline.lock").exists());
}
