//! JSON that is safe to print: the same value, written so that no terminal and no CI system takes
//! a part of it for an instruction.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// Appends the value as one line. What cannot be written as JSON leaves nothing.
pub(crate) fn push_line(out: &mut String, value: &impl Serialize) {
    let mut bytes = Vec::with_capacity(256);
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, Safe));
    if let (Ok(()), Ok(text)) = (written, std::str::from_utf8(&bytes)) {
        out.push_str(text);
        out.push('\n');
    }
}

/// Compact JSON, in which control characters beyond ASCII's, characters that change the direction
/// of text, and the second `#` of `##[command]` are written as `\u` escapes.
struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut start = 0;
        let mut previous = '\0';
        for (at, c) in fragment.char_indices() {
            let escape = matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                || (c == '#' && previous == '#');
            previous = c;
            if escape {
                out.write_all(&fragment.as_bytes()[start..at])?;
                write!(out, "\\u{:04x}", u32::from(c))?;
                start = at + c.len_utf8();
            }
        }
        out.write_all(&fragment.as_bytes()[start..])
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        serde_json::ser::CompactFormatter.write_char_escape(out, escape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_stays_and_the_instructions_go() {
        let bad = "a\n##[add-path]x ###[b] \u{9b}2J\u{202e}\u{7f}\u{1b}[2J ü#";
        let mut line = String::new();
        push_line(&mut line, &bad);
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), bad);
        assert!(!line.contains("##"), "{line}");
        assert_eq!(line.chars().filter(|c| c.is_control()).collect::<String>(), "\n");
    }
}
