//! Hostile guests end alone, within their limits, with an error that says what happened.

use windlass_tests::{Workspace, root};

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
fn a_trap_shows_the_lines_of_a_plugin_that_carries_them() {
    let workspace = one("trap", "with.how = \"index\"");
    let _ = workspace.run(&["run"]).exits(1).says("plugin `trap.wasm` 0.1.0 (sha256:");
    let logs = workspace.run(&["logs"]).exits(0);
    let source = std::fs::read_to_string(root().join("tests/guests/trap/src/lib.rs")).unwrap();
    let line = 1 + source.lines().position(|line| line.contains("black_box(7)")).unwrap();
    // What Rust does to panic is left out: the first function is the one that panics.
    let logs = logs.says("0: core::panicking::panic_fmt").says(&format!("trap/src/lib.rs:{line}"));
    assert!(!logs.all().contains("rust_begin_unwind"), "{}", logs.all());
    // Others have names at most.
    let _ = one("recurse", "").run(&["run"]).exits(1).says("it was here:");
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
    let _ = one("big-output", "limits = { memory = \"512MiB\" }")
        .run(&["run"])
        .exits(1)
        .says("plugin `big-output.wasm` 0.1.0 (sha256:")
        .says("it passed more than 32 MiB to the host at once");
}

#[test]
fn a_plugin_that_fails_to_read_its_with_is_named() {
    let failed = one("misreads", "with.count = \"many\"").run(&["run"]).exits(1);
    let _ = failed.says("`with` is not acceptable").says("said by plugin `misreads.wasm` 0.1.0 (sha256:");
}

#[test]
fn what_a_plugin_shouts_is_told_plainly() {
    let workspace = one("shouts", "");
    let ran = workspace.run(&["run"]).exits(1);
    let logs = workspace.run(&["logs"]).exits(0);
    let shown = workspace.run(&["show"]).exits(0);
    for finished in [ran, logs, shown] {
        let all = finished.all();
        for bad in ['\u{1b}', '\u{7}', '\u{8}', '\r', '\u{9b}', '\u{202e}'] {
            assert!(!all.contains(bad), "{bad:?} is in\n{all:?}");
        }
        for line in all.lines() {
            let forged = ["::", "##", "\u{2714}"].iter().any(|forged| line.starts_with(forged));
            assert!(!forged, "a line begins as the plugin says: {line:?}");
        }
        assert!(all.contains("painted"), "{all}");
    }
}

#[test]
fn a_plugin_that_fails_to_describe_itself_is_refused_before_anything_starts() {
    for guest in ["describe-trap", "describe-exit", "describe-endless", "bad-description", "forged"] {
        let workspace = one(guest, "");
        let _ = workspace.run(&["run"]).exits(2).says(&format!("plugin `{guest}.wasm`")).says("(sha256:");
        assert!(!workspace.path().join(".windlass").exists(), "{guest}: something was started");
    }
    let panicked = one("describe-trap", "").run(&["check"]).exits(2);
    let _ = panicked.says("it panicked").says("this guest does not say what it is");
    let _ = one("describe-exit", "").run(&["check"]).exits(2).says("it ended itself with exit code 1");
    let forged = one("forged", "").run(&["plugin", "inspect", "forged.wasm"]).exits(2);
    assert!(!forged.all().lines().any(|line| line.starts_with("good:")), "{}", forged.all());
}

#[test]
fn a_plugin_that_needs_what_there_is_not_is_told_before_it_is_pushed_or_used() {
    let workspace = one("needs-teleport", "");
    let missing = "needs `teleport`, which this version of Windlass does not have";
    for args in [
        &["plugin", "check", "needs-teleport.wasm"][..],
        &["plugin", "push", "needs-teleport.wasm", "localhost:1/needs-teleport:1"],
    ] {
        let refused = workspace.run(args).exits(2).says(missing).says("(sha256:");
        assert!(!refused.all().lines().any(|line| line.starts_with("good")), "{}", refused.all());
    }
    // What it is can be looked at, and what it says stays in its line.
    let told = workspace.run(&["plugin", "inspect", "needs-teleport.wasm"]).exits(0);
    let _ = told.says("teleport (required): to be there good: this Windlass runs it");
    let _ = workspace.run(&["check"]).exits(2).says("no such capability");
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
    let there = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = there.local_addr().unwrap().port();
    let workspace = one("sockets", &format!("with = {{ port = {port} }}"));
    let _ = workspace.run(&["run"]).exits(0);
    let attempts = workspace.show_json()["stages"][0]["steps"][0]["outputs"]["attempts"].clone();
    let attempts = attempts.as_array().unwrap_or_else(|| panic!("{}", workspace.show_json()));
    assert_eq!(attempts.len(), 3);
    for attempt in attempts {
        let said = attempt.as_str().unwrap();
        assert!(said.contains("access-denied") || said.contains("permanent-resolver-failure"), "{attempt}");
    }
    there.set_nonblocking(true).unwrap();
    assert!(there.accept().is_err(), "somebody connected");
}

const ATTEMPTS: &str = r#"
with.attempts = [
    { act = "read", path = "src/in.txt" },
    { act = "read", path = "src/../secret.txt" },
    { act = "read", path = "/etc/passwd" },
    { act = "read", path = "src/link" },
    { act = "read", path = "secret.txt" },
    { act = "write", path = "src/new.txt", to = "x" },
    { act = "symlink", path = "dist/away", to = "/etc/passwd" },
    { act = "read", path = "dist/away" },
    { act = "symlink", path = "dist/link", to = "../../secret.txt" },
    { act = "read", path = "dist/link" },
    { act = "write", path = "dist/out.txt", to = "made" },
]
grants = { files = { read = ["src"], write = ["dist"] } }
"#;

#[test]
fn files_are_seen_only_as_granted_and_links_are_not_published() {
    let workspace = one("files", ATTEMPTS).file("src/in.txt", "input").file("secret.txt", "not for plugins");
    std::os::unix::fs::symlink("../secret.txt", workspace.path().join("src/link")).unwrap();
    let finished = workspace.run(&["run"]).exits(1).says("links are not published");
    assert!(!finished.all().contains("not for plugins") && !finished.all().contains("root:"), "{}", finished.all());
    assert!(!workspace.path().join("src/new.txt").exists());
}

#[test]
fn what_a_step_wrote_is_published_when_it_succeeds() {
    let step = "with.attempts = [{ act = \"write\", path = \"dist/deep/out.txt\", to = \"made\" }, { act = \"write\", path = \"dist/out.txt\", to = \"too\" }]\ngrants = { files = { write = [\"dist\"] } }";
    let workspace = one("files", &step.replace("dist/deep", "dist"));
    let _ = workspace.run(&["run"]).exits(0);
    assert_eq!(std::fs::read_to_string(workspace.path().join("dist/out.txt")).unwrap(), "too");
}

#[test]
fn the_state_folder_is_never_part_of_a_grant() {
    let step = "with.attempts = []\ngrants = { files = { read = [\".\"] } }";
    let _ = one("files", step).run(&["run"]).exits(3).says("Windlass's own state");
}
