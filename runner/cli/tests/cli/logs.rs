//! `windlass logs`.

use std::time::Duration;

use crate::support::{Folder, snapshot};

const TWO: &str = r#"[pipeline]
name = "two"
[[stages.first.steps]]
name = "one"
uses = "builtin:command"
with.run = ["echo", "from one"]
grants.process = ["echo"]
[[stages.first.steps]]
name = "two"
uses = "builtin:command"
with.run = ["echo", "from two"]
grants.process = ["echo"]
"#;

#[test]
fn everything_or_one_step() {
    let folder = Folder::with(TWO);
    folder.windlass(&["run", "-q"]).exits(0);
    snapshot!(folder.windlass(&["logs"]));
    let id = folder.runs().remove(0);
    for args in [&["logs", "first/two"][..], &["logs", "latest", "first/two"], &["logs", &id[..4], "first/two"]] {
        let done = folder.windlass(args).exits(0).says("from two");
        assert!(!done.out.contains("from one"), "{}", done.out);
    }
    folder.windlass(&["logs", "first/three"]).exits(2).says("has no step `first/three`");
    folder.windlass(&["logs", "first"]).exits(2).says("no run is called `first`").says("`windlass logs latest first`");
}

#[test]
fn as_json() {
    let folder = Folder::with(TWO);
    folder.windlass(&["run", "-q"]).exits(0);
    let lines = folder.windlass(&["logs", "--format", "json"]).exits(0).json();
    assert!(lines.iter().any(|line| line.to_string().contains("from one")));
}

#[test]
fn following_a_run_ends_with_it() {
    let slow = TWO
        .replace(r#"["echo", "from two"]"#, r#"["sh", "-c", "sleep 1; echo from two"]"#)
        .replace(r#"process = ["echo"]"#, r#"process = ["echo", "sh"]"#);
    let folder = Folder::with(&slow);
    let run = folder.start(&["run", "-q"]);
    while folder.runs().is_empty() || !folder.windlass(&["runs"]).out.contains("running") {
        std::thread::sleep(Duration::from_millis(10));
    }
    folder.windlass(&["logs", "--follow"]).exits(0).says("from one").says("from two");
    folder.wait(run).exits(0);
}
