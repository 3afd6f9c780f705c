//! The storefront example, end to end, as `cargo xtask demo` runs it.

use std::path::Path;
use std::process::Command;

use windlass_tests::{Engine, Workspace};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if !["target", ".windlass"].contains(&&*entry.file_name().to_string_lossy()) {
                copy(&entry.path(), &target);
            }
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn it_is_built_pushed_run_checked_and_stopped() {
    let engine = Engine::get();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/storefront");
    let workspace = Workspace::new("");
    copy(&example, workspace.path());
    assert!(Command::new("git").args(["init", "-q"]).current_dir(workspace.path()).status().unwrap().success());
    let finished = workspace.run(&["run"]).exits(0);
    let run = workspace.run_id();
    assert_eq!(engine.left_by(&run), Vec::<String>::new());
    let pushed = finished.all().lines().any(|line| line.contains("sha256:"));
    assert!(pushed, "{}", finished.all());
}
