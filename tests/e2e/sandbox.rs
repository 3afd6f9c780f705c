//! Hostile guests end alone, within their limits, with an error that says what happened.

use windlass_tests::Workspace;

fn one(guest: &str, step: &str) -> Workspace {
    Workspace::new(&format!(
        "[pipeline]\nname = \"hostile\"\n[stages.bad]\n[[stages.bad.steps]]\nname = \"it\"\nuses = \"./{guest}.wasm\"\n{step}\n"
    ))
    .guest(guest)
    .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
}

#[test]
fn an_endless_loop_and_an_endless_allocation_fail_alone_while_a_sibling_finishes() {
    let pipeline = r#"
[pipeline]
name = "siblings"
[stages.spin]
[[stages.spin.steps]]
name = "loop"
uses = "./spin.wasm"
limits = { fuel = 500_000_000 }
[stages.hog]
[[stages.hog.steps]]
name = "eat"
uses = "./hog.wasm"
limits = { memory = "64MiB" }
[stages.good]
[[stages.good.steps]]
name = "work"
uses = "builtin:command"
with = { run = ["echo", "the sibling is done"] }
grants = { process = ["echo"] }
"#;
    let workspace =
        Workspace::new(pipeline).guest("spin").guest("hog").env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    let finished = workspace.run(&["run", "--keep-going", "--jobs", "3"]).exits(1).says("the sibling is done");
    let finished = finished.says("units of fuel are used up");
    let _ = finished.says("ran out of memory: the limit is 64 MiB");
}

#[test]
fn an_endless_loop_ends_at_its_time_limit() {
    let _ = one("spin", "timeout = \"1s\"").run(&["run"]).exits(1).says("more than its limit of 1s");
}

#[test]
fn an_endless_loop_can_be_cancelled() {
    let workspace = one("spin", "");
    let mut running = workspace.start(&["run"]);
    running.until("it");
    running.signal(nix::sys::signal::Signal::SIGINT);
    let finished = running.finish();
    assert_eq!(finished.code, 130, "{finished:?}");
    assert!(workspace.show(&[]).contains("cancelled"));
}

#[test]
fn a_panic_is_told_with_its_message() {
    let _ = one("trap", "").run(&["run"]).exits(1).says("panicked or aborted");
}

#[test]
fn deep_recursion_is_told() {
    let _ = one("recurse", "").run(&["run"]).exits(1).says("stack overflowed");
}

#[test]
fn a_flood_of_calls_ends_the_step() {
    let _ = one("flood", "limits = { calls = 1000 }").run(&["run"]).exits(1).says("more than 1000 calls");
}

#[test]
fn a_gigabyte_of_log_is_cut_and_noted_and_the_step_goes_on() {
    let workspace = one("chatter", "limits = { log = \"1MiB\", fuel = 1_000_000_000_000 }");
    let _ = workspace.run(&["run", "--quiet"]).exits(0);
    let logs = workspace.run(&["logs"]).exits(0);
    assert!(logs.stdout.len() < 3 << 20, "{} bytes", logs.stdout.len());
    let _ = logs.says("cut");
}

#[test]
fn large_outputs_are_refused() {
    let _ = one("big-output", "limits = { memory = \"512MiB\" }").run(&["run"]).exits(1).says("big-output.wasm");
}

#[test]
fn a_plugin_that_fails_to_describe_itself_is_refused_before_anything_starts() {
    for guest in ["describe-trap", "describe-endless", "bad-description"] {
        let workspace = one(guest, "");
        let _ = workspace.run(&["run"]).exits(2).says(&format!("{guest}.wasm"));
        assert!(!workspace.path().join(".windlass").exists(), "{guest}: something was started");
    }
}

#[test]
fn a_call_that_the_description_does_not_ask_for_is_denied() {
    let workspace = one("lies", "grants = { docker = { run = [\"localhost:5000/x\"] } }");
    let _ = workspace.run(&["run"]).exits(3).says("does not ask for `docker`");
}

#[test]
fn what_a_plugin_sees_of_clocks_and_chance_is_in_the_journal() {
    let workspace = one("clock", "");
    let _ = workspace.run(&["run"]).exits(0);
    let calls = workspace.show(&["--calls"]);
    assert!(calls.contains("wasi.wall-clock") && calls.contains("wasi.random-seed"), "{calls}");
}

#[test]
fn sockets_are_closed() {
    let _ = one("sockets", "").run(&["run"]).exits(0);
}

#[test]
fn files_are_seen_only_as_granted_and_published_only_on_success() {
    let workspace = one("files", "grants = { files = { read = [\"src\"], write = [\"dist\"] } }")
        .file("src/in.txt", "input")
        .file("secret.txt", "not for plugins");
    let finished = workspace.run(&["run"]);
    let finished = finished.exits(0);
    assert!(!finished.all().contains("not for plugins"), "{}", finished.all());
    assert!(workspace.path().join("dist").is_dir(), "{}", finished.all());
}

#[test]
fn the_state_folder_is_never_part_of_a_grant() {
    let _ = one("files", "grants = { files = { read = [\".\"] } }").run(&["run"]).exits(3).says("Windlass's own state");
}
