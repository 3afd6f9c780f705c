//! The end of an output, as text.

use std::collections::VecDeque;

/// How much of it an answer holds.
const KEPT: usize = 64 << 10;
/// How much more is held while it flows, so that the cut can fall between two lines.
const MARGIN: usize = 16 << 10;

/// Holds the last bytes of an output.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: VecDeque<u8>,
    cut: bool,
}

impl Tail {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let bytes = match bytes.len().checked_sub(KEPT + MARGIN) {
            Some(beyond) if beyond > 0 => {
                self.cut = true;
                &bytes[beyond..]
            }
            _ => bytes,
        };
        self.bytes.extend(bytes);
        if let Some(beyond) = self.bytes.len().checked_sub(KEPT + MARGIN)
            && beyond > 0
        {
            self.cut = true;
            self.bytes.drain(..beyond);
        }
    }

    /// At most 64 KiB of text. What was cut off ends at a line's end if there is one near: the rest
    /// of a half line could be the rest of a secret, which nobody would recognise.
    pub(super) fn text(self) -> String {
        let bytes = Vec::from(self.bytes);
        let start = bytes.len().saturating_sub(KEPT);
        let start = if start > 0 || self.cut {
            bytes[start..].iter().take(MARGIN).position(|byte| *byte == b'\n').map_or(start, |line| start + line + 1)
        } else {
            0
        };
        let mut text = String::from_utf8_lossy(&bytes[start..]).into_owned();
        // Bytes that are not text become three bytes each.
        if let Some(beyond) = text.len().checked_sub(KEPT) {
            let at = (beyond..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
            text.drain(..at);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tail(chunks: &[&[u8]]) -> String {
        let mut tail = Tail::default();
        chunks.iter().for_each(|chunk| tail.push(chunk));
        tail.text()
    }

    #[test]
    fn short_output_is_there_as_it_is() {
        assert_eq!(tail(&[b"one\n", b"tw", b"o"]), "one\ntwo");
        assert_eq!(tail(&[]), "");
        assert_eq!(tail(&[b"\xff"]), "\u{fffd}");
    }

    #[test]
    fn long_output_begins_with_a_whole_line() {
        let line = "0123456789\n".repeat(20_000);
        let text = tail(&[line.as_bytes()]);
        assert!(text.len() <= KEPT && text.len() > KEPT - 12);
        assert!(text.starts_with("0123456789\n"));
    }

    #[test]
    fn one_endless_line_is_cut_anywhere() {
        assert_eq!(tail(&[&[b'x'; 200_000]]).len(), KEPT);
        assert!(tail(&[&[0xff; 200_000]]).len() <= KEPT);
    }

    proptest! {
        #[test]
        fn the_chunks_do_not_matter(len in 0_usize..200_000, chunk in 1_usize..100_000, line in 1_usize..30_000) {
            let bytes: Vec<u8> = (0..len).map(|at| if at % line == 0 { b'\n' } else { b'a' + u8::try_from(at % 26).expect("small") }).collect();
            let chunks: Vec<_> = bytes.chunks(chunk).collect();
            let text = tail(&chunks);
            prop_assert!(text.len() <= KEPT);
            prop_assert!(bytes.ends_with(text.as_bytes()));
            prop_assert_eq!(&text, &tail(&[&bytes]));
            prop_assert!(len > KEPT || text.len() == len);
        }
    }
}
