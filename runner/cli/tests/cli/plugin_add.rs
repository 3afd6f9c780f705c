//! `windlass plugin add`, without a registry; tests/e2e has it with one.

use crate::support::{Folder, HELLO};

#[test]
fn what_cannot_be_had_leaves_the_pipeline_as_it_was() {
    let folder = Folder::with(HELLO);
    let before = std::fs::read(folder.path().join("pipeline.toml")).unwrap();
    folder.windlass(&["plugin", "add", "127.0.0.1:9/team/greet:1"]).exits(4).says("127.0.0.1:9 cannot be reached");
    assert_eq!(std::fs::read(folder.path().join("pipeline.toml")).unwrap(), before);
    assert!(!folder.path().join("pipeline.lock").exists());
}

#[test]
fn what_is_no_name_of_a_plugin_is_told() {
    let folder = Folder::with(HELLO);
    folder.windlass(&["plugin", "add", "nonsense//"]).exits(2).says("does not begin with a registry");
    Folder::new().windlass(&["plugin", "add", "127.0.0.1:9/greet:1"]).exits(2).says("cannot read pipeline.toml");
}

#[test]
fn a_file_that_is_no_pipeline_and_a_name_that_is_none_are_told_before_anybody_is_asked() {
    for broken in ["[pipeline\n", "[stages.a]\n"] {
        let folder = Folder::with(broken);
        folder.windlass(&["plugin", "add", "127.0.0.1:9/team/greet:1"]).exits(2).says("pipeline.toml:1:");
        assert_eq!(std::fs::read_to_string(folder.path().join("pipeline.toml")).unwrap(), broken);
        assert!(!folder.path().join("pipeline.lock").exists());
    }
    let folder = Folder::with(HELLO);
    let add = ["plugin", "add", "127.0.0.1:9/team/greet:1", "--name", "a b"];
    folder.windlass(&add).exits(2).says("`a b` cannot be the name of a plugin");
}
