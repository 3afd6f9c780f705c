//! What is printed while a run goes on.

use serde_json::Value;
use windlass_journal::{LogChunk, LogView, Status, Stream};

use super::story::{Output, START, Story, cancelled, failure, success, waits};
use crate::live::{LiveOptions, block_of, live};
use crate::style::{Format, Style};

fn printed(story: &Story, options: LiveOptions) -> String {
    let output = Output::default();
    let mut observer = live(options, Box::new(output.clone()));
    story.feed(&mut *observer, 3);
    drop(observer);
    output.text()
}

#[test]
fn plain_success() {
    insta::assert_snapshot!(printed(&success(), LiveOptions::default()));
}

#[test]
fn plain_failure() {
    insta::assert_snapshot!(printed(&failure(), LiveOptions::default()));
}

#[test]
fn plain_cancelled() {
    insta::assert_snapshot!(printed(&cancelled(), LiveOptions::default()));
}

#[test]
fn plain_waiting() {
    insta::assert_snapshot!(printed(&waits(), LiveOptions::default()));
}

#[test]
fn plain_lines_do_not_depend_on_the_batches() {
    let story = success();
    let whole = printed(&story, LiveOptions::default());
    for size in [1, 7, 1000] {
        let output = Output::default();
        let mut observer = live(LiveOptions::default(), Box::new(output.clone()));
        story.feed(&mut *observer, size);
        drop(observer);
        assert_eq!(output.text(), whole);
    }
}

#[test]
fn quiet_prints_nothing() {
    for format in [Format::Human, Format::Json] {
        assert_eq!(printed(&success(), LiveOptions { format, quiet: true, ..LiveOptions::default() }), "");
    }
}

#[test]
fn a_resumed_run_knows_its_names() {
    let mut story = Story::new(1, 2);
    story.stage(0, "build").step(0, 1, 0, "image").out(0, "before\n");
    let before = story.model();
    let done = story.entries.len();
    story.wait(60_000).out(0, "after\n").wait(1000).ok(0, 1, &[]);
    story.entries.drain(..done);
    insta::assert_snapshot!(printed(&story, LiveOptions { before, ..LiveOptions::default() }));
}

#[test]
fn json_is_one_event_a_line() {
    let text = printed(&success(), LiveOptions { format: Format::Json, ..LiveOptions::default() });
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert!(event["event"].is_string() && event["seq"].is_u64() && event["at"].is_u64(), "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn an_output_that_fails_does_not_stop_the_run() {
    struct Broken;
    impl std::io::Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    for live_terminal in [false, true] {
        let style = Style { live: live_terminal, ..Style::default() };
        let mut observer = live(LiveOptions { style, ..LiveOptions::default() }, Box::new(Broken));
        success().feed(&mut *observer, 1);
    }
}

/// What a terminal shows in the end: lines that were drawn over are gone.
fn screen(written: &str) -> String {
    let mut lines = vec![String::new()];
    let mut rest = written;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\n' => lines.push(String::new()),
            '\r' => {}
            '\x1b' => {
                let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                let (sequence, after) = rest.split_at(end + 1);
                rest = after;
                match sequence.as_bytes() {
                    [b'[', n @ .., b'A'] => {
                        let up: usize = std::str::from_utf8(n).unwrap().parse().unwrap();
                        lines.truncate(lines.len() - up);
                    }
                    [b'[', b'J'] => lines.last_mut().unwrap().clear(),
                    [b'[', b'?', .., b'h' | b'l'] => {}
                    other => panic!("unexpected sequence {:?}", String::from_utf8_lossy(other)),
                }
            }
            c => lines.last_mut().unwrap().push(c),
        }
    }
    lines.join("\n")
}

#[test]
fn a_terminal_keeps_only_what_stays() {
    let story = failure();
    let style = Style { live: true, width: 60, color: false };
    let output = Output::default();
    let mut observer = live(LiveOptions { style, ..LiveOptions::default() }, Box::new(output.clone()));
    let chunks = [LogChunk { offset: 0, bytes: story.log.clone() }];
    let (build, deploy) = story.entries.split_at(8);
    observer.committed(build, &LogView::new(&chunks));
    output.wait_for("1 of 3 steps");
    observer.committed(deploy, &LogView::new(&chunks));
    drop(observer);
    insta::assert_snapshot!(screen(&output.text()));
}

#[test]
fn a_verbose_terminal_has_the_log_lines_too() {
    let style = Style { live: true, width: 60, color: false };
    let text = screen(&printed(&success(), LiveOptions { style, verbose: true, ..LiveOptions::default() }));
    assert!(text.contains("build/test | running 2 tests\n"), "{text}");
    assert!(text.contains("build/test | no end of line\n"), "{text}");
}

#[test]
fn the_block_shows_what_runs() {
    let mut story = Story::new(2, 9);
    story.stage(0, "build").step(0, 1, 0, "image").step(1, 1, 0, "test").step(2, 1, 0, "lint").wait(1000);
    story.log(0, 1, Stream::Progress, b"#5 10%\r#5 99%\r").ok(2, 1, &[]);
    story.out(1, "test one ... ok\ntest two, which has a name that is too long for this terminal");
    let block = block_of(&story.entries, &story.log, 60, 24, START + 4_500_000);
    insta::assert_snapshot!(block);
    assert!(block.lines().all(|line| line.chars().count() <= 60));
}

#[test]
fn the_block_shows_what_waits_for_people() {
    let story = waits();
    let open = &story.entries[..story.entries.len() - 1];
    insta::assert_snapshot!(block_of(open, &story.log, 80, 24, START + 75_000_000));
    let decided = block_of(&story.entries, &story.log, 80, 24, START + 90_000_000);
    assert!(!decided.contains("deploy") && decided.contains("canary/traffic"), "{decided}");
}

#[test]
fn the_block_is_bounded() {
    let mut story = Story::new(1, 500);
    story.stage(0, "fan-out");
    for step in 0..500 {
        story.step(step, 1, 0, &format!("job-{step}"));
    }
    story.end(Status::Succeeded, 0);
    let running = &story.entries[..story.entries.len() - 1];
    let block = block_of(running, &story.log, 80, 10, START);
    insta::assert_snapshot!(block);
    assert!(block_of(running, &story.log, 80, 100, START).lines().count() <= 14);
    assert!(block_of(running, &story.log, 3, 1, START).lines().count() <= 3, "a very small terminal");
}
