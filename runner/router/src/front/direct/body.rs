//! The body of an answer: where it ends, and as it goes on to the client.

use super::answer::Malformed;
use httparse::{Status, parse_chunk_size};
use std::io::Write as _;

/// What may stand between two pieces, in bytes: a length and its extensions, or headers after the last.
const LINE: usize = 8 << 10;

/// Where the body ends.
#[derive(Debug, PartialEq)]
pub(super) enum Framing {
    /// After so many bytes more.
    Length(u64),
    Chunked(Chunk),
    /// Where the connection does. It is chunked for the client, whose connection stays.
    TilItEnds,
}

/// What comes next.
#[derive(Debug, PartialEq)]
pub(super) enum Chunk {
    Size,
    Data(u64),
    /// The end of the line after the data.
    Line,
    /// The headers after the last chunk, of which so much is gone. They stay here.
    Trailer(usize),
    Over,
}

impl Framing {
    pub(super) fn chunked() -> Self {
        Self::Chunked(Chunk::Size)
    }

    /// Nothing of it is to come.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::Over))
    }

    /// Passes on what is there. Says how many bytes of it are used up, and how many of those were the body's.
    pub(super) fn pass(&mut self, from: &[u8], to: &mut Vec<u8>) -> Result<(usize, u64), Malformed> {
        match self {
            Self::Length(left) => {
                let data = first(from, *left);
                to.extend_from_slice(data);
                *left -= data.len() as u64;
                Ok((data.len(), data.len() as u64))
            }
            Self::TilItEnds => {
                chunk(from, to);
                Ok((from.len(), from.len() as u64))
            }
            Self::Chunked(next) => {
                let (mut used, mut passed) = (0, 0);
                while let Some(rest) = from.get(used..).filter(|_| *next != Chunk::Over) {
                    let Some((step, data)) = next.step(rest, to)? else { break };
                    used += step;
                    passed += data;
                }
                Ok((used, passed))
            }
        }
    }

    /// The connection has ended. Says whether the body has, too.
    pub(super) fn end(&mut self, to: &mut Vec<u8>) -> bool {
        if *self == Self::TilItEnds {
            to.extend_from_slice(b"0\r\n\r\n");
            *self = Self::Length(0);
        }
        self.is_over()
    }
}

impl Chunk {
    /// One step on; none: for that, more has to be there.
    fn step(&mut self, from: &[u8], to: &mut Vec<u8>) -> Result<Option<(usize, u64)>, Malformed> {
        match self {
            Self::Size => {
                // The parser takes a line without any digit for the last one.
                if from.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) {
                    return Err("a chunk without a length");
                }
                match parse_chunk_size(from) {
                    Ok(Status::Complete((step, size))) => {
                        *self = if size == 0 { Self::Trailer(0) } else { Self::Data(size) };
                        Ok(Some((step, 0)))
                    }
                    Ok(Status::Partial) if from.len() < LINE => Ok(None),
                    _ => Err("a chunk without a length"),
                }
            }
            Self::Data(left) => {
                let data = first(from, *left);
                if data.is_empty() {
                    return Ok(None);
                }
                chunk(data, to);
                *left -= data.len() as u64;
                if *left == 0 {
                    *self = Self::Line;
                }
                Ok(Some((data.len(), data.len() as u64)))
            }
            Self::Line => match from {
                [b'\r', b'\n', ..] => {
                    *self = Self::Size;
                    Ok(Some((2, 0)))
                }
                [] | [b'\r'] => Ok(None),
                _ => Err("a chunk that is longer than it says"),
            },
            Self::Trailer(gone) => {
                let line = from.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
                if *gone + line.unwrap_or(from.len()) > LINE {
                    return Err("too much after the last chunk");
                }
                let Some(line) = line else { return Ok(None) };
                if matches!(from.get(..line), Some(b"\r\n" | b"\n")) {
                    to.extend_from_slice(b"0\r\n\r\n");
                    *self = Self::Over;
                } else {
                    *gone += line;
                }
                Ok(Some((line, 0)))
            }
            Self::Over => Ok(None),
        }
    }
}

/// As much of it as there is, and no more than that.
fn first(from: &[u8], most: u64) -> &[u8] {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    from.get(..most).unwrap_or(from)
}

fn chunk(data: &[u8], to: &mut Vec<u8>) {
    // One of nothing would be the last.
    if !data.is_empty() {
        // Into memory it cannot fail.
        let _ = write!(to, "{:x}\r\n", data.len());
        to.extend_from_slice(data);
        to.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunk, Framing, LINE};
    use proptest::prelude::*;

    /// What the client gets when the bytes come in these pieces; and how many bytes are used up.
    fn passed(mut framing: Framing, pieces: &[&[u8]]) -> Result<(Vec<u8>, usize, bool), &'static str> {
        let (mut said, mut told, mut all) = (Vec::new(), Vec::new(), 0);
        for piece in pieces {
            said.extend_from_slice(piece);
            let (used, _) = framing.pass(&said, &mut told)?;
            said.drain(..used);
            all += used;
        }
        Ok((told, all, framing.is_over()))
    }

    /// The body of what was written in chunks, as another reader sees it.
    fn joined(mut chunks: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        while let Ok(httparse::Status::Complete((at, size))) = httparse::parse_chunk_size(chunks) {
            let size = usize::try_from(size).unwrap();
            body.extend_from_slice(&chunks[at..at + size]);
            assert_eq!(&chunks[at + size..at + size + 2], b"\r\n");
            chunks = &chunks[at + size + 2..];
        }
        assert!(chunks.is_empty());
        body
    }

    proptest! {
        #[test]
        fn chunks_are_the_same_however_they_come(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            extension in prop::sample::select(vec!["", ";a=b", " ;c", ";quoted=\"x\""]),
            trailer in prop::sample::select(vec!["", "X-Sum: 1\r\n", "A: b\r\nC: d\r\n"]),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut wire = Vec::new();
            for body in &bodies {
                wire.extend_from_slice(format!("{:X}{extension}\r\n", body.len()).as_bytes());
                wire.extend_from_slice(body);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(format!("0{extension}\r\n{trailer}\r\n").as_bytes());
            let whole = wire.len();
            wire.extend_from_slice(b"HTTP/1.1 200");
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len())).chain([0, wire.len()]).collect();
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &wire[cut[0]..cut[1]]).collect();
            let (told, used, over) = passed(Framing::chunked(), &pieces).unwrap();
            prop_assert_eq!((joined(&told), used, over), (bodies.concat(), whole, true));
        }

        #[test]
        fn anything_is_passed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = passed(Framing::chunked(), &[&bytes]);
        }
    }

    #[test]
    fn what_is_not_a_chunk_is_refused() {
        for wrong in [
            "\r\n",
            "\r\n\r\n",
            "x\r\n",
            "-1\r\n",
            "5\nhello",
            "5\r\nhello!\r\n",
            "+5\r\n",
            " 5\r\n",
            "11111111111111111\r\n",
        ] {
            assert!(passed(Framing::chunked(), &[wrong.as_bytes()]).is_err(), "{wrong:?}");
        }
        let endless = [b"5;".as_slice(), &vec![b'a'; LINE]].concat();
        assert!(passed(Framing::chunked(), &[&endless]).is_err());
        let header = b"a: b\r\n";
        let trailers = [b"0\r\n".as_slice(), &header.repeat(LINE / header.len() + 1)].concat();
        assert!(passed(Framing::chunked(), &[&trailers]).is_err());
    }

    #[test]
    fn a_length_is_kept_to_and_an_open_end_is_written_down() {
        assert_eq!(passed(Framing::Length(5), &[b"hel", b"lo and more"]).unwrap(), (b"hello".to_vec(), 5, true));
        let mut told = Vec::new();
        let mut framing = Framing::TilItEnds;
        framing.pass(b"hello", &mut told).unwrap();
        framing.pass(b"", &mut told).unwrap();
        assert!(!framing.is_over() && framing.end(&mut told));
        assert_eq!(told, b"5\r\nhello\r\n0\r\n\r\n");
        assert!(!Framing::Length(1).end(&mut told) && !Framing::Chunked(Chunk::Size).end(&mut told));
    }
}
