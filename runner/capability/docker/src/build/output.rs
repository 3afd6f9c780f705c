//! The output of a build on its way to the step's log: whole lines, without colours.

use std::collections::{HashMap, VecDeque};

use windlass_gate::StepLog;
use windlass_journal::Stream;

/// How many lines an error shows.
const RECENT: usize = 20;
/// A line is cut here: progress bars without an end are no lines.
const LONGEST: usize = 16 * 1024;

/// Takes what the steps of a build print.
pub(super) struct Output<'a> {
    log: &'a StepLog,
    /// Beginnings of lines, by step.
    partial: HashMap<String, Vec<u8>>,
    recent: VecDeque<String>,
}

impl<'a> Output<'a> {
    pub(super) fn new(log: &'a StepLog) -> Self {
        Self { log, partial: HashMap::new(), recent: VecDeque::new() }
    }

    /// Takes bytes that a step printed.
    pub(super) fn write(&mut self, step: &str, bytes: &[u8]) {
        let mut buffer = self.partial.remove(step).unwrap_or_default();
        buffer.extend_from_slice(bytes);
        let mut rest = buffer.as_slice();
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n').or((rest.len() > LONGEST).then_some(LONGEST))
        {
            self.print(&rest[..end]);
            rest = &rest[end + usize::from(rest[end] == b'\n')..];
        }
        if !rest.is_empty() {
            self.partial.insert(step.to_owned(), rest.to_vec());
        }
    }

    /// Writes a heading.
    pub(super) fn heading(&mut self, text: &str) {
        self.log.line(Stream::Stdout, text);
    }

    /// Writes about progress, which is no output of the build.
    pub(super) fn progress(&mut self, text: &str) {
        self.log.line(Stream::Progress, text);
    }

    /// Writes what has no end of line.
    pub(super) fn finish(&mut self) {
        for (_, rest) in std::mem::take(&mut self.partial) {
            self.print(&rest);
        }
    }

    /// The last lines that steps printed.
    pub(super) fn recent(&self) -> String {
        self.recent.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    fn print(&mut self, line: &[u8]) {
        let text = plain(&String::from_utf8_lossy(line));
        // Nothing but colours is no line.
        if text.is_empty() && !line.is_empty() && line != b"\r" {
            return;
        }
        self.log.line(Stream::Stdout, &text);
        if !text.trim().is_empty() {
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(text);
        }
    }
}

/// A line as it stands on a terminal in the end: without escape sequences, and of what a carriage
/// return writes over only the last.
pub(super) fn plain(line: &str) -> String {
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').next().unwrap_or(line);
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                // Control sequences end with a letter or one of a few signs.
                Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                // Titles and links end with a bell, or with an escape and a backslash.
                Some(']') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\t' => text.push('\t'),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_plain() {
        for (line, shown) in [
            ("\u{1b}[91mred\u{1b}[0m", "red"),
            (" 10%\r 50%\r100%\r", "100%"),
            ("\u{1b}]0;title\u{7}text\u{1b}]8;;http://x\u{1b}\\link", "textlink"),
            ("a\tb\u{8}", "a\tb"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
        ] {
            assert_eq!(plain(line), shown, "{line:?}");
        }
    }
}
