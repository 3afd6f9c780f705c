//! What came of a case, in text for people.

use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::Value as Json;
use windlass_journal::Status;

use crate::diff::{self, Line};
use crate::value;
use crate::verdict::{Difference, ShownCall};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const EXPECTED: Style = AnsiColor::Red.on_default();
const ACTUAL: Style = AnsiColor::Green.on_default();
const DIM: Style = Style::new().dimmed();
/// How many lines of the log are shown.
const TAIL: usize = 10;

/// What came of a case.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file, as it is shown.
    pub file: String,
    /// What the case shows.
    pub name: String,
    /// How long it took.
    pub took: Duration,
    /// How many calls the step made.
    pub calls: usize,
    /// What it said, by lines.
    pub log: Vec<String>,
    /// What was not as the case says.
    pub differences: Vec<Difference>,
}

impl Report {
    /// Whether all was as the case says.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }

    /// For people, with colours.
    pub fn render(&self) -> String {
        let (style, word) = if self.passed() { (GOOD, "passed") } else { (BAD, "FAILED") };
        let (file, name, took) = (&self.file, &self.name, self.took.as_millis());
        let mut text = format!("{style}{word}{style:#}  {file}: {} {DIM}{took}ms{DIM:#}\n", shown(name));
        for difference in &self.differences {
            one(&mut text, difference);
        }
        if !self.passed() && !self.log.is_empty() {
            let _ = writeln!(text, "  the end of the log:");
            for line in &self.log[self.log.len().saturating_sub(TAIL)..] {
                let _ = writeln!(text, "    {DIM}|{DIM:#} {}", shown(line));
            }
        }
        text
    }

    /// For programs.
    pub fn to_json(&self) -> Json {
        serde_json::json!({
            "file": self.file,
            "name": self.name,
            "status": if self.passed() { "passed" } else { "failed" },
            "took-ms": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "calls": self.calls,
            "differences": self.differences,
            "log": if self.passed() { &[] } else { &self.log[self.log.len().saturating_sub(TAIL)..] },
        })
    }
}

fn one(text: &mut String, difference: &Difference) {
    let _ = match difference {
        Difference::Call { call, expected, actual } => {
            let number = expected.number.unwrap_or_default();
            let _ = writeln!(
                text,
                "  call {call} is not the one that is due, number {number} of the case ({EXPECTED}- expected{EXPECTED:#}, \
                 {ACTUAL}+ made{ACTUAL:#}):"
            );
            compared(text, &called(expected), &called(actual));
            Ok(())
        }
        Difference::Unexpected { call, actual } => {
            let _ =
                writeln!(text, "  call {call} is not expected; the case has no more calls ({ACTUAL}+ made{ACTUAL:#}):");
            compared(text, "", &called(actual));
            Ok(())
        }
        Difference::Answer { call, function, expected, actual } => {
            let _ = writeln!(
                text,
                "  call {call}, {function}, was answered by the gate and not by the case ({EXPECTED}- case{EXPECTED:#}, \
                 {ACTUAL}+ gate{ACTUAL:#}):"
            );
            compared(text, &value::pretty(expected), &value::pretty(actual));
            Ok(())
        }
        Difference::Missing { expected } => {
            let number = expected.number.unwrap_or_default();
            let _ = writeln!(text, "  call {number} of the case was not made ({EXPECTED}- expected{EXPECTED:#}):");
            compared(text, &called(expected), "");
            Ok(())
        }
        Difference::Outcome { expected, actual, message } => {
            let actual = actual.map_or("did not end", word);
            let why = message.as_deref().map(|why| format!(": {}", indented(why))).unwrap_or_default();
            writeln!(text, "  the step was expected to have {}, and {actual}{why}", word(*expected))
        }
        Difference::Failure { part, expected, actual } if part.ends_with("contains") => writeln!(
            text,
            "  the {} of the failure does not contain {EXPECTED}{}{EXPECTED:#}: {ACTUAL}{}{ACTUAL:#}",
            part.trim_end_matches("-contains"),
            shown(expected),
            indented(actual)
        ),
        Difference::Failure { part, expected, actual } => {
            let _ = writeln!(
                text,
                "  the {part} of the failure is another ({EXPECTED}- expected{EXPECTED:#}, {ACTUAL}+ given{ACTUAL:#}):"
            );
            compared(text, expected, actual);
            Ok(())
        }
        Difference::Outputs { expected, actual } => {
            let _ = writeln!(
                text,
                "  the outputs are others ({EXPECTED}- expected{EXPECTED:#}, {ACTUAL}+ given{ACTUAL:#}):"
            );
            compared(text, &value::pretty(expected), &value::pretty(actual));
            Ok(())
        }
        Difference::Log { expected } => {
            writeln!(
                text,
                "  the log has no line, after those before it, with {EXPECTED}{}{EXPECTED:#}",
                shown(expected)
            )
        }
        Difference::File { path, expected, actual: Ok(actual) } => {
            let _ = writeln!(
                text,
                "  the file `{}` is another ({EXPECTED}- expected{EXPECTED:#}, {ACTUAL}+ found{ACTUAL:#}):",
                shown(path)
            );
            compared(text, expected, actual);
            Ok(())
        }
        Difference::File { path, actual: Err(why), .. } => {
            writeln!(text, "  the file `{}` cannot be read: {why}", shown(path))
        }
        Difference::Metric { expected, actual } => {
            let _ = writeln!(
                text,
                "  a measurement is missing ({EXPECTED}- expected{EXPECTED:#}, {ACTUAL}+ measured{ACTUAL:#}):"
            );
            let actual: Vec<String> = actual.iter().map(ToString::to_string).collect();
            compared(text, &expected.to_string(), &actual.join("\n"));
            Ok(())
        }
    };
}

/// The function and its arguments, as lines to compare.
fn called(call: &ShownCall) -> String {
    match &call.args {
        Some(args) => format!("{} {}", call.function, value::pretty(args)),
        None => format!("{} (with any arguments)", call.function),
    }
}

fn compared(text: &mut String, expected: &str, actual: &str) {
    for line in diff::lines(expected, actual) {
        let _ = match line {
            Line::Both(line) => writeln!(text, "      {}", shown(line)),
            Line::Expected(line) => writeln!(text, "    {EXPECTED}- {}{EXPECTED:#}", shown(line)),
            Line::Actual(line) => writeln!(text, "    {ACTUAL}+ {}{ACTUAL:#}", shown(line)),
        };
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::Skipped => "was skipped",
        Status::Cancelled => "was cancelled",
    }
}

fn indented(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n    ")
}

/// What a plugin says is data, and must not act on a terminal.
fn shown(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let hidden = c.is_control() && c != '\t';
            let escaped = hidden.then(|| c.escape_unicode());
            escaped.into_iter().flatten().chain((!hidden).then_some(c))
        })
        .collect()
}
