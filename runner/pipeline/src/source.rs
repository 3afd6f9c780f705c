//! The text of one `pipeline.toml`, and where in it things stand.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Diagnostics, codes};

/// The largest `pipeline.toml` that is read: 50 MB. Offsets are kept in 32 bits, and a larger file is a mistake.
pub const MAX_BYTES: usize = 50_000_000;

/// A `pipeline.toml` that was read as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path, as it is shown in messages.
    pub name: String,
    /// The text, without a byte order mark.
    pub text: String,
}

/// A place in the file. Both numbers start at 1; columns count characters, not bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Turns the bytes of a file into text. Bytes that are handed over are not copied.
///
/// # Errors
///
/// One diagnostic when the file is empty, larger than [`MAX_BYTES`], or not UTF-8 (it says at which byte).
pub fn decode<'b>(name: impl Into<String>, bytes: impl Into<Cow<'b, [u8]>>) -> Result<Source, Diagnostics> {
    let (name, bytes) = (name.into(), bytes.into());
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; the limit is {MAX_BYTES}", bytes.len());
        return Err(fault(name, codes::TOO_LARGE, message, "split the pipeline, or generate less", &[]));
    }
    if bytes.strip_prefix(BOM).unwrap_or(&bytes).iter().all(u8::is_ascii_whitespace) {
        let help = "a pipeline needs at least `[pipeline]` with a `name`, and one stage with one step";
        return Err(fault(name, codes::EMPTY, "the file is empty".to_owned(), help, &[]));
    }
    match String::from_utf8(bytes.into_owned()) {
        Ok(mut text) => {
            if text.as_bytes().starts_with(BOM) {
                text.drain(..BOM.len());
            }
            Ok(Source { name, text })
        }
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let byte = bytes.get(at).copied().unwrap_or_default();
            let message = format!("the file is not UTF-8: byte {at} (0x{byte:02x}) is not part of a character");
            Err(fault(name, codes::ENCODING, message, "save the file as UTF-8", &bytes[..at]))
        }
    }
}

/// Marks the beginning of some UTF-8 files, and means nothing.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The end of `valid` is where the fault is.
fn fault(name: String, code: &'static str, message: String, help: &str, valid: &[u8]) -> Diagnostics {
    let text = String::from_utf8_lossy(valid).into_owned();
    let mut diagnostic = Diagnostic::error(code, text.len()..text.len(), message);
    diagnostic.help(help);
    Diagnostics::of(&Source { name, text }, vec![diagnostic])
}

/// Where each line starts, to turn offsets into lines and columns. It does not hold the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    starts: Vec<u32>,
    /// For lines that are longer than [`STRIDE`]: the characters of the line before each such stretch of it. A file of
    /// one line with a million steps would be counted through a million times without it.
    within: Vec<(u32, u32)>,
}

const STRIDE: usize = 1024;

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        let mut starts = Vec::with_capacity(text.len() / 24 + 1);
        starts.push(0);
        starts.extend(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
        starts.shrink_to_fit();
        let mut within = Vec::new();
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).map_or(text.len(), |next| *next as usize);
            let line = text.as_bytes().get(*start as usize..end).unwrap_or_default();
            if line.len() > STRIDE {
                let mut before = 0;
                for (stretch, bytes) in line.chunks(STRIDE).enumerate() {
                    within.push((start + (stretch * STRIDE) as u32, before));
                    before += characters(bytes);
                }
            }
        }
        Self { starts, within }
    }

    /// The line's index, from 0.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start as usize <= offset).saturating_sub(1)
    }

    /// The offset of the first byte of the line with this index. `None` behind the last.
    pub(crate) fn start(&self, index: usize) -> Option<usize> {
        self.starts.get(index).map(|start| *start as usize)
    }

    pub(crate) fn location(&self, text: &str, offset: usize) -> Location {
        let offset = offset.min(text.len());
        let index = self.line(offset);
        let mut start = self.start(index).unwrap_or_default();
        let mut column = 1;
        let stretch = self.within.partition_point(|(from, _)| *from as usize <= offset).checked_sub(1);
        if let Some((from, before)) = stretch.and_then(|stretch| self.within.get(stretch))
            && *from as usize > start
        {
            (start, column) = (*from as usize, before + 1);
        }
        column += characters(text.as_bytes().get(start..offset).unwrap_or_default());
        Location { line: index as u32 + 1, column }
    }
}

/// A byte that does not continue a character begins one: this counts characters, wherever the bytes are cut.
fn characters(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count() as u32
}

#[cfg(test)]
mod tests {
    use super::{Lines, Location};

    #[test]
    fn columns_count_characters_in_lines_of_any_length() {
        let text = format!("a\n{}x\n{}\nb", "é".repeat(3000), "z".repeat(1024));
        let lines = Lines::of(&text);
        let at = |offset| lines.location(&text, offset);
        assert_eq!(at(0), Location { line: 1, column: 1 });
        assert_eq!(at(2), Location { line: 2, column: 1 });
        assert_eq!(at(2 + 2 * 700), Location { line: 2, column: 701 });
        assert_eq!(at(2 + 2 * 3000), Location { line: 2, column: 3001 });
        assert_eq!(at(text.len()), Location { line: 4, column: 2 });
        for (offset, _) in text.char_indices() {
            let line = text[..offset].matches('\n').count();
            let column = text[..offset].rsplit('\n').next().map_or(0, |line| line.chars().count());
            assert_eq!(at(offset), Location { line: line as u32 + 1, column: column as u32 + 1 });
        }
    }
}
