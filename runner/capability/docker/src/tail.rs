//! The end of an output that may be long.

/// How much of an output a plugin gets. All of it is in the step's log.
pub(crate) const LIMIT: usize = 64 * 1024;

/// How far a cut is moved so that the text begins with a whole line.
const LINE: usize = 4096;

/// Keeps the last bytes of an output.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
    cut: bool,
}

impl Tail {
    /// Takes the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        // Let it grow to twice the limit, so that cutting costs little per byte.
        if self.bytes.len() > 2 * LIMIT {
            self.bytes.drain(..self.bytes.len() - LIMIT - 1);
            self.cut = true;
        }
    }

    /// The end as text, of [`LIMIT`] bytes at most. A cut falls on the beginning of a line where
    /// there is one near: half a line says little, and half a secret is not recognised as one.
    pub(crate) fn into_text(self) -> String {
        let mut bytes = self.bytes.as_slice();
        if self.cut || bytes.len() > LIMIT {
            // One byte more than the limit, to see whether the cut falls on a line's beginning by itself.
            bytes = &bytes[bytes.len().saturating_sub(LIMIT + 1)..];
            let near = &bytes[..bytes.len().min(LINE)];
            let start = match near.iter().position(|&byte| byte == b'\n') {
                Some(end_of_line) => end_of_line + 1,
                None => 1 + bytes[1..].iter().take(3).take_while(|&&byte| byte & 0xC0 == 0x80).count(),
            };
            bytes = &bytes[start..];
        }
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        // What is no text takes three bytes instead of one.
        if text.len() > LIMIT {
            let mut start = text.len() - LIMIT;
            while !text.is_char_boundary(start) {
                start += 1;
            }
            text.drain(..start);
        }
        text
    }
}

/// The last lines of a text, for an error message.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tail(chunks: &[&[u8]]) -> String {
        let mut tail = Tail::default();
        for chunk in chunks {
            tail.push(chunk);
        }
        tail.into_text()
    }

    #[test]
    fn what_fits_is_kept_whole() {
        assert_eq!(tail(&[b"one\n", b"two"]), "one\ntwo");
        let full = "x".repeat(LIMIT);
        assert_eq!(tail(&[full.as_bytes()]), full);
    }

    #[test]
    fn a_cut_falls_on_a_line() {
        let text = "0123456789abcde\n".repeat(10_000);
        let kept = tail(&[text.as_bytes()]);
        assert_eq!(kept.len() % 16, 0);
        assert!(kept.len() > LIMIT - 16 && kept.starts_with('0'));
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        let kept = tail(&["ä".repeat(LIMIT).as_bytes()]);
        assert!(kept.chars().all(|c| c == 'ä') && kept.len() >= LIMIT - 2);
    }

    #[test]
    fn last_lines_leave_out_what_is_empty() {
        assert_eq!(last_lines("a\n\nb\r\nc\n", 2), "b\nc");
        assert_eq!(last_lines("", 2), "");
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(text in "[a-zäöü\n]{0,200}", repeat in 1_usize..2000, size in 1_usize..5000) {
            let text = text.repeat(repeat);
            let chunks: Vec<_> = text.as_bytes().chunks(size).collect();
            let kept = tail(&chunks);
            prop_assert!(kept.len() <= LIMIT && text.ends_with(&kept));
            prop_assert_eq!(&kept, &tail(&[text.as_bytes()]));
        }
    }
}
