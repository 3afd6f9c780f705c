//! Chunks of output become whole lines, and lines become something safe to print.

use std::collections::HashMap;

use windlass_journal::{StepIndex, Stream};

use crate::clean;
use crate::text::{paint, prefix_style};

/// A line that is longer is printed in pieces, so that a step that never ends its line costs no
/// more memory than this.
const LONGEST_LINE: usize = 64 << 10;

/// What is kept of a line for [`LastLine`].
const LONGEST_LAST: usize = 1 << 10;

/// Puts the lines of interleaved steps and streams together.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// Lines that have no end yet.
    open: HashMap<(StepIndex, u32, Stream), Vec<u8>>,
}

impl Lines {
    /// Takes a chunk, and gives every line that is whole now, without its end.
    pub(crate) fn push(&mut self, of: (StepIndex, u32, Stream), bytes: &[u8], mut each: impl FnMut(&[u8])) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            match self.open.get_mut(&of).filter(|open| !open.is_empty()) {
                None => each(&rest[..end]),
                Some(open) => {
                    open.extend_from_slice(&rest[..end]);
                    each(open);
                    open.clear();
                }
            }
            rest = &rest[end + 1..];
        }
        if rest.is_empty() {
            return;
        }
        let open = self.open.entry(of).or_default();
        open.extend_from_slice(rest);
        if open.len() > LONGEST_LINE {
            // Progress that writes over itself counts only with its last state.
            let over = open.len() - clean::last_segment(open).len();
            let ends = open.iter().rev().take_while(|b| **b == b'\r').count();
            open.drain(..over.saturating_sub(ends));
        }
        while open.len() > LONGEST_LINE {
            let cut = boundary(open, LONGEST_LINE);
            each(&open[..cut]);
            open.drain(..cut);
        }
    }

    /// Gives the open lines of a step's attempt: nothing more will come.
    pub(crate) fn finish(&mut self, step: StepIndex, attempt: u32, mut each: impl FnMut(Stream, &[u8])) {
        for stream in [Stream::Log, Stream::Stdout, Stream::Stderr, Stream::Progress] {
            if let Some(open) = self.open.remove(&(step, attempt, stream)).filter(|open| !open.is_empty()) {
                each(stream, &open);
            }
        }
    }

    /// Gives every open line: the run is over.
    pub(crate) fn finish_all(&mut self, mut each: impl FnMut(StepIndex, u32, Stream, &[u8])) {
        let mut open: Vec<_> = self.open.drain().filter(|(_, open)| !open.is_empty()).collect();
        open.sort_by_key(|((step, attempt, stream), _)| (*step, *attempt, *stream as u8));
        for ((step, attempt, stream), line) in open {
            each(step, attempt, stream, &line);
        }
    }
}

/// The last place at or before `most` that does not cut a character of UTF-8.
fn boundary(bytes: &[u8], most: usize) -> usize {
    // A character has at most three bytes after its first.
    (most.saturating_sub(3)..=most).rev().find(|at| bytes.get(*at).is_none_or(|b| b & 0xc0 != 0x80)).unwrap_or(most)
}

/// Appends `stage/step | line`, cleaned. The prefix also keeps a CI system from taking the line for
/// a command.
pub(crate) fn push_prefixed(out: &mut String, path: &str, step: StepIndex, attempt: u32, line: &[u8], color: bool) {
    use std::fmt::Write;
    // Writing to a string cannot fail.
    let _ = if attempt > 1 {
        write!(out, "{} ", paint(color, prefix_style(step.0), format_args!("{path}#{attempt} |")))
    } else {
        write!(out, "{} ", paint(color, prefix_style(step.0), format_args!("{path} |")))
    };
    clean::push_line(out, line, color);
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

/// The newest line that a step has printed, whole or not.
#[derive(Debug, Default)]
pub(crate) struct LastLine {
    bytes: Vec<u8>,
    /// The line has no end yet.
    open: bool,
}

impl LastLine {
    /// Takes the next chunk.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let ended = bytes.ends_with(b"\n");
        let Some(last) = bytes.split(|b| *b == b'\n').rfind(|line| !line.iter().all(u8::is_ascii_whitespace)) else {
            self.open &= !bytes.contains(&b'\n');
            return;
        };
        let continues = self.open && bytes.starts_with(last);
        if !continues {
            self.bytes.clear();
        }
        // The end of a long line that writes over itself is what counts.
        self.bytes.extend_from_slice(&last[last.len().saturating_sub(LONGEST_LAST)..]);
        let over = self.bytes.len().saturating_sub(LONGEST_LAST);
        self.bytes.drain(..over);
        self.open = !ended;
    }

    /// The line, cleaned and without colours.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        clean::push_line(&mut out, &self.bytes, false);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: (StepIndex, u32, Stream) = (StepIndex(0), 1, Stream::Stdout);

    fn pushed(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut got = Vec::new();
        for chunk in chunks {
            lines.push(OF, chunk, |line| got.push(String::from_utf8_lossy(line).into_owned()));
        }
        lines.finish(OF.0, OF.1, |_, line| got.push(String::from_utf8_lossy(line).into_owned()));
        got
    }

    #[test]
    fn lines_cut_anywhere_come_out_whole() {
        let text = "grüße\n\nzwei\r\nohne ende".as_bytes();
        for cut in 0..text.len() {
            let got = pushed(&[&text[..cut], &text[cut..]]);
            assert_eq!(got, ["grüße", "", "zwei\r", "ohne ende"], "cut at {cut}");
        }
    }

    #[test]
    fn streams_and_steps_do_not_mix() {
        let mut lines = Lines::default();
        let mut got = Vec::new();
        let other = (StepIndex(1), 1, Stream::Stdout);
        let err = (StepIndex(0), 1, Stream::Stderr);
        for (of, bytes) in [(OF, "a1 "), (other, "b1 "), (err, "e1 "), (OF, "a2\n"), (other, "b2\n"), (err, "e2\n")] {
            lines.push(of, bytes.as_bytes(), |line| got.push(String::from_utf8_lossy(line).into_owned()));
        }
        assert_eq!(got, ["a1 a2", "b1 b2", "e1 e2"]);
    }

    #[test]
    fn endless_lines_are_bounded() {
        let endless = "ü".repeat(LONGEST_LINE);
        let got = pushed(&[b"x", endless.as_bytes()]);
        assert!(got.iter().all(|line| line.len() <= LONGEST_LINE && !line.contains('\u{fffd}')));
        assert_eq!(got.concat(), format!("x{endless}"));

        let mut lines = Lines::default();
        for n in 0..200_000 {
            lines.push(OF, format!("{n}%\r").as_bytes(), |line| panic!("{line:?}"));
        }
        assert!(lines.open[&OF].len() <= LONGEST_LINE);
        lines.push(OF, b"\n", |line| assert_eq!(clean::last_segment(line), b"199999%"));
    }

    #[test]
    fn the_last_line_is_the_newest_text() {
        let mut last = LastLine::default();
        let mut after = |chunk: &[u8]| {
            last.push(chunk);
            last.text()
        };
        assert_eq!(after(b"one\ntwo\n"), "two");
        assert_eq!(after(b"\n"), "two");
        assert_eq!(after(b"10%\r"), "10%");
        assert_eq!(after(b"20%\r"), "20%");
        assert_eq!(after(b"\nthr"), "thr");
        assert_eq!(after(b"ee"), "three");
        assert_eq!(after("\u{1b}[2Jx".as_bytes()), "threex");
    }
}
