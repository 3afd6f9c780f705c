//! Large runs stay cheap: rendering happens between two commits of the journal.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use windlass_journal::Status;

use super::story::{Output, Story};
use crate::live::{LiveOptions, live};
use crate::style::{Format, Style};

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

/// An output that takes nothing until it is told to.
struct Paused(Receiver<()>, Output);

impl Write for Paused {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // It goes on when the other end is dropped.
        let _ = self.0.recv();
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_does_not_read_holds_nothing_up() {
    let mut story = Story::new(1, 1);
    story.stage(0, "build").step(0, 1, 0, "image");
    for _ in 0..200 {
        story.out(0, &"0123456789abcde\n".repeat(4096));
    }
    story.ok(0, 1, &[]).end(Status::Succeeded, 0);
    for format in [Format::Human, Format::Json] {
        let output = Output::default();
        let (go, paused) = channel();
        let mut observer =
            live(LiveOptions { format, ..LiveOptions::default() }, Box::new(Paused(paused, output.clone())));
        // It returns, although nothing is written; and it does not keep all of it.
        story.feed(&mut *observer, 1);
        drop(go);
        drop(observer);
        let text = output.text();
        assert!(text.len() < 10 << 20, "{}", text.len());
        match format {
            Format::Human => {
                assert!(text.contains("note: the output did not keep up, "), "{text:.2000}");
                assert!(text.contains("step build/image: succeeded"), "what matters is there");
            }
            Format::Json => assert_eq!(text.lines().count(), story.entries.len(), "every event is there"),
        }
    }
}
