//! The text of one `pipeline.toml`, and where in it things stand.

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

/// Turns the bytes of a file into text.
///
/// # Errors
///
/// One diagnostic when the file is empty, larger than [`MAX_BYTES`], or not UTF-8 (it says at which byte).
pub fn decode(name: impl Into<String>, bytes: &[u8]) -> Result<Source, Diagnostics> {
    check(name.into(), bytes)?
}

/// As [`decode`], for bytes that nobody else needs: they are not copied.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_vec(name: impl Into<String>, bytes: Vec<u8>) -> Result<Source, Diagnostics> {
    let fail = |code, message: String, help: &str, valid: &[u8]| {
        // Only the good part is kept for the report: it has to be text.
        let text = String::from_utf8_lossy(valid).into_owned();
        let end = text.len();
        let source = Source { name: name.clone(), text };
        let mut diagnostic = Diagnostic::error(code, end..end, message);
        diagnostic.help = Some(help.to_owned());
        Err(Diagnostics::of(&source, vec![diagnostic]))
    };
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; the limit is {MAX_BYTES}", bytes.len());
        return fail(codes::TOO_LARGE, message, "split the pipeline, or generate less", &[]);
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").map_or(bytes, |rest| rest);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        let help = "a pipeline needs at least `[pipeline]` with a `name`, and one stage with one step";
        return fail(codes::EMPTY, "the file is empty".to_owned(), help, &[]);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Source { name, text: text.to_owned() }),
        Err(error) => {
            let at = error.valid_up_to();
            let byte = bytes.get(at).copied().unwrap_or_default();
            let message = format!("the file is not UTF-8: byte {at} (0x{byte:02x}) is not part of a character");
            fail(codes::ENCODING, message, "save the file as UTF-8", &bytes[..at])
        }
    }
}

/// Where each line starts, to turn offsets into lines and columns. It does not hold the text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    starts: Vec<u32>,
}

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        let mut starts = Vec::with_capacity(text.len() / 24 + 1);
        starts.push(0);
        starts.extend(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
        starts.shrink_to_fit();
        Self { starts }
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
        let start = self.start(index).unwrap_or_default();
        let before = text.as_bytes().get(start..offset).unwrap_or_default();
        // A byte that does not continue a character begins one: this counts characters, whatever the offset.
        let column = before.iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
        Location { line: index as u32 + 1, column: column as u32 + 1 }
    }
}
