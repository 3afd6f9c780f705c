//! Where WebSocket frames begin and end in a stream of bytes: between two of them a close can be put in.

use bytes::Bytes;

/// "Going away": the server, or its way to the client, ends.
const GOING_AWAY: u16 = 1001;
const CLOSE: u8 = 0x8;

/// One direction of a WebSocket.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: [u8; 14],
    have: usize,
    left: u64,
    closed: bool,
}

impl Frames {
    /// These bytes go by.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while let Some(first) = bytes.first() {
            if self.left > 0 {
                let step = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                self.left -= step as u64;
                bytes = &bytes[step..];
                continue;
            }
            self.head[self.have] = *first;
            self.have += 1;
            bytes = &bytes[1..];
            if let Some(length) = length(&self.head[..self.have]) {
                self.closed |= self.head[0] & 0xf == CLOSE;
                self.left = length;
                self.have = 0;
            }
        }
    }

    /// The next byte begins a frame.
    pub(super) fn is_between(&self) -> bool {
        self.have == 0 && self.left == 0
    }

    /// A close has gone by: nothing comes after it.
    pub(super) fn is_closed(&self) -> bool {
        self.closed && self.is_between()
    }
}

/// The length of the payload, once the head is whole.
fn length(head: &[u8]) -> Option<u64> {
    let second = *head.get(1)?;
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let (extended, short) = match second & 0x7f {
        126 => (2, 0),
        127 => (8, 0),
        short => (0, u64::from(short)),
    };
    if head.len() < 2 + extended + mask {
        return None;
    }
    let long = head.get(2..2 + extended)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    Some(if extended == 0 { short } else { long })
}

/// The close that a client gets.
pub(super) fn close_for_client() -> Bytes {
    let [high, low] = GOING_AWAY.to_be_bytes();
    Bytes::copy_from_slice(&[0x80 | CLOSE, 2, high, low])
}

/// The close that a service gets. What clients send is masked; the mask guards caches that read along,
/// which nothing here is about, so any will do.
pub(super) fn close_for_service() -> Bytes {
    let [high, low] = GOING_AWAY.to_be_bytes();
    let mask = [0x5a, 0xc3, 0x17, 0x88];
    let [a, b, c, d] = mask;
    Bytes::copy_from_slice(&[0x80 | CLOSE, 0x82, a, b, c, d, high ^ a, low ^ b])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(opcode: u8, masked: bool, length: usize) -> Vec<u8> {
        let bit = if masked { 0x80 } else { 0 };
        let mut bytes = vec![0x80 | opcode];
        match length {
            0..126 => bytes.push(bit | u8::try_from(length).unwrap()),
            126..65_536 => {
                bytes.push(bit | 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(bit | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(if masked { &[1, 2, 3, 4][..] } else { &[] });
        bytes.extend(std::iter::repeat_n(0xff, length));
        bytes
    }

    #[test]
    fn frames_are_followed_however_they_are_cut_into_pieces() {
        for masked in [false, true] {
            for length in [0, 1, 125, 126, 65_535, 65_536, 70_000] {
                let bytes = frame(2, masked, length);
                for piece in [1, 2, 3, 7, 1_000, 1 << 20] {
                    let mut frames = Frames::default();
                    for _ in 0..2 {
                        let mut seen = 0;
                        for part in bytes.chunks(piece) {
                            assert_eq!(frames.is_between(), seen == 0, "{length} {piece} {seen}");
                            frames.pass(part);
                            seen += part.len();
                        }
                        assert!(frames.is_between() && !frames.is_closed());
                    }
                    frames.pass(&frame(8, masked, 2));
                    assert!(frames.is_closed());
                }
            }
        }
    }

    #[test]
    fn what_is_said_is_a_close() {
        let mut frames = Frames::default();
        frames.pass(&close_for_client());
        assert!(frames.is_between() && frames.is_closed());
        let service = close_for_service();
        let payload: Vec<u8> = service[6..].iter().zip(&service[2..6]).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(payload, GOING_AWAY.to_be_bytes());
    }
}
