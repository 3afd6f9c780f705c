//! People decide about what waits, from another process, and runs are cancelled from one.

use nix::sys::signal::Signal;
use windlass_tests::{Engine, Workspace};

/// Two stages, the second of which waits.
const SHOP: &str = r#"
[pipeline]
name = "shop"
[vars]
to = "nowhere"
[environments.live]
vars = { to = "the shop" }

[stages.build]
[[stages.build.steps]]
uses = "builtin:command"
with = { run = ["echo", "it is built"] }
grants = { process = ["echo"] }

[stages.deploy]
needs = ["build"]
approval = { message = "send it to ${vars.to}?" }
[[stages.deploy.steps]]
uses = "builtin:command"
with = { run = ["echo", "sent to ${vars.to}"] }
grants = { process = ["echo"] }

[stages.after]
needs = ["deploy"]
[[stages.after.steps]]
uses = "builtin:command"
with = { run = ["echo", "all done"] }
grants = { process = ["echo"] }
"#;

/// A step that waits, and fails unless it was granted.
const STEP: &str = r#"
[pipeline]
name = "step"
[stages.canary]
[[stages.canary.steps]]
uses = "./asks.wasm"
timeout = "5s"
with.calls = [
    { function = "process.run", args = { command = { program = "sh", args = ["-c", "echo once >> made"], env = [] } }, or = "fail" },
    { function = "approval.wait", args = { message = "more traffic?" }, or = "fail" },
    { function = "log.log", args = { level = "info", message = "decided" } },
]
grants = { approval = true, process = ["sh"], env = ["PATH"] }
"#;

fn states(workspace: &Workspace) -> String {
    workspace.run(&["runs"]).exits(0).stdout
}

#[test]
fn somebody_approves_while_the_run_waits() {
    let workspace = Workspace::new(SHOP);
    let mut running = workspace.start(&["run", "--wait", "--env", "live"]);
    running.until("stage deploy: waits for approval: send it to the shop?");
    running.until("windlass approve");
    assert!(states(&workspace).contains("running"));
    let _ = workspace.run(&["approve", "latest", "deploy", "--reason", "looks good"]).exits(0).says("approved by");
    let _ = running.finish().exits(0).says("looks good").says("sent to the shop").says("all done");
    let show = workspace.show_json();
    let decision = &show["approvals"][0]["decisions"][0];
    assert_eq!((&decision["approved"], &decision["why"]), (&true.into(), &"looks good".into()), "{show}");
    assert!(decision["by"].as_str().unwrap().contains('@'), "{decision}");
    let _ = workspace.run(&["replay"]).exits(0).says("all as recorded");
}

#[test]
fn a_run_that_only_waits_ends_with_code_5_and_goes_on_when_somebody_has_decided() {
    let workspace = Workspace::new(SHOP);
    let _ = workspace.run(&["run", "--env", "live"]).exits(5).says("it waits for a decision");
    assert!(states(&workspace).contains("waiting"), "{}", states(&workspace));
    let _ = workspace.run(&["resume"]).exits(5).says("windlass approve");
    let _ = workspace.run(&["approve", "latest", "deploy"]).exits(0).says("windlass resume");
    // The environment is that with which the run was begun.
    let finished = workspace.run(&["resume"]).exits(0).says("sent to the shop");
    assert!(!finished.all().contains("step build/command: started"), "{finished:?}");
    let _ = workspace.run(&["resume", "latest"]).says("ended");
    let _ = workspace.run(&["approve", "latest", "deploy"]).exits(2).says("is over");
    let _ = workspace.run(&["cancel", "latest"]).exits(2).says("is over");
}

#[test]
fn ci_and_pipes_do_not_wait_and_a_person_may_say_otherwise() {
    let workspace = Workspace::new(SHOP).env("CI", "true");
    let _ = workspace.run(&["run", "--quiet", "--no-locked"]).exits(5);
    let mut running = workspace.start(&["run", "--no-locked", "--no-wait", "--wait"]);
    running.until("waits for approval");
    let _ = workspace.run(&["approve", "latest", "deploy"]).exits(0);
    let _ = running.finish().exits(0);
}

#[test]
fn somebody_says_no() {
    let workspace = Workspace::new(SHOP);
    let _ = workspace.run(&["run"]).exits(5);
    let _ = workspace.run(&["reject", "latest", "deploy"]).exits(2).says("--reason");
    let _ = workspace.run(&["reject", "latest", "deploy", "--reason", "not on a Friday"]).exits(0);
    let finished = workspace.run(&["resume"]).exits(1).says("rejected by").says("not on a Friday");
    assert!(!finished.all().contains("sent to"), "{finished:?}");
    let show = workspace.show_json();
    assert_eq!((&show["stages"][1]["status"], &show["stages"][2]["status"]), (&"failed".into(), &"skipped".into()));
}

#[test]
fn a_decision_may_come_before_the_stage_waits() {
    let pipeline =
        SHOP.replace(r#"["echo", "it is built"]"#, r#"["sh", "-c", "while [ ! -e go ]; do sleep 0.05; done"]"#);
    let pipeline = pipeline.replacen(r#"process = ["echo"]"#, r#"process = ["sh"], env = ["PATH"]"#, 1);
    let workspace = Workspace::new(&pipeline);
    let mut running = workspace.start(&["run"]);
    running.until("step build/command: started");
    let _ = workspace.run(&["approve", "latest", "build"]).exits(2).says("does not wait for a decision");
    let _ = workspace.run(&["approve", "latest", "dploy"]).exits(2).says("its stages are: build, deploy, after");
    let _ = workspace.run(&["approve", "latest", "deploy"]).exits(0);
    running.until("stage deploy: approved by");
    let _ = workspace.run(&["reject", "latest", "deploy", "--reason", "late"]).exits(2).says("has approved stage");
    std::fs::write(workspace.path().join("go"), "").unwrap();
    let finished = running.finish().exits(0);
    assert!(!finished.all().contains("waits for approval"), "{finished:?}");
}

#[test]
fn of_several_who_decide_at_once_one_is_heard() {
    let workspace = Workspace::new(SHOP);
    let mut running = workspace.start(&["run", "--wait"]);
    running.until("waits for approval");
    let deciders: Vec<_> = (0..6)
        .map(|number| {
            let reason = format!("reason {number}");
            let word = if number % 2 == 0 { "approve" } else { "reject" };
            workspace.start(&[word, "latest", "deploy", "--reason", &reason])
        })
        .collect();
    let codes: Vec<_> = deciders.into_iter().map(|decider| decider.finish().code).collect();
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    let winner = codes.iter().position(|code| *code == 0).unwrap();
    let _ = running.finish().exits(if winner % 2 == 0 { 0 } else { 1 }).says(&format!("reason {winner}"));
    assert_eq!(workspace.show_json()["approvals"][0]["decisions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_run_that_was_killed_while_it_waited_goes_on() {
    let workspace = Workspace::new(SHOP);
    let mut running = workspace.start(&["run", "--wait"]);
    running.until("waits for approval");
    running.signal(Signal::SIGKILL);
    let _ = running.finish();
    assert!(states(&workspace).contains("interrupted"));
    let _ = workspace.run(&["resume"]).exits(5);
    let _ = workspace.run(&["approve", "latest", "deploy"]).exits(0);
    let _ = workspace.run(&["resume"]).exits(0).says("sent to nowhere");
}

#[test]
fn a_run_is_cancelled_from_another_process() {
    let workspace = Workspace::new(SHOP);
    let mut running = workspace.start(&["run", "--wait"]);
    running.until("waits for approval");
    let _ = workspace.run(&["cancel", "latest"]).exits(0).says("cancelled");
    let _ = running.finish().exits(130).says("cancel requested");

    let slow = SHOP.replace(r#"["echo", "it is built"]"#, r#"["sleep", "1000"]"#);
    let workspace =
        Workspace::new(&slow.replacen(r#"process = ["echo"]"#, r#"process = ["sleep"], env = ["PATH"]"#, 1));
    let mut running = workspace.start(&["run"]);
    running.until("step build/command: started");
    let _ = workspace.run(&["cancel", "latest", "--no-wait"]).exits(0).says("asked to end");
    let _ = running.finish().exits(130);
}

#[test]
fn a_run_that_nobody_works_on_ends_when_it_is_resumed_after_a_cancel() {
    let workspace = Workspace::new(SHOP);
    let _ = workspace.run(&["run"]).exits(5);
    let _ = workspace.run(&["cancel", "latest"]).exits(0).says("it ends when it is resumed");
    let _ = workspace.run(&["resume"]).exits(130);
    let show = workspace.show_json();
    assert_eq!((&show["state"], &show["stages"][1]["status"]), (&"cancelled".into(), &"skipped".into()), "{show}");
}

#[test]
fn what_does_not_need_the_decision_is_done_meanwhile() {
    let pipeline = format!(
        "{SHOP}\n[stages.aside]\n[[stages.aside.steps]]\nuses = \"builtin:command\"\n\
         with = {{ run = [\"sh\", \"-c\", \"sleep 0.5; echo aside is done\"] }}\n\
         grants = {{ process = [\"sh\"], env = [\"PATH\"] }}\n"
    );
    let workspace = Workspace::new(&pipeline);
    let _ = workspace.run(&["run", "--jobs", "1"]).exits(5).says("aside is done");
}

#[test]
fn a_step_waits_and_goes_on_where_it_was() {
    let workspace = Workspace::new(STEP).guest("asks");
    let _ = workspace.run(&["run"]).exits(5).says("stage canary: waits for approval: more traffic?");
    assert!(states(&workspace).contains("waiting"));
    let _ = workspace.run(&["approve", "latest", "canary", "--reason", "go"]).exits(0);
    let _ = workspace.run(&["resume"]).exits(0).says("decided");
    let made = std::fs::read_to_string(workspace.path().join("made")).unwrap();
    assert_eq!(made, "once\n", "what came before the wait is not done again");
    let show = workspace.show(&["--calls"]);
    assert!(show.contains(r#""approved":true"#) && show.contains(r#""reason":"go""#), "{show}");
    let _ = workspace.run(&["replay"]).exits(0).says("all as recorded");
}

#[test]
fn a_step_is_told_that_somebody_said_no_and_decides_itself() {
    let workspace = Workspace::new(STEP).guest("asks");
    let mut running = workspace.start(&["run", "--wait"]);
    running.until("waits for approval");
    let _ = workspace.run(&["reject", "latest", "canary", "--reason", "slow"]).exits(0);
    let _ = running.finish().exits(0);
    assert!(workspace.show(&["--calls"]).contains(r#""approved":false"#));
    let _ = workspace.run(&["approve", "latest", "canary"]).exits(2);
}

#[test]
fn the_time_in_which_people_think_is_not_that_of_the_step_or_the_run() {
    let pipeline = STEP
        .replace("timeout = \"5s\"", "timeout = \"2s\"")
        .replace("name = \"step\"", "name = \"step\"\ntimeout = \"2s\"");
    let workspace = Workspace::new(&pipeline).guest("asks");
    let mut running = workspace.start(&["run", "--wait"]);
    running.until("waits for approval");
    std::thread::sleep(std::time::Duration::from_millis(2500));
    let _ = workspace.run(&["approve", "latest", "canary"]).exits(0);
    let _ = running.finish().exits(0);
}

#[test]
fn a_step_that_was_killed_while_it_waited_waits_again() {
    let workspace = Workspace::new(STEP).guest("asks");
    let mut running = workspace.start(&["run", "--wait"]);
    running.until("waits for approval");
    running.signal(Signal::SIGKILL);
    let _ = running.finish();
    // Decided while nobody works on the run.
    let _ = workspace.run(&["approve", "latest", "canary"]).exits(0);
    let _ = workspace.run(&["resume"]).exits(0).says("decided");
    assert_eq!(std::fs::read_to_string(workspace.path().join("made")).unwrap(), "once\n");
}

#[test]
fn a_step_that_is_not_granted_to_wait_does_not() {
    let workspace = Workspace::new(&STEP.replace("approval = true, ", "")).guest("asks");
    let _ = workspace.run(&["run"]).exits(3).says("add `approval = true` to `grants`");
}

#[test]
fn engine_containers_stay_while_the_run_waits() {
    let pipeline = r#"
[pipeline]
name = "approvals-stay"
[stages.image]
[[stages.image.steps]]
uses = "builtin:image"
with = { context = "box", tag = "approvals-box:1" }
grants = { docker = { build = ["box"], tag = ["approvals-box"] } }
[stages.trial]
needs = ["image"]
environment = "trial"
[[stages.trial.steps]]
uses = "builtin:service"
with = { name = "approvals-web", image = "approvals-box:1", command = ["/bin/sleep", "1000"] }
grants = { docker = { run = ["approvals-box"] } }
[stages.deploy]
needs = ["trial"]
approval = true
[[stages.deploy.steps]]
uses = "builtin:command"
with = { run = ["echo", "deployed"] }
grants = { process = ["echo"] }
[environments.trial]
"#;
    let workspace = Workspace::new(pipeline).busybox();
    let engine = Engine::get();
    let _ = workspace.run(&["run"]).exits(5);
    let run = workspace.run_id();
    let left = engine.left_by(&run);
    assert_eq!(left.len(), 1, "{left:?}");
    let filters =
        "%7B%22label%22%3A%5B%22windlass.environment%3Dtrial%22%2C%22windlass.pipeline%3Dapprovals-stay%22%5D%7D";
    let labelled = engine.get_json(&format!("/containers/json?all=1&filters={filters}"));
    assert_eq!(labelled.as_array().unwrap().len(), 1, "{labelled}");
    let _ = workspace.run(&["reject", &run, "deploy", "--reason", "no"]).exits(0);
    let _ = workspace.run(&["resume", &run]).exits(1);
    assert_eq!(engine.left_by(&run), Vec::<String>::new());
}
