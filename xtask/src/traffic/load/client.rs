//! An HTTP/1.1 client that hides nothing: what goes wrong is told, and nothing is sent twice.

use super::record::Reason;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(5);
/// A request whose next byte is later than this has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// A body is sent in pieces of this size.
const PIECE: usize = 48 << 10;

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::traffic) struct Reply {
    pub(in crate::traffic) status: u16,
    /// Who answered: the header `x-revision`.
    pub(in crate::traffic) revision: Option<String>,
    pub(in crate::traffic) body: Vec<u8>,
    close: bool,
}

/// What is asked for.
pub(super) struct Ask<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) body: &'a [u8],
    pub(super) chunked: bool,
    /// The connection is for this request only.
    pub(super) last: bool,
}

/// A connection that is kept as long as the server keeps it.
pub(in crate::traffic) struct Conn {
    address: SocketAddr,
    host: &'static str,
    stream: Option<BufReader<TcpStream>>,
}

impl Conn {
    pub(in crate::traffic) fn new(address: SocketAddr, host: &'static str) -> Self {
        Self { address, host, stream: None }
    }

    /// `GET`, on the kept connection.
    pub(in crate::traffic) fn get(&mut self, path: &str) -> Result<Reply, Reason> {
        self.send(&Ask { method: "GET", path, body: b"", chunked: false, last: false })
    }

    pub(super) fn send(&mut self, ask: &Ask<'_>) -> Result<Reply, Reason> {
        let mut stream = match self.stream.take().filter(is_open) {
            Some(stream) => stream,
            None => connect(self.address)?,
        };
        let written = write(stream.get_mut(), self.host, ask);
        // Who refuses a request may answer without having read all of its body.
        let reply = match read(&mut stream) {
            Ok(reply) => reply,
            Err(why) => return Err(Reason::of(&written.err().unwrap_or(why))),
        };
        if written.is_ok() && !reply.close && !ask.last {
            self.stream = Some(stream);
        }
        Ok(reply)
    }
}

pub(super) fn connect(address: SocketAddr) -> Result<BufReader<TcpStream>, Reason> {
    let connected = TcpStream::connect_timeout(&address, CONNECT).and_then(|stream| {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    });
    connected.map(BufReader::new).map_err(|why| match why.kind() {
        ErrorKind::ConnectionRefused => Reason::Refused,
        _ => Reason::of(&why),
    })
}

/// Every client looks before it uses a kept connection again.
fn is_open(stream: &BufReader<TcpStream>) -> bool {
    let stream = stream.get_ref();
    let nothing = stream.set_nonblocking(true).and_then(|()| match stream.peek(&mut [0]) {
        Err(why) if why.kind() == ErrorKind::WouldBlock => Ok(()),
        _ => Err(ErrorKind::ConnectionAborted.into()),
    });
    nothing.and_then(|()| stream.set_nonblocking(false)).is_ok()
}

fn write(stream: &mut TcpStream, host: &str, ask: &Ask<'_>) -> io::Result<()> {
    let Ask { method, path, body, chunked, last } = ask;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
    if *last {
        head.push_str("connection: close\r\n");
    }
    if *chunked {
        head.push_str("transfer-encoding: chunked\r\n\r\n");
    } else if *method == "POST" {
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    } else {
        head.push_str("\r\n");
    }
    stream.write_all(head.as_bytes())?;
    for piece in body.chunks(PIECE) {
        if *chunked {
            stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
            stream.write_all(piece)?;
            stream.write_all(b"\r\n")?;
        } else {
            stream.write_all(piece)?;
        }
    }
    if *chunked { stream.write_all(b"0\r\n\r\n") } else { Ok(()) }
}

/// The head of an answer.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) revision: Option<String>,
    close: bool,
    length: Option<u64>,
    chunked: bool,
}

pub(super) fn read_head(stream: &mut BufReader<TcpStream>) -> io::Result<Head> {
    let first = line(stream)?;
    let mut words = first.split(' ');
    let status = match (words.next(), words.next().and_then(|status| status.parse().ok())) {
        (Some("HTTP/1.1" | "HTTP/1.0"), Some(status)) => status,
        _ => return Err(io::Error::new(ErrorKind::InvalidData, format!("no answer: {first}"))),
    };
    let mut head = Head { status, revision: None, close: first.starts_with("HTTP/1.0"), length: None, chunked: false };
    loop {
        let header = line(stream)?;
        let Some((name, value)) = header.split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "x-revision" => head.revision = Some(value.to_owned()),
            "content-length" => head.length = value.parse().ok(),
            "transfer-encoding" => head.chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" if value.eq_ignore_ascii_case("close") => head.close = true,
            _ => {}
        }
    }
    Ok(head)
}

fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Reply> {
    let mut head = read_head(stream)?;
    let mut body = Vec::new();
    if head.chunked {
        loop {
            let size = line(stream)?;
            let size = u64::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)
                .map_err(|_| io::Error::new(ErrorKind::InvalidData, format!("no chunk: {size}")))?;
            exactly(stream, size, &mut body)?;
            line(stream)?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = head.length {
        exactly(stream, length, &mut body)?;
    } else {
        stream.read_to_end(&mut body)?;
        head.close = true;
    }
    Ok(Reply { status: head.status, revision: head.revision, body, close: head.close })
}

fn exactly(stream: &mut BufReader<TcpStream>, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    let read = stream.take(length).read_to_end(body)?;
    if read as u64 == length { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    stream.take(16 << 10).read_line(&mut line)?;
    match line.strip_suffix("\r\n") {
        Some(text) => Ok(text.to_owned()),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}
