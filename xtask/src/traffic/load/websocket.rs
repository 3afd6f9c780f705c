//! The client's side of a WebSocket (RFC 6455).

use super::client::{connect, read_head};
use super::record::Reason;
use std::io::{BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Nothing may take longer to be sent back.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the thread looks up while it waits.
const GLANCE: Duration = Duration::from_millis(20);
/// The example of the standard: what the server must answer to the key is known.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// An open one.
pub(super) struct Socket {
    stream: BufReader<TcpStream>,
    pub(super) revision: Option<Arc<str>>,
    received: Vec<u8>,
}

/// What came next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// What was sent came back.
    Echo(Vec<u8>),
    /// The server has said goodbye, and it was answered.
    Closed,
    /// Nothing, in the time that was given.
    Nothing,
}

impl Socket {
    /// Opens one. An answer that is no switch is given as a failure with the revision that gave it.
    pub(super) fn open(address: SocketAddr, host: &str) -> Result<Self, (Option<Arc<str>>, Reason)> {
        let mut stream = connect(address).map_err(|why| (None, why))?;
        let ask = format!(
            "GET /ws HTTP/1.1\r\nhost: {host}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n\r\n"
        );
        let head = stream.get_mut().write_all(ask.as_bytes()).and_then(|()| read_head(&mut stream));
        let head = head.map_err(|why| (None, Reason::of(&why)))?;
        let revision: Option<Arc<str>> = head.revision.map(Arc::from);
        if head.status != 101 {
            return Err((revision, Reason::Status(head.status)));
        }
        let set = stream.get_ref().set_read_timeout(Some(GLANCE));
        set.map_err(|why| (revision.clone(), Reason::of(&why)))?;
        Ok(Self { stream, revision, received: Vec::new() })
    }

    /// Sends a message.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Reason> {
        self.send(TEXT, text.as_bytes())
    }

    /// Waits for what comes next, for so long.
    pub(super) fn next(&mut self, time: Duration) -> Result<Event, Reason> {
        let until = Instant::now() + time;
        let mut buffer = [0; 4096];
        loop {
            while let Some((opcode, payload)) = self.frame()? {
                match opcode {
                    PING => self.send(PONG, &payload)?,
                    PONG => {}
                    CLOSE => {
                        // Going away is what a service says that ends; a failure has other codes.
                        let clean = matches!(payload.get(..2), Some([3, 0xe8 | 0xe9]));
                        let _ = self.send(CLOSE, payload.get(..2).unwrap_or_default());
                        return if clean { Ok(Event::Closed) } else { Err(Reason::UncleanClose) };
                    }
                    _ => return Ok(Event::Echo(payload)),
                }
            }
            if Instant::now() >= until {
                return Ok(Event::Nothing);
            }
            match self.stream.read(&mut buffer) {
                // Without a close.
                Ok(0) => return Err(Reason::UncleanClose),
                Ok(read) => self.received.extend_from_slice(&buffer[..read]),
                Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(why) => return Err(Reason::of(&why)),
            }
        }
    }

    /// Says goodbye, and waits until that is answered.
    pub(super) fn close(mut self) -> Result<(), Reason> {
        self.send(CLOSE, &1000u16.to_be_bytes())?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            match self.next(GLANCE)? {
                Event::Closed => return Ok(()),
                Event::Echo(_) | Event::Nothing => {}
            }
        }
        Err(Reason::TimedOut)
    }

    /// The first whole frame of what has come. The service sends no long ones.
    fn frame(&mut self) -> Result<Option<(u8, Vec<u8>)>, Reason> {
        let frame = match self.received[..] {
            [first, length @ 0..126, ..] => {
                let end = 2 + usize::from(length);
                self.received.get(2..end).map(|payload| (first & 0x0f, payload.to_vec(), end))
            }
            [_, _, ..] => return Err(Reason::Nonsense),
            _ => None,
        };
        Ok(frame.map(|(opcode, payload, end)| {
            self.received.drain(..end);
            (opcode, payload)
        }))
    }

    fn send(&mut self, opcode: u8, payload: &[u8]) -> Result<(), Reason> {
        let length = u8::try_from(payload.len()).unwrap_or(125).min(125);
        let mask = [0x5a, 0x17, 0xc3, 0x2e];
        let mut frame = vec![0x80 | opcode, 0x80 | length];
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().take(125).zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.get_mut().write_all(&frame).map_err(|why| Reason::of(&why))
    }
}
