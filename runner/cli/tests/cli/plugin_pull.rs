//! `windlass plugin pull`, without a registry; tests/e2e has it with one.

use crate::support::Folder;

#[test]
fn a_registry_that_is_not_there_is_named_and_no_file_is_written() {
    let folder = Folder::new();
    folder.windlass(&["plugin", "pull", "127.0.0.1:9/greet:1", "greet.wasm"]).exits(4).says("127.0.0.1:9");
    assert!(!folder.path().join("greet.wasm").exists());
    folder.windlass(&["plugin", "pull", "greet"]).exits(2).says("registry.example/team/audit:1.2");
}
