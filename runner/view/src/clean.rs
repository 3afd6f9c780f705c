//! Makes what plugins, containers and people wrote safe to print.
//!
//! Text from outside reaches a terminal, or the log of a CI system that looks for commands in it.
//! What gets through is text and colours. What does not: control characters, every other escape
//! sequence, characters that reverse the direction of the text around them, and the forms that a
//! CI system takes for a command wherever they stand in a line (`##[...]`, `##vso[...]`,
//! `##teamcity[...]`). Commands that count only at the start of a line (`::...`) come to nothing
//! because no line of a step is printed without something before it; see [`crate::lines`].

use std::iter::Peekable;
use std::str::Chars;

/// Columns from one tab stop to the next.
const TAB: usize = 8;

/// No colour sequence that means something is longer.
const LONGEST_SGR: usize = 48;

/// Ends all colours.
const RESET: &str = "\x1b[0m";

/// One line as it would stand on a terminal in the end: what comes after a carriage return writes
/// over what was before.
pub(crate) fn last_segment(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|b| *b != b'\r').map_or(0, |last| last + 1);
    let line = &line[..end];
    line.iter().rposition(|b| *b == b'\r').map_or(line, |cr| &line[cr + 1..])
}

/// Appends the bytes of one line of a log.
pub(crate) fn push_line(out: &mut String, line: &[u8], color: bool) {
    push(out, &String::from_utf8_lossy(last_segment(line)), color);
}

/// Text of one line, without colours; line breaks become spaces.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if !out.is_empty() {
            out.push(' ');
        }
        push(&mut out, line, false);
    }
    out
}

/// Appends text, and with `color` its colours, which end with it.
pub(crate) fn push(out: &mut String, text: &str, color: bool) {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'[') {
        out.push_str(text);
        return;
    }
    let begin = out.len();
    let mut column = 0;
    let mut colored = false;
    // Once a string of the terminal has no end, no later one has: without this, a line full of
    // beginnings would be searched again for each of them.
    let mut endless = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\t' => {
                let spaces = TAB - column % TAB;
                out.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
                continue;
            }
            '\x1b' => {
                colored |= escape(out, &mut chars, color, &mut endless);
                continue;
            }
            '\u{9b}' => {
                colored |= control_sequence(out, &mut chars, color);
                continue;
            }
            // Some log viewers break lines at these.
            '\u{2028}' | '\u{2029}' => out.push(' '),
            c if c.is_control() || reverses(c) => continue,
            '[' => {
                if ends_as_command(&out[begin..]) {
                    out.push(' ');
                }
                out.push('[');
            }
            c => out.push(c),
        }
        column += 1;
    }
    if colored {
        out.push_str(RESET);
    }
}

/// Characters that make text read otherwise than it is stored.
fn reverses(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a `[` that follows would make a command of it: `##`, `##vso`, `##teamcity`.
fn ends_as_command(before: &str) -> bool {
    let word = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    word.ends_with("##")
}

/// Reads an escape sequence after its `ESC`; says whether colours were set.
fn escape(out: &mut String, chars: &mut Peekable<Chars<'_>>, color: bool, endless: &mut bool) -> bool {
    match chars.peek() {
        Some('[') => {
            chars.next();
            return control_sequence(out, chars, color);
        }
        // A string for the terminal: its title, a link, an image. Without an end it is text.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let mut ahead = chars.clone();
            while let Some(c) = ahead.next().filter(|_| !*endless) {
                let ends = match c {
                    '\x07' | '\u{9c}' => true,
                    '\x1b' => ahead.next_if_eq(&'\\').is_some(),
                    _ => false,
                };
                if ends {
                    *chars = ahead;
                    return false;
                }
            }
            *endless = true;
            chars.next();
        }
        _ => {
            while chars.next_if(|c| (' '..='/').contains(c)).is_some() {}
            chars.next_if(|c| ('0'..='~').contains(c));
        }
    }
    false
}

/// Reads the rest of a control sequence, and keeps it if it sets colours.
fn control_sequence(out: &mut String, chars: &mut Peekable<Chars<'_>>, color: bool) -> bool {
    let mut parameters = String::new();
    while let Some(c) = chars.next_if(|c| (' '..='?').contains(c)) {
        if parameters.len() <= LONGEST_SGR {
            parameters.push(c);
        }
    }
    let last = chars.next_if(|c| ('@'..='~').contains(c));
    let keep = color && last == Some('m') && parameters.len() <= LONGEST_SGR && is_color(&parameters);
    if keep {
        out.push_str("\x1b[");
        out.push_str(&parameters);
        out.push('m');
    }
    keep
}

/// Whether the parameters of an SGR sequence only say how text looks, and leave it readable: no
/// concealing, no blinking.
fn is_color(parameters: &str) -> bool {
    let mut numbers = parameters.split([';', ':']).map(|n| if n.is_empty() { Ok(0) } else { n.parse::<u8>() });
    while let Some(number) = numbers.next() {
        let known = match number {
            Ok(38 | 48 | 58) => {
                let rest = match numbers.next() {
                    Some(Ok(5)) => 1,
                    Some(Ok(2)) => 3,
                    _ => return false,
                };
                (0..rest).all(|_| matches!(numbers.next(), Some(Ok(_))))
            }
            Ok(n) => matches!(n, 0..=4 | 7 | 9 | 21..=25 | 27..=37 | 39..=47 | 49 | 53 | 55 | 59 | 90..=97 | 100..=107),
            Err(_) => false,
        };
        if !known {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str, color: bool) -> String {
        let mut out = String::new();
        push_line(&mut out, text.as_bytes(), color);
        out
    }

    #[test]
    fn text_and_colours_get_through() {
        assert_eq!(cleaned("grüße 🚀 [1/2]", true), "grüße 🚀 [1/2]");
        assert_eq!(cleaned("\x1b[1;31mred\x1b[m ok", true), "\x1b[1;31mred\x1b[m ok\x1b[0m");
        assert_eq!(cleaned("\x1b[38;2;1;2;3mx", true), "\x1b[38;2;1;2;3mx\x1b[0m");
        assert_eq!(cleaned("\x1b[1;31mred\x1b[m ok", false), "red ok");
        assert_eq!(cleaned("a\tb", false), "a       b");
    }

    #[test]
    fn nothing_else_does() {
        for (bad, text) in [
            ("a\x07b\x08c\x7f", "abc"),
            ("\x1b[2J\x1b[1;1Hx", "x"),
            ("\x1b]0;title\x07x", "x"),
            ("\x1b]8;;http://e/\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1bP1$r\x1b\\x", "x"),
            ("\x1b]no end", "no end"),
            ("\x1b(Bx\x1b7\x1bc", "x"),
            ("\u{9b}2Jx", "x"),
            ("\x1b[8mhidden", "hidden"),
            ("\x1b[38;5mx", "x"),
            ("\x1b[>4;1mx", "x"),
            ("\x1b\x1b[31", ""),
            ("safe\u{202e}evil", "safeevil"),
            ("a\u{2028}b", "a b"),
        ] {
            assert_eq!(cleaned(bad, true), text, "{bad:?}");
        }
    }

    #[test]
    fn commands_of_ci_systems_come_apart() {
        assert_eq!(cleaned("x ##[add-path]/tmp", false), "x ## [add-path]/tmp");
        assert_eq!(cleaned("##vso[task.setvariable]y", false), "##vso [task.setvariable]y");
        assert_eq!(cleaned("##team\x07city[message]", false), "##teamcity [message]");
        assert_eq!(cleaned("#\x07#\x1b[1A[x]", false), "## [x]");
        assert_eq!(cleaned("a[0] # [x] #[y]", false), "a[0] # [x] #[y]");
    }

    #[test]
    fn progress_that_writes_over_itself_is_its_last_state() {
        assert_eq!(cleaned("10%\r50%\r100%\r", false), "100%");
        assert_eq!(cleaned("line\r", false), "line");
        assert_eq!(cleaned("\r\r", false), "");
    }
}
