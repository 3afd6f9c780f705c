//! A WebSocket that sends everything back (RFC 6455), pings now and then, and says 1001 when the service ends.

use crate::sha1;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How often it pings.
const PING: Duration = Duration::from_secs(1);
/// How soon it sees that the service ends.
const GLANCE: Duration = Duration::from_millis(50);
/// How long a client gets to answer a close.
const FAREWELL: Duration = Duration::from_secs(2);
/// A frame may be as long as this.
const LONGEST: usize = 1 << 20;
/// "The endpoint is going away."
const GOING_AWAY: u16 = 1001;

const CLOSE: u8 = 8;
const PING_FRAME: u8 = 9;
const PONG: u8 = 10;

/// Serves one to its end; `early` are bytes that came with the request.
pub(crate) fn serve(
    mut stream: &TcpStream,
    key: &str,
    revision: &str,
    early: &[u8],
    ends: impl Fn() -> bool,
) -> io::Result<()> {
    let accept = sha1::accept(key);
    stream.write_all(
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
             sec-websocket-accept: {accept}\r\nx-revision: {revision}\r\n\r\n"
        )
        .as_bytes(),
    )?;
    stream.set_read_timeout(Some(GLANCE))?;
    let mut received = early.to_vec();
    let mut pinged = Instant::now();
    let mut said_goodbye: Option<Instant> = None;
    let mut buffer = [0; 16 << 10];
    loop {
        while let Some((opcode, payload, used)) = frame(&received)? {
            received.drain(..used);
            match opcode {
                CLOSE if said_goodbye.is_some() => return Ok(()),
                CLOSE => return send(stream, CLOSE, &payload),
                PING_FRAME => send(stream, PONG, &payload)?,
                PONG => {}
                data => send(stream, data, &payload)?,
            }
        }
        match said_goodbye {
            None if ends() => {
                send(stream, CLOSE, &GOING_AWAY.to_be_bytes())?;
                said_goodbye = Some(Instant::now());
            }
            None if pinged.elapsed() >= PING => {
                pinged = Instant::now();
                send(stream, PING_FRAME, b"still there?")?;
            }
            Some(since) if since.elapsed() > FAREWELL => return Ok(()),
            _ => {}
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => received.extend_from_slice(&buffer[..read]),
            Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(why) => return Err(why),
        }
    }
}

/// The first whole frame: its opcode, what is in it, and how many bytes it took. Fragments are sent back as they come.
fn frame(bytes: &[u8]) -> io::Result<Option<(u8, Vec<u8>, usize)>> {
    let (Some(first), Some(second)) = (bytes.first(), bytes.get(1)) else { return Ok(None) };
    let wide = |from: &[u8]| from.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte));
    let (length, head) = match second & 0x7f {
        126 => match bytes.get(2..4) {
            Some(length) => (wide(length), 4),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10) {
            Some(length) => (wide(length), 10),
            None => return Ok(None),
        },
        short => (usize::from(short), 2),
    };
    if second & 0x80 == 0 || length > LONGEST || first & 0x70 != 0 {
        return Err(io::Error::other("a frame that no client may send"));
    }
    let (Some(mask), Some(payload)) = (bytes.get(head..head + 4), bytes.get(head + 4..head + 4 + length)) else {
        return Ok(None);
    };
    let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Ok(Some((first & 0x0f, payload, head + 4 + length)))
}

fn send(mut stream: &TcpStream, opcode: u8, payload: &[u8]) -> io::Result<()> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        short @ ..126 => frame.push(short as u8),
        length @ ..0x1_0000 => {
            frame.push(126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    stream.write_all(&frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut frame = vec![0x80 | opcode, 0x80 | 126];
        frame.extend_from_slice(&(payload.len() as u16).to_be_bytes());
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    #[test]
    fn frames_come_in_pieces() {
        let mut bytes = masked(1, b"hello");
        bytes.extend(masked(CLOSE, b""));
        let (opcode, payload, used) = frame(&bytes).unwrap().unwrap();
        assert_eq!((opcode, payload.as_slice()), (1, &b"hello"[..]));
        assert_eq!(frame(&bytes[used..]).unwrap().map(|(opcode, ..)| opcode), Some(CLOSE));
        for cut in 0..used {
            assert_eq!(frame(&bytes[..cut]).unwrap(), None, "{cut}");
        }
    }

    #[test]
    fn a_client_masks_and_does_not_send_without_end() {
        assert!(frame(&[0x81, 0x00]).is_err());
        assert!(frame(&[0x81, 0xff, 1, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
