//! `windlass resume`.

use crate::run::host;
use crate::run_signals::{signal, until};
use crate::support::{Done, Folder, HELLO, snapshot};

/// A program that waits the first time, and ends at once the second time.
const ONCE: &str = r#"["sh", "-c", "test -e ran && exit 0; touch ran; echo ready; exec sleep 60"]"#;

/// A run whose runner was killed while a program ran for it.
fn killed(pipeline: &str) -> Folder {
    let folder = Folder::with(pipeline);
    let mut child = folder.start(&["run"]);
    until(&mut child, "| ready");
    signal(&child, "-KILL");
    folder.wait(child);
    folder
}

/// Says `somebody` for whoever runs the tests.
fn resume(folder: &Folder, args: &[&str]) -> Done {
    folder.windlass(&[&["resume"], args].concat())
}

#[test]
fn what_nobody_but_a_person_can_know_is_asked() {
    snapshot!(resume(&killed(&host(ONCE, "sh")), &[]));
}

#[test]
fn programs_are_asked_in_json() {
    let folder = killed(&host(ONCE, "sh"));
    let done = resume(&folder, &["--format", "json"]).exits(5);
    assert_eq!(done.err, "");
    let value = done.json().remove(0);
    assert_eq!((&value["run"], &value["exit-code"]), (&folder.runs().remove(0).into(), &5.into()));
    let question = &value["questions"][0];
    assert_eq!((&question["step"], &question["function"]), (&"s/t".into(), &"process.run".into()));
    assert_eq!(question["args"]["command"]["args"][0], "-c");
}

#[test]
fn done_ends_the_call() {
    snapshot!(resume(&killed(&host(ONCE, "sh")), &["--answer", "done"]));
}

#[test]
fn repeat_makes_it_again() {
    snapshot!(resume(&killed(&host(ONCE, "sh")), &["--answer", "s/t=repeat"]));
}

#[test]
fn every_line_of_json_is_a_value() {
    let values = resume(&killed(&host(ONCE, "sh")), &["--answer", "done", "--format", "json"]).exits(0).json();
    assert!(values.iter().any(|value| value["event"] == "run-resumed"), "{values:?}");
    assert!(values.iter().any(|value| value["event"] == "in-doubt-answered" && value["answer"] == "done"));
    assert_eq!(values.last().unwrap()["state"], "succeeded");
}

#[test]
fn nonsense_is_no_answer() {
    let folder = killed(&host(ONCE, "sh"));
    snapshot!(resume(&folder, &["--answer", "perhaps"]));
    resume(&folder, &["--answer", "s/u=done"]).exits(2).says("there is no step `s/u`").says("its steps are: s/t");
    resume(&folder, &["--restart-step", "t"]).exits(2).says("there is no step `t`");
    resume(&folder, &[]).exits(5);
}

#[test]
fn a_question_about_several_steps_says_how_to_answer_for_one() {
    let mut pipeline = "[pipeline]\nname = \"p\"\n".to_owned();
    for stage in ["a", "b"] {
        pipeline += &format!(
            "[[stages.{stage}.steps]]\nname = \"t\"\nuses = \"builtin:command\"\nwith = {{ run = [\"sh\", \"-c\", \"touch {stage}; while ! test -e a -a -e b; do sleep 0.01; done; echo ready; exec sleep 60\"] }}\ngrants = {{ process = [\"sh\"], env = [\"PATH\"] }}\n"
        );
    }
    let folder = killed(&pipeline);
    resume(&folder, &[]).exits(5).says("step a/t").says("step b/t").says("--answer a/t=done --answer b/t=done");
    // One answer leaves the other question open.
    resume(&folder, &["--answer", "a/t=done"]).exits(5);
    resume(&folder, &["--answer", "a/t=done", "--answer", "b/t=done"]).exits(0);
}

#[test]
fn without_an_interrupted_run_there_is_nothing_to_do() {
    Folder::with(HELLO).windlass(&["resume"]).exits(2).says("windlass run");
    let folder = Folder::with(HELLO);
    folder.windlass(&["run"]).exits(0);
    snapshot!(resume(&folder, &[]));
    resume(&folder, &[&folder.runs()[0]]).exits(2).says("has ended");
    resume(&folder, &["--answer", "done"]).exits(2);
}

#[test]
fn a_run_that_is_alive_is_left_alone() {
    let folder = Folder::with(&host(ONCE, "sh"));
    let mut child = folder.start(&["run"]);
    until(&mut child, "| ready");
    resume(&folder, &[&folder.runs()[0]]).exits(2).says("is alive");
    signal(&child, "-INT");
    folder.wait(child).exits(130);
}

#[test]
fn a_new_run_says_that_an_old_one_was_interrupted() {
    let folder = killed(&host(ONCE, "sh"));
    let open = folder.runs().remove(0);
    let done = folder.windlass(&["run"]).exits(0);
    assert!(done.err.contains(&format!("run {open} of this pipeline was interrupted")), "{}", done.err);
    folder.windlass(&["run", "--quiet"]).exits(0).says_nothing();
    folder.windlass(&["resume"]).exits(5).says(&open);
}

/// A program that is given a secret and prints it, and is killed the first time.
const PRINTS: &str = r#"[pipeline]
name = "p"
[secrets]
token = { env = "TOK" }
[[stages.s.steps]]
name = "t"
uses = "builtin:command"
on-crash = "repeat"
with = { run = ["sh", "-c", "echo it is s3cr3tvalue; test -e ran && exit 0; touch ran; echo ready; exec sleep 60"], env = { TOK = { secret = "token" } } }
grants = { process = ["sh"], secrets = ["token"] }
"#;

fn killed_with(folder: &Folder) {
    let mut child = folder.start(&["run"]);
    until(&mut child, "| ready");
    signal(&child, "-KILL");
    child.wait().unwrap();
}

#[test]
fn a_run_does_not_go_on_with_another_secret_than_the_one_it_used() {
    let mut folder = Folder::with(PRINTS).env("TOK", "s3cr3tvalue");
    killed_with(&folder);
    for now in ["another", ""] {
        folder = folder.env("TOK", now);
        let changed = folder.windlass(&["resume"]);
        let id = folder.runs().remove(0);
        changed
            .exits(2)
            .says("secret `token`")
            .says("put the old value back until the run has ended")
            .says(&format!("windlass resume {id} --forget-secret token"));
    }
}

#[test]
fn a_secret_that_is_as_it_was_is_taken_out_after_a_resume() {
    let folder = Folder::with(PRINTS).env("TOK", "s3cr3tvalue");
    killed_with(&folder);
    folder.windlass(&["resume", "--forget-secret", "other"]).exits(2).says("has not used a secret `other`");
    let done = folder.windlass(&["resume"]).exits(0).says("it is ***");
    let all = done.out + &done.err;
    assert!(!all.contains("s3cr3tvalue"), "{all}");
}

#[test]
fn a_secret_may_be_forgotten_and_that_is_noted() {
    let folder = Folder::with(PRINTS).env("TOK", "s3cr3tvalue");
    killed_with(&folder);
    let folder = folder.env("TOK", "another");
    folder.windlass(&["resume", "--forget-secret", "token"]).exits(0).says("secret `token` has another value");
}

#[test]
fn changed_variables_are_named_with_who_sees_what() {
    let step = |name: &str, run: &str| {
        format!(
            "[[stages.s.steps]]\nname = \"{name}\"\nuses = \"builtin:command\"\non-crash = \"repeat\"\nwith = {{ run = [\"sh\", \"-c\", \"{run}\"] }}\ngrants = {{ process = [\"sh\"], env = [\"RVB\", \"RVC\"] }}\n"
        )
    };
    let pipeline = "[pipeline]\nname = \"p\"\n".to_owned()
        + &step("t", "test -e ran && exit 0; touch ran; echo ready; exec sleep 60")
        + &step("u", "echo later");
    let folder = Folder::with(&pipeline).env("RVB", "uno").env("RVC", "same");
    killed_with(&folder);
    let done = folder.env("RVB", "dos").windlass(&["resume"]).exits(0);
    let all = done.out + &done.err;
    let note = all.lines().find(|line| line.contains("granted variables")).unwrap().to_owned();
    assert!(note.contains("`RVB`") && !note.contains("RVC"), "{note}");
    assert!(note.contains("as they were for s/t; as they are now for s/u"), "{note}");
}

#[test]
fn an_edited_pipeline_is_pointed_out() {
    let folder = killed(&host(ONCE, "sh"));
    let goes_on = "the run goes on with the pipeline as it was";
    let asked = resume(&folder, &[]).exits(5);
    assert!(!asked.err.contains(goes_on), "{}", asked.err);
    std::fs::remove_file(folder.path().join("pipeline.toml")).unwrap();
    resume(&folder, &[]).exits(5).says("cannot be read any more").says(goes_on);
    let folder = folder.file("pipeline.toml", HELLO);
    resume(&folder, &[]).exits(5).says("has changed since the run began").says(goes_on);
    let quiet = resume(&folder, &["--quiet"]);
    assert!(!quiet.err.contains(goes_on), "{}", quiet.err);
}
