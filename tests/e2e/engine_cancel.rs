//! Ctrl-C: what runs is stopped, what was made is removed, and the record says so.

use nix::sys::signal::Signal;
use windlass_tests::{Engine, Workspace};

const SLOW_BUILD: &str = r#"
[pipeline]
name = "cancelled"
[stages.build]
[[stages.build.steps]]
name = "image"
uses = "builtin:image"
with = { context = "box", dockerfile = "Slow", tag = "cancelled-box:1", no-cache = true }
grants = { docker = { build = ["box"], tag = ["cancelled-box"] } }
"#;

const SLOW_RUN: &str = r#"
[pipeline]
name = "cancelled-run"
[stages.build]
[[stages.build.steps]]
name = "image"
uses = "builtin:image"
with = { context = "box", tag = "cancelled-run-box:1" }
grants = { docker = { build = ["box"], tag = ["cancelled-run-box"] } }
[[stages.build.steps]]
name = "sleep"
uses = "builtin:command"
with = { image = "cancelled-run-box:1", run = ["/bin/sh", "-c", "echo asleep; exec sleep 1000"] }
grants = { docker = { run = ["cancelled-run-box"] } }
"#;

fn cancelled_after(workspace: &Workspace, line: &str, signal: Signal) {
    let mut running = workspace.start(&["run"]);
    running.until(line);
    running.signal(signal);
    let finished = running.finish();
    assert_eq!(finished.code, 130, "{finished:?}");
    let show = workspace.show(&[]);
    assert!(show.contains("cancelled"), "{show}");
    assert_eq!(Engine::get().left_by(&workspace.run_id()), Vec::<String>::new());
}

#[test]
fn during_a_build() {
    let workspace = Workspace::new(SLOW_BUILD).busybox().file(
        "box/Slow",
        "FROM scratch\nCOPY busybox /bin/sh\nCOPY busybox /bin/sleep\nRUN echo building now && sleep 1000\n",
    );
    cancelled_after(&workspace, "building now", Signal::SIGINT);
}

#[test]
fn during_a_run() {
    cancelled_after(&Workspace::new(SLOW_RUN).busybox(), "| asleep", Signal::SIGTERM);
}
