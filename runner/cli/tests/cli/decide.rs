//! `windlass approve` and `windlass reject`. What a live run does of it is tested end to end.

use crate::support::{Folder, HELLO, snapshot};

/// A stage that waits, and one that does not.
pub(crate) const SHOP: &str = r#"[pipeline]
name = "shop"
[vars]
to = "nowhere"
[environments.live]
vars = { to = "the shop" }
[stages.deploy]
environment = "live"
approval = { message = "send it to ${vars.to}?" }
[[stages.deploy.steps]]
uses = "builtin:command"
with = { run = ["echo", "sent to ${vars.to}"] }
grants = { process = ["echo"] }
[stages.after]
needs = ["deploy"]
[[stages.after.steps]]
uses = "builtin:command"
with = { run = ["echo", "${environment:-no environment}"] }
grants = { process = ["echo"] }
"#;

#[test]
fn help_says_when_a_decision_is_taken() {
    snapshot!(Folder::new().windlass(&["approve", "--help"]));
    snapshot!(Folder::new().windlass(&["reject", "--help"]));
}

#[test]
fn the_plan_shows_environments_and_what_waits() {
    snapshot!(Folder::with(SHOP).windlass(&["plan"]));
    let plan = &Folder::with(SHOP).windlass(&["plan", "--env", "live", "--format", "json"]).exits(0).json()[0];
    assert_eq!(plan["stages"][0]["approval"], "send it to the shop?");
    assert_eq!(plan["stages"][1]["environment"], "live");
    Folder::with(SHOP).windlass(&["check", "--env", "liv"]).exits(2).says("did you mean `live`?");
    Folder::with(HELLO).windlass(&["run", "--env", "live"]).exits(2).says("the pipeline has no environments");
}

#[test]
fn a_run_that_waits_says_what_to_do() {
    let folder = Folder::with(SHOP);
    let done = folder.windlass(&["run", "--env", "live"]).exits(5);
    snapshot!(done);
    let run = &folder.windlass(&["runs", "--format", "json"]).exits(0).json()[0];
    assert_eq!((&run["state"], run.get("exit-code")), (&"waiting".into(), None));
    let show = &folder.windlass(&["show", "--format", "json"]).exits(0).json()[0];
    assert_eq!((&show["approvals"][0]["waits"], &show["environment"]), (&true.into(), &"live".into()));
    let decided = folder.windlass(&["approve", "latest", "deploy", "--format", "json"]).exits(0).json();
    assert_eq!((&decided[0]["decision"], &decided[0]["stage"]), (&"approved".into(), &"deploy".into()));
    folder.windlass(&["resume"]).exits(0).says("sent to the shop").says("| live");
}

#[test]
fn what_cannot_be_decided_is_told() {
    let folder = Folder::with(SHOP);
    folder.windlass(&["run", "-q"]).exits(5);
    folder.windlass(&["approve", "latest", "depoy"]).exits(2).says("its stages are: deploy, after");
    folder.windlass(&["approve", "latest", "after"]).exits(2).says("does not wait for a decision");
    folder.windlass(&["reject", "latest", "deploy"]).exits(2).says("--reason");
    folder.windlass(&["reject", "latest", "deploy", "--reason", " "]).exits(2).says("the reason is empty");
    folder.windlass(&["reject", "latest", "deploy", "--reason", "no"]).exits(0);
    folder.windlass(&["approve", "latest", "deploy"]).exits(2).says("has rejected stage `deploy`").says("already: no");
    folder.windlass(&["resume", "-q"]).exits(1).says("rejected by");
    folder.windlass(&["approve", "latest", "deploy"]).exits(2).says("is over");
}
