//! Runs that are killed and go on, where nothing but the host is needed: there is no Docker here.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value as Json;
use windlass_tests::Workspace;

/// A program that notes that it was started, and waits to be killed the first time.
const ONCE: &str =
    r#"["sh", "-c", "echo $$ >> ran; test $(wc -l < ran) -ge 2 && exit 0; echo ready; exec sleep 1000"]"#;

fn nowhere(pipeline: &str) -> Workspace {
    Workspace::new(pipeline).env("DOCKER_HOST", "unix:///nowhere/docker.sock")
}

fn program(extra: &str) -> Workspace {
    nowhere(&format!(
        "[pipeline]\nname = \"doubt\"\n[[stages.s.steps]]\nname = \"t\"\nuses = \"builtin:command\"\nwith = {{ run = {ONCE} }}\ngrants = {{ process = [\"sh\"], env = [\"PATH\"] }}\n{extra}"
    ))
}

fn ran(workspace: &Workspace) -> Vec<i32> {
    let pids = std::fs::read_to_string(workspace.path().join("ran")).unwrap();
    pids.lines().map(|pid| pid.trim().parse().unwrap()).collect()
}

/// A step that waits, for as long as a test needs to kill the runner.
fn waits(name: &str) -> String {
    format!(
        "name = \"{name}\"\nuses = \"./asks.wasm\"\nwith = {{ calls = [{{ function = \"timer.sleep\", args = {{ milliseconds = 3000 }} }}], echo = \"{name}\" }}\n"
    )
}

#[track_caller]
fn status(show: &Json, path: &str) -> String {
    let stages = show["stages"].as_array().unwrap();
    let mut all = stages.iter().flat_map(|stage| stage["steps"].as_array().unwrap());
    let step = all.find(|step| step["path"] == path).unwrap_or_else(|| panic!("no {path} in {show}"));
    step["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_program_under_way_dies_with_the_runner_and_a_person_is_asked() {
    let workspace = program("");
    workspace.killed_at(&["run"], "| ready");
    let [pid] = ran(&workspace)[..] else { panic!("it ran once") };
    let since = Instant::now();
    while kill(Pid::from_raw(pid), None).is_ok() {
        assert!(since.elapsed() < Duration::from_secs(10), "the program outlives its runner");
        std::thread::sleep(Duration::from_millis(5));
    }
    let before = workspace.record();
    let id = workspace.run_id();
    let asked = workspace.run(&["resume"]).exits(5).says("step s/t: call 1").says("process.run").says("echo $$ >> ran");
    let _ = asked
        .says(&format!("windlass resume {id} --answer done"))
        .says(&format!("windlass resume {id} --answer repeat"));
    let json = workspace.run(&["resume", "--format", "json"]).exits(5);
    let json: Json = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&json["run"], &json["exit-code"]), (&Json::from(id.as_str()), &Json::from(5)));
    let question = &json["questions"][0];
    assert_eq!(question["step"], "s/t");
    assert_eq!(question["function"], "process.run");
    assert_eq!(question["call"], 0);
    assert_eq!(question["attempt"], 1);
    assert_eq!(question["args"]["command"]["program"], "sh");
    assert_eq!(question["answers"], serde_json::json!(["done", "repeat"]));
    for (nonsense, why) in [("maybe", "is no answer"), ("s/x=done", "no step `s/x`"), ("s/t=perhaps", "is no answer")] {
        let _ = workspace.run(&["resume", "--answer", nonsense]).exits(2).says(why);
    }
    assert_eq!(workspace.record(), before, "to ask changes nothing");
    assert_eq!(ran(&workspace).len(), 1);
}

#[test]
fn a_program_that_was_done_is_not_run_again() {
    let workspace = program("");
    workspace.killed_at(&["run"], "| ready");
    let _ = workspace.run(&["resume", "--answer", "s/t=done"]).exits(0).says("answered `done`");
    assert_eq!(ran(&workspace).len(), 1);
    let _ = workspace.run(&["resume"]).exits(2).says("no run was interrupted");
}

#[test]
fn a_program_that_was_not_done_is_run_again() {
    let workspace = program("");
    workspace.killed_at(&["run"], "| ready");
    let done = workspace.run(&["resume", "--answer", "repeat"]).exits(0).says("answered `repeat`");
    assert_eq!(ran(&workspace).len(), 2, "{done:?}");
    let show = workspace.show(&["--calls"]);
    // It began twice, and ended once.
    assert_eq!((show.matches("  process.run  ").count(), show.matches("answer  {").count()), (2, 1), "{show}");
    let _ = workspace.run(&["replay"]).exits(0);
}

#[test]
fn a_program_that_is_killed_again_is_asked_about_again() {
    let workspace = program("");
    workspace.killed_at(&["run"], "| ready");
    std::fs::remove_file(workspace.path().join("ran")).unwrap();
    workspace.killed_at(&["resume", "--answer", "repeat"], "| ready");
    let _ = workspace.run(&["resume"]).exits(5);
    assert_eq!(ran(&workspace).len(), 1);
}

#[test]
fn a_step_may_say_that_nobody_is_to_be_asked() {
    let workspace = program("on-crash = \"repeat\"\n");
    workspace.killed_at(&["run"], "| ready");
    let _ = workspace.run(&["resume", "--answer", "done"]).exits(2).says("nothing is asked");
    let _ = workspace.run(&["resume"]).exits(0);
    assert_eq!(ran(&workspace).len(), 2);
}

#[test]
fn only_a_run_that_was_interrupted_goes_on() {
    let workspace = program("");
    let _ = workspace.run(&["resume"]).exits(2).says("windlass run");
    let mut running = workspace.start(&["run"]);
    running.until("| ready");
    let id = workspace.run_id();
    for args in [&["resume"][..], &["resume", &id], &["resume", &id[..4]]] {
        let refused = workspace.run(args).exits(2);
        if args.len() > 1 {
            let _ = refused.says("is alive");
        }
    }
    // A stopped process still has its run.
    running.signal(Signal::SIGSTOP);
    let _ = workspace.run(&["resume", &id]).says("is alive");
    running.signal(Signal::SIGCONT);
    running.signal(Signal::SIGINT);
    assert_eq!(running.finish().code, 130);
    let before = workspace.record();
    let _ = workspace.run(&["resume", &id]).exits(2).says("has ended");
    let _ = workspace.run(&["resume"]).exits(2).says("no run was interrupted");
    let _ = workspace.run(&["resume", "zz"]).exits(2).says("too short");
    let _ = workspace.run(&["resume", "zzzzzz"]).exits(2).says("no run is called `zzzzzz`");
    assert_eq!(workspace.record(), before);
}

#[test]
fn an_interrupted_run_of_the_same_pipeline_is_pointed_out() {
    let workspace = program("on-crash = \"repeat\"\n");
    workspace.killed_at(&["run"], "| ready");
    let id = workspace.run_id();
    let _ = workspace.run(&["run"]).exits(0).says(&format!("windlass resume {id}")).says("was interrupted");
    let json = workspace.run(&["run", "--format", "json"]);
    for line in json.stdout.lines() {
        let _: Json = serde_json::from_str(line).unwrap();
    }
}

#[test]
fn what_was_over_is_taken_over_and_what_was_under_way_goes_on() {
    let pipeline = format!(
        "[pipeline]\nname = \"parts\"\n\
         [[stages.a.steps]]\nname = \"gives\"\nuses = \"./asks.wasm\"\nwith = {{ calls = [], echo = {{ n = 7 }} }}\n\
         [stages.b]\nneeds = [\"a\"]\n[[stages.b.steps]]\n{}\
         [[stages.b.steps]]\nname = \"later\"\nuses = \"./asks.wasm\"\nwith = {{ calls = [], echo = \"${{stages.a.steps.gives.outputs.echo}}\" }}\n\
         [stages.c]\nneeds = [\"a\"]\n\
         [[stages.c.steps]]\nname = \"fails\"\nrequired = false\nuses = \"./asks.wasm\"\nwith = {{ calls = [], then = \"fail\" }}\n\
         [[stages.c.steps]]\n{}\
         [stages.d]\nneeds = [\"b\", \"c\"]\n\
         [[stages.d.steps]]\nname = \"takes\"\nuses = \"./asks.wasm\"\nwith = {{ calls = [], echo = [\"${{stages.b.steps.later.outputs.echo}}\", \"${{stages.b.steps.waits.outputs.echo}}\", \"${{stages.a.steps.gives.outputs.echo}}\"] }}\n",
        waits("waits"),
        waits("waits-too"),
    );
    let workspace = nowhere(&pipeline).guest("asks");
    let running = workspace.start(&["run"]);
    while workspace.run(&["show", "--calls"]).stdout.matches("timer.sleep").count() < 2 {
        std::thread::sleep(Duration::from_millis(10));
    }
    running.signal(Signal::SIGKILL);
    let _ = running.finish();
    let _ = workspace.run(&["resume"]).exits(0);
    let show = workspace.show_json();
    let taken = &show["stages"][3]["steps"][0]["outputs"]["echo"];
    let text = taken.to_string();
    assert!(text.contains("waits") && text.matches('7').count() == 2, "{taken}");
    assert_eq!(status(&show, "c/fails"), "failed");
    for step in ["a/gives", "b/waits", "b/later", "c/waits-too", "d/takes"] {
        assert_eq!(status(&show, step), "succeeded");
    }
    let calls = workspace.show(&["--calls"]);
    assert_eq!(calls.matches("timer.sleep").count(), 2, "{calls}");
    let _ = workspace.run(&["replay"]).exits(0).says("all as recorded");
}

#[test]
fn what_runs_beside_a_failure_is_still_let_finish() {
    let pipeline = format!(
        "[pipeline]\nname = \"failing\"\n\
         [[stages.x.steps]]\nname = \"fails\"\nuses = \"./asks.wasm\"\nwith = {{ calls = [{{ function = \"timer.sleep\", args = {{ milliseconds = 300 }} }}], then = \"fail\" }}\n\
         [[stages.y.steps]]\n{}\
         [[stages.y.steps]]\nname = \"after\"\nuses = \"./asks.wasm\"\nwith = {{ calls = [], echo = 1 }}\n\
         [stages.z]\nneeds = [\"y\"]\n[[stages.z.steps]]\nname = \"never\"\nuses = \"./asks.wasm\"\nwith = {{ calls = [], echo = 1 }}\n",
        waits("waits"),
    );
    let told = |workspace: &Workspace| {
        let show = workspace.show_json();
        let stages: Vec<_> = show["stages"].as_array().unwrap().iter().map(|stage| stage["status"].clone()).collect();
        (stages, status(&show, "x/fails"), status(&show, "y/waits"), status(&show, "y/after"))
    };
    let undisturbed = nowhere(&pipeline).guest("asks");
    let _ = undisturbed.run(&["run"]).exits(1);
    let workspace = nowhere(&pipeline).guest("asks");
    workspace.killed_at(&["run"], "stage x: failed");
    let _ = workspace.run(&["resume"]).exits(1);
    assert_eq!(told(&workspace), told(&undisturbed));
    let _ = workspace.run(&["replay"]).exits(0);
}

/// The same plugin in other bytes.
fn change(workspace: &Workspace, plugin: &str) {
    let path = workspace.path().join(plugin);
    let mut bytes = std::fs::read(&path).unwrap();
    // A custom section, which nobody reads.
    bytes.extend_from_slice(b"\0\x04\x03new");
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn another_plugin_is_refused_unless_the_step_begins_anew() {
    let pipeline = format!("[pipeline]\nname = \"changed\"\n[[stages.s.steps]]\n{}", waits("t"));
    let workspace = nowhere(&pipeline).guest("asks");
    workspace.killed_in(&["run"], "timer.sleep");
    change(&workspace, "asks.wasm");
    let before = workspace.record();
    let _ = workspace.run(&["resume"]).exits(2).says("asks.wasm").says("--restart-step s/t").says("sha256:");
    let _ = workspace.run(&["resume", "--restart-step", "s/x"]).exits(2).says("s/t");
    assert_eq!(workspace.record(), before);
    workspace.killed_in(&["resume", "--restart-step", "s/t"], "s/t#2.0");
    // Once allowed, it need not be said again.
    let _ = workspace.run(&["resume"]).exits(0);
    let show = workspace.show_json();
    let attempts = show["stages"][0]["steps"][0]["attempts"].as_array().unwrap();
    assert_eq!(attempts.last().unwrap()["attempt"], 2, "{show}");
    let _ = workspace.run(&["replay"]).exits(0);
    change(&workspace, "asks.wasm");
    let _ = workspace.run(&["replay"]).exits(2).says("--with");
}

#[test]
fn a_folder_is_seen_as_it_was_when_the_step_began() {
    let pipeline = "[pipeline]\nname = \"folder\"\n[[stages.s.steps]]\nname = \"looks\"\nuses = \"./observer.wasm\"\nwith = { folder = \"src\", sleep = \"3s\" }\ngrants = { files = { read = [\"src\"] } }\n";
    let workspace = nowhere(pipeline).guest("observer").file("src/a.txt", "one").file("src/b.txt", "two");
    workspace.killed_in(&["run"], "wasi.wait-begun");
    std::thread::sleep(Duration::from_millis(100));
    std::fs::write(workspace.path().join("src/a.txt"), "another").unwrap();
    std::fs::write(workspace.path().join("src/new.txt"), "new").unwrap();
    std::fs::remove_file(workspace.path().join("src/b.txt")).unwrap();
    let resumed = workspace.run(&["resume"]).exits(0).says("`src`").says("has changed");
    for change in ["a.txt changed", "new.txt added", "b.txt removed"] {
        assert!(resumed.all().contains(change), "{resumed:?}");
    }
    let files = workspace.show_json()["stages"][0]["steps"][0]["outputs"]["files"].to_string();
    assert!(files.contains("a.txt") && files.contains("b.txt") && !files.contains("new.txt"), "{files}");
    std::fs::remove_dir_all(workspace.path().join("src")).unwrap();
    let _ = workspace.run(&["replay"]).exits(0).says("all as recorded");
    let left = workspace.path().join(".windlass/staging");
    assert!(!left.exists() || left.read_dir().unwrap().next().is_none(), "what was written again is gone");
}

#[test]
fn a_limit_counts_only_the_time_in_which_somebody_worked_on_the_step() {
    let pipeline = "[pipeline]\nname = \"limited\"\n[[stages.s.steps]]\nname = \"t\"\nuses = \"builtin:command\"\ntimeout = \"3s\"\non-crash = \"repeat\"\nwith = { run = [\"sh\", \"-c\", \"echo ready; sleep 1\"] }\ngrants = { process = [\"sh\"], env = [\"PATH\"] }\n";
    let workspace = nowhere(pipeline);
    workspace.killed_at(&["run"], "| ready");
    // The time that passes is what the test is about.
    std::thread::sleep(Duration::from_millis(3200));
    let _ = workspace.run(&["resume"]).exits(0);
}

#[test]
fn what_was_printed_before_the_kill_is_printed_once() {
    let pipeline = format!(
        "[pipeline]\nname = \"printed\"\n[[stages.s.steps]]\n{}",
        waits("t").replace("with = {", "with = { say = \"said at the start\", summary = \"said at the end\",")
    );
    let workspace = nowhere(&pipeline).guest("asks");
    workspace.killed_in(&["run"], "timer.sleep");
    let _ = workspace.run(&["resume"]).exits(0);
    let log = workspace.run(&["logs"]).exits(0).stdout;
    for line in ["said at the start", "said at the end"] {
        assert_eq!(log.matches(line).count(), 1, "{log}");
    }
}
