//! What is printed when a run is over.

use windlass_journal::{FailureKind, RunState, Status};

use super::story::{Output, Story, cancelled, failure, resumed, success};
use crate::json::{RunJson, push_line};
use crate::show::{self, ShowOptions};
use crate::style::{Format, Style};
use crate::summary;

fn state(story: &Story) -> RunState {
    story.model().status.map_or(RunState::Interrupted, RunState::Ended)
}

fn summed(story: &Story, style: Style) -> String {
    summary::human(&story.model(), state(story), style, &|offset, len| story.read(offset, len)).unwrap()
}

fn shown(story: &Story) -> String {
    show::human(&story.model(), state(story), Style::default(), &|offset, len| story.read(offset, len)).unwrap()
}

fn calls(story: &Story, format: Format) -> String {
    let mut output = Output::default();
    let options = ShowOptions { format, calls: true, ..ShowOptions::default() };
    show::calls(&story.model(), story.entries.iter().cloned().map(Ok), options, &mut output).unwrap();
    output.text()
}

#[test]
fn summary_of_success() {
    insta::assert_snapshot!(summed(&success(), Style::default()));
}

#[test]
fn summary_of_failure() {
    insta::assert_snapshot!(summed(&failure(), Style::default()));
}

#[test]
fn summary_of_failure_in_colour() {
    let text = summed(&failure(), Style { color: true, ..Style::default() });
    insta::assert_snapshot!(text.replace('\x1b', "␛"));
}

#[test]
fn summary_of_a_cancelled_run() {
    insta::assert_snapshot!(summed(&cancelled(), Style::default()));
}

#[test]
fn summary_of_an_interrupted_run() {
    let mut story = success();
    story.entries.truncate(8);
    insta::assert_snapshot!(summed(&story, Style::default()));
}

#[test]
fn summary_of_a_large_run_is_short() {
    let mut story = Story::new(3000, 9000);
    for stage in 0..100 {
        story.stage(stage, &format!("stage-{stage}"));
        for step in 0..3 {
            let index = stage * 3 + step;
            story.step(index, 1, stage, &format!("job-{step}")).wait(10);
            match index % 30 {
                29 => story.fail(index, 1, FailureKind::Failed, "no", None),
                _ => story.ok(index, 1, &[("n", index.into())]),
            };
        }
        let status = if stage % 10 == 9 { Status::Failed } else { Status::Succeeded };
        story.stage_end(stage, &format!("stage-{stage}"), status);
    }
    for stage in 100..3000 {
        story.stage_end(stage, &format!("stage-{stage}"), Status::Skipped);
    }
    story.end(Status::Failed, 1);
    let text = summed(&story, Style::default());
    assert!(text.lines().count() < 250, "{}", text.lines().count());
    for more in [
        "... and 2890 more skipped stages: windlass show k3v0c2mtx4",
        "... and 5 more failed steps: windlass show k3v0c2mtx4",
        "... and 260 more outputs: windlass show k3v0c2mtx4",
    ] {
        assert!(text.contains(more), "{text}");
    }
    assert!(text.contains("failed       job-2"), "{text}");
    assert!(!text.contains("succeeded    job"), "{text}");
}

#[test]
fn show_of_failure() {
    insta::assert_snapshot!(shown(&failure()));
}

#[test]
fn show_lists_calls() {
    insta::assert_snapshot!(calls(&failure(), Format::Human));
}

#[test]
fn show_lists_calls_as_json() {
    insta::assert_snapshot!(calls(&failure(), Format::Json));
}

#[test]
fn show_of_a_resumed_run() {
    insta::assert_snapshot!(shown(&resumed()) + &calls(&resumed(), Format::Human));
}

#[test]
fn calls_of_a_resumed_run_as_json() {
    insta::assert_snapshot!(calls(&resumed(), Format::Json));
}

#[test]
fn show_as_json() {
    let mut text = String::new();
    push_line(&mut text, &RunJson::new(&success().model(), RunState::Ended(Status::Succeeded)));
    assert_eq!(text.lines().count(), 1);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}
