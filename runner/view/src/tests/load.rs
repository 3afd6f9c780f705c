//! Large runs stay cheap: rendering happens between two commits of the journal.

use std::time::Instant;

use windlass_journal::Status;

use super::story::{Output, Story};
use crate::live::{LiveOptions, live};
use crate::style::Style;

#[test]
fn ten_thousand_steps() {
    let mut story = Story::new(100, 10_000);
    for stage in 0..100 {
        let name = format!("stage-{stage}");
        story.stage(stage, &name);
        for step in stage * 100..(stage + 1) * 100 {
            story.step(step, 1, stage, &format!("job-{step}")).out(step, "one line\n").wait(1).ok(step, 1, &[]);
        }
        story.stage_end(stage, &name, Status::Succeeded);
    }
    story.end(Status::Succeeded, 0);
    for live_terminal in [false, true] {
        let style = Style { live: live_terminal, ..Style::default() };
        let output = Output::default();
        let mut observer = live(LiveOptions { style, ..LiveOptions::default() }, Box::new(output.clone()));
        let begin = Instant::now();
        story.feed(&mut *observer, 500);
        let took = begin.elapsed();
        drop(observer);
        // In a debug build on a busy machine; it is a hundred times less when released.
        assert!(took.as_secs() < 5, "{took:?}");
        let lines = output.text().lines().count();
        assert!(lines <= 3 * 10_000 + 1000, "{lines}");
    }
}
