//! Commands in containers.

use windlass_tests::{Engine, Workspace};

fn command(name: &str, with: &str, run: &str) -> Workspace {
    Workspace::new(&format!(
        r#"
[pipeline]
name = "{name}"
[stages.prepare]
[[stages.prepare.steps]]
name = "image"
uses = "builtin:image"
with = {{ context = "box", tag = "{name}-box:1" }}
grants = {{ docker = {{ build = ["box"], tag = ["{name}-box"] }} }}
[stages.work]
needs = ["prepare"]
[[stages.work.steps]]
name = "command"
uses = "builtin:command"
with = {{ image = "{name}-box:1", {with} }}
grants = {{ docker = {{ run = {run} }} }}
"#
    ))
    .busybox()
}

#[track_caller]
fn leaves_nothing(workspace: &Workspace) {
    assert_eq!(Engine::get().left_by(&workspace.run_id()), Vec::<String>::new());
}

#[test]
fn a_command_in_a_container_gives_its_output_and_leaves_nothing() {
    let workspace = command("runs", "run = [\"/bin/sh\", \"-c\", \"echo out; echo err >&2\"]", "[\"runs-box\"]");
    let _ = workspace.run(&["run"]).exits(0).says("out").says("err");
    leaves_nothing(&workspace);
}

#[test]
fn a_failing_command_shows_its_exit_code_and_last_lines() {
    let workspace = command("fails", "run = [\"/bin/sh\", \"-c\", \"echo the last line; exit 3\"]", "[\"fails-box\"]");
    let _ = workspace.run(&["run"]).exits(1).says("exited with code 3").says("the last line");
    leaves_nothing(&workspace);
}

#[test]
fn a_container_that_takes_too_much_memory_is_told_apart_from_one_that_was_killed() {
    let oom = "run = [\"/bin/sh\", \"-c\", \"x=a; while :; do x=$x$x; done\"], memory = \"16MiB\"";
    let workspace = command("oom", oom, "[\"oom-box\"]");
    let _ = workspace.run(&["run"]).exits(1).says("too much memory");
    let killed = "run = [\"/bin/sh\", \"-c\", \"exit 137\"]";
    let workspace = command("killed", killed, "[\"killed-box\"]");
    let finished = workspace.run(&["run"]).exits(1).says("137");
    assert!(!finished.all().contains("too much memory"), "{}", finished.all());
}

#[test]
fn an_image_that_is_not_granted_is_not_run() {
    let workspace = command("other", "run = [\"/bin/sh\"]", "[\"something-else\"]");
    let _ = workspace.run(&["run"]).exits(3).says("other-box");
    leaves_nothing(&workspace);
}

#[test]
fn a_time_limit_ends_the_container_too() {
    let workspace = command("slow", "run = [\"/bin/sleep\", \"1000\"], timeout = \"1s\"", "[\"slow-box\"]");
    let _ = workspace.run(&["run"]).exits(1);
    leaves_nothing(&workspace);
}

#[test]
fn a_failure_can_be_looked_at_and_is_replayed_as_it_was() {
    let workspace = command("breaks", "run = [\"/bin/sh\", \"-c\", \"exit 3\"]", "[\"breaks-box\"]");
    let finished = workspace.run(&["run", "--break-on-failure"]).exits(1);
    let left = Engine::get().left_by(&workspace.run_id());
    assert_eq!(left.len(), 1, "{left:?}");
    let name = left[0].trim_start_matches("container \"/").trim_end_matches('"').to_owned();
    let _ = finished.says(&format!("docker commit {name} broken")).says(&format!("docker rm -f {name}"));
    let (status, _) = Engine::get().request("DELETE", &format!("/containers/{name}?force=1"));
    assert_eq!(status, 204);
    let _ = workspace.run(&["replay"]).exits(0);
    // One that succeeds leaves nothing.
    let workspace = command("mends", "run = [\"/bin/sh\", \"-c\", \"exit 0\"]", "[\"mends-box\"]");
    let _ = workspace.run(&["run", "--break-on-failure"]).exits(0);
    leaves_nothing(&workspace);
}
