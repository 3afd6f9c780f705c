//! Whatever a step prints, and whatever a plugin says, nothing but text and colours comes out.

use proptest::prelude::*;
use serde_json::json;
use windlass_journal::{FailureKind, RunState, Status, Stream};

use super::story::{Output, Story};
use crate::live::{LiveOptions, live};
use crate::style::{Format, Style};
use crate::summary;

/// Bytes that are likely to do harm.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\x1b[".to_vec()),
        Just(b"\x1b]0;".to_vec()),
        Just(b"\x1b[31m".to_vec()),
        Just(b"\x1b[0;8m".to_vec()),
        Just(b"##[".to_vec()),
        Just(b"##vso[".to_vec()),
        Just(b"##".to_vec()),
        Just(b"[".to_vec()),
        Just(b"\n::".to_vec()),
        Just(b"\r\n".to_vec()),
        Just("\u{9b}2J".as_bytes().to_vec()),
        Just("\u{202e}".as_bytes().to_vec()),
        Just("🚀".as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// What remains when the colours are taken out, which must be well formed.
fn without_colours(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split('\x1b');
    out.push_str(parts.next().unwrap());
    for part in parts {
        let sequence = part.strip_prefix('[').expect("only control sequences");
        let end = sequence.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':').expect("an end");
        assert!(sequence[end..].starts_with('m'), "{part:?}");
        out.push_str(&sequence[end + 1..]);
    }
    out
}

fn check(text: &str, color: bool) {
    let plain = if color { without_colours(text) } else { text.to_owned() };
    for c in plain.chars() {
        assert!(c == '\n' || !c.is_control(), "{c:?} in {plain:?}");
        assert!(!('\u{202a}'..='\u{202e}').contains(&c), "{c:?} in {plain:?}");
    }
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("::"), "{line:?}");
        for command in ["##[", "##vso["] {
            assert!(!line.contains(command), "{line:?}");
        }
    }
}

fn story(bytes: &[u8], cut: usize, stream: Stream) -> Story {
    let said = String::from_utf8_lossy(bytes);
    let (one, two) = bytes.split_at(cut.min(bytes.len()));
    let mut story = Story::new(1, 2);
    story.stage(0, "build").step(0, 1, 0, "image").step(1, 1, 0, "test");
    story.log(0, 1, stream, one).log(1, 1, stream, bytes).log(0, 1, stream, two);
    story.denied(0, 0, "docker.push", &said).notice(Some(0), &said);
    story.fail(0, 1, FailureKind::Failed, &said, Some(&said)).ok(1, 1, &[("out", json!(said))]);
    story.stage_end(0, "build", Status::Failed).end(Status::Failed, 1);
    story
}

proptest! {
    #[test]
    fn output_is_data(bytes in bytes(), cut in 0usize..64, color: bool) {
        let story = story(&bytes, cut, Stream::Stdout);
        let style = Style { color, ..Style::default() };
        for format in [Format::Human, Format::Json] {
            let output = Output::default();
            let mut observer = live(LiveOptions { style, format, ..LiveOptions::default() }, Box::new(output.clone()));
            story.feed(&mut *observer, 1);
            drop(observer);
            check(&output.text(), color && format == Format::Human);
        }
        let read = |offset, len| story.read(offset, len);
        let text = summary::human(&story.model(), RunState::Ended(Status::Failed), style, &read).unwrap();
        check(&text, color);
    }

    #[test]
    fn plain_text_comes_out_as_it_is(text in "[ -Z^-~äß€🚀]{0,80}") {
        let mut out = String::new();
        crate::clean::push_line(&mut out, text.as_bytes(), false);
        prop_assert_eq!(out, text);
    }
}
