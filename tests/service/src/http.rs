//! As much of HTTP/1.1 as the service needs: bodies of a known length and in chunks, read piece by piece; keep-alive.

use std::io::{self, BufRead, Read as _, Write};

/// No line and no header of a request is longer, and there are no more headers.
const LONGEST_LINE: u64 = 8 << 10;
const MOST_HEADERS: usize = 100;
/// A body is read in pieces of this size: it is never held as a whole.
const PIECE: usize = 16 << 10;

/// A request's head.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) keep_alive: bool,
    pub(crate) body: Body,
    /// The key of a client that asks for a WebSocket.
    pub(crate) websocket: Option<String>,
}

/// How the body is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Body {
    Length(u64),
    Chunks,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: &'static str,
    pub(crate) body: String,
}

/// Reads a request's head. `None` when the client has gone, or sends what is no request.
pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Option<Request>> {
    let Some(first) = line(from)? else { return Ok(None) };
    let mut words = first.split(' ');
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Ok(None);
    };
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let mut request = Request {
        method: method.to_owned(),
        path,
        keep_alive: version == "HTTP/1.1",
        body: Body::Length(0),
        websocket: None,
    };
    let (mut upgrade, mut key) = (false, None);
    for _ in 0..MOST_HEADERS {
        let Some(header) = line(from)? else { return Ok(None) };
        if header.is_empty() {
            request.websocket = key.filter(|_| upgrade);
            return Ok(Some(request));
        }
        let Some((name, value)) = header.split_once(':') else { return Ok(None) };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "connection" if value.eq_ignore_ascii_case("close") => request.keep_alive = false,
            "content-length" => match value.parse() {
                Ok(length) => request.body = Body::Length(length),
                Err(_) => return Ok(None),
            },
            "transfer-encoding" => request.body = Body::Chunks,
            "upgrade" => upgrade = value.eq_ignore_ascii_case("websocket"),
            "sec-websocket-key" => key = Some(value.to_owned()),
            _ => {}
        }
    }
    Ok(None)
}

/// Reads a body to its end, and gives its pieces.
pub(crate) fn body(from: &mut impl BufRead, body: Body, mut piece: impl FnMut(&[u8])) -> io::Result<()> {
    match body {
        Body::Length(length) => pieces(from, length, &mut piece),
        Body::Chunks => loop {
            let head = line(from)?.unwrap_or_default();
            let size = head.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| io::Error::other(format!("no chunk: {head}")))?;
            pieces(from, size, &mut piece)?;
            // After the last chunk trailers may come; this service knows of none, so an empty line ends either.
            if line(from)?.is_none_or(|rest| !rest.is_empty()) {
                return Err(io::Error::other("a chunk that does not end"));
            }
            if size == 0 {
                return Ok(());
            }
        },
    }
}

fn pieces(from: &mut impl BufRead, mut left: u64, piece: &mut impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = [0; PIECE];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let read = from.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        piece(&buffer[..read]);
        left -= read as u64;
    }
    Ok(())
}

fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    from.by_ref().take(LONGEST_LINE).read_line(&mut line)?;
    let Some(text) = line.strip_suffix('\n') else { return Ok(None) };
    Ok(Some(text.strip_suffix('\r').unwrap_or(text).to_owned()))
}

/// Writes an answer.
pub(crate) fn write(to: &mut impl Write, answer: &Answer, revision: &str, keep_alive: bool) -> io::Result<()> {
    let Answer { status, body } = answer;
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let length = body.len();
    // In one piece: a head and a body in two packets wait for each other.
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\nx-revision: {revision}\r\n\
         connection: {connection}\r\n\r\n{body}"
    );
    to.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> io::Result<Option<(Request, String)>> {
        let mut from = text.as_bytes();
        let Some(request) = read(&mut from)? else { return Ok(None) };
        let mut bytes = Vec::new();
        body(&mut from, request.body, |piece| bytes.extend_from_slice(piece))?;
        Ok(Some((request, String::from_utf8_lossy(&bytes).into_owned())))
    }

    #[test]
    fn bodies_of_both_kinds() {
        let (request, body) =
            whole("POST /echo?x HTTP/1.1\r\ncontent-length: 3\r\nConnection: close\r\n\r\nabc").unwrap().unwrap();
        assert_eq!((request.path.as_str(), request.keep_alive, body.as_str()), ("/echo", false, "abc"));
        let (request, body) =
            whole("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n")
                .unwrap()
                .unwrap();
        assert_eq!((request.keep_alive, body.as_str()), (true, "abc"));
    }

    #[test]
    fn a_websocket_has_a_key() {
        let head = "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: k\r\n\r\n";
        assert_eq!(whole(head).unwrap().unwrap().0.websocket.as_deref(), Some("k"));
    }

    #[test]
    fn what_is_no_request() {
        assert_eq!(whole("").unwrap(), None);
        assert_eq!(whole("GET / HTTP/1.1\r\nnonsense\r\n\r\n").unwrap(), None);
        assert_eq!(whole("POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n").unwrap(), None);
        assert!(whole("POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nabc").is_err());
        assert!(whole("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n").is_err());
    }
}
