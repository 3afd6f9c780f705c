//! As much of HTTP/1.1 as a small service needs: requests without a body, answers of a known length, keep-alive.

use std::io::{self, BufRead, Read as _, Write};

/// No line and no header of a request is longer, and there are no more headers.
const LONGEST_LINE: u64 = 8 << 10;
const MOST_HEADERS: usize = 100;

/// A request.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) keep_alive: bool,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// Reads a request. `None` when the client has gone, or sends what is no request.
pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Option<Request>> {
    let Some(line) = line(from)? else { return Ok(None) };
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Ok(None);
    };
    let mut keep_alive = version == "HTTP/1.1";
    for _ in 0..MOST_HEADERS {
        let Some(header) = self::line(from)? else { return Ok(None) };
        let Some((name, value)) = header.split_once(':') else {
            let path = target.split('?').next().unwrap_or_default();
            return Ok(Some(Request { method: method.to_owned(), path: path.to_owned(), keep_alive }));
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("connection") {
            keep_alive =
                value.eq_ignore_ascii_case("keep-alive") || (keep_alive && !value.eq_ignore_ascii_case("close"));
        }
        // Nothing here takes a body; what follows one could not be told from it.
        if (name.eq_ignore_ascii_case("content-length") && value != "0")
            || name.eq_ignore_ascii_case("transfer-encoding")
        {
            keep_alive = false;
        }
    }
    Ok(None)
}

fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    from.by_ref().take(LONGEST_LINE).read_line(&mut line)?;
    let Some(text) = line.strip_suffix('\n') else { return Ok(None) };
    Ok(Some(text.strip_suffix('\r').unwrap_or(text).to_owned()))
}

/// Writes an answer.
pub(crate) fn write(to: &mut impl Write, answer: &Answer, head_only: bool, keep_alive: bool) -> io::Result<()> {
    let Answer { status, content_type, body } = answer;
    let connection = if keep_alive { "keep-alive" } else { "close" };
    let length = body.len();
    let body = if head_only { "" } else { body };
    // In one piece: a head and a body in two packets wait for each other.
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: {connection}\r\n\r\n{body}"
    );
    to.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Option<(String, bool)> {
        read(&mut text.as_bytes()).unwrap().map(|request| (request.path, request.keep_alive))
    }

    #[test]
    fn requests() {
        assert_eq!(request("GET /health?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"), Some(("/health".to_owned(), true)));
        assert_eq!(request("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), Some(("/".to_owned(), false)));
        assert_eq!(request("GET / HTTP/1.0\r\n\r\n"), Some(("/".to_owned(), false)));
        assert_eq!(request("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"), Some(("/".to_owned(), false)));
    }

    #[test]
    fn what_is_no_request() {
        assert_eq!(request(""), None);
        assert_eq!(request("nonsense\r\n\r\n"), None);
        assert_eq!(request("GET / HTTP/1.1\r\nHost: a"), None);
        assert_eq!(request(&format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(10_000))), None);
        assert_eq!(request(&format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200))), None);
    }
}
