//! The header of an answer: what it says about what follows, and as the client gets to see it.

use super::body::Framing;
use crate::front::head::is;
use http::HeaderName;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRAILER, TRANSFER_ENCODING};
use httparse::{Header, ParserConfig, Response, Status};
use std::io::Write as _;
use std::mem::MaybeUninit;

/// As many headers as pingora takes.
const MOST: usize = 256;
/// An answer whose header is longer is not one, in bytes.
const LONGEST: usize = 256 << 10;

const CHUNKED: &str = "chunked";
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// What a service says is not HTTP; why.
pub(super) type Malformed = &'static str;

/// The header of an answer, or of what comes before one (1xx).
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) framing: Framing,
    /// The service's connection can be used again after it.
    pub(super) stays: bool,
    /// The service says when it answered.
    pub(super) dated: bool,
    /// Of the header, in bytes.
    pub(super) length: usize,
}

impl Answer {
    /// Reads the header that these bytes begin with, and writes it as it goes on, but for the empty line at its end. None:
    /// it is not whole yet.
    pub(super) fn read(bytes: &[u8], to: &mut Vec<u8>) -> Result<Option<Self>, Malformed> {
        let mut headers = [MaybeUninit::<Header<'_>>::uninit(); MOST];
        let mut response = Response::new(&mut []);
        // As forgiving as those that services were written against.
        let mut config = ParserConfig::default();
        config.allow_spaces_after_header_name_in_responses(true).allow_obsolete_multiline_headers_in_responses(true);
        let length = match config.parse_response_with_uninit_headers(&mut response, bytes, &mut headers) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if bytes.len() < LONGEST => return Ok(None),
            Ok(Status::Partial) => return Err("a header without an end"),
            Err(_) => return Err("not an answer of HTTP/1.1"),
        };
        let (Some(status), Some(version)) = (response.code, response.version) else { return Err("no status") };
        if status < 100 {
            return Err("a status below 100");
        }
        let mut said = Said::default();
        for header in &*response.headers {
            said.hear(header)?;
        }
        let framing = said.framing(status)?;
        let stays = framing != Framing::TilItEnds && said.stays(status, version);
        let dated = said.dated && said.goes_on(DATE.as_str());

        // Into memory it cannot fail.
        let _ = write!(to, "HTTP/1.1 {status} ");
        to.extend_from_slice(response.reason.unwrap_or_default().as_bytes());
        to.extend_from_slice(b"\r\n");
        for header in response.headers.iter().filter(|header| said.goes_on(header.name)) {
            to.extend_from_slice(header.name.as_bytes());
            to.extend_from_slice(b": ");
            // A header of several lines, as there once were.
            to.extend(header.value.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
            to.extend_from_slice(b"\r\n");
        }
        said.write_framing(&framing, status, to);
        Ok(Some(Self { status, framing, stays, dated, length }))
    }

    /// It only comes before the answer.
    pub(super) fn is_informational(&self) -> bool {
        self.status < 200
    }
}

/// What the headers say about the answer itself, and its connection.
#[derive(Default)]
struct Said<'a> {
    length: Option<u64>,
    /// What was done to the body for the way, in this order.
    codings: Vec<&'a str>,
    closes: bool,
    keeps: bool,
    dated: bool,
    /// Headers that are for this connection only.
    here: Vec<&'a str>,
}

impl<'a> Said<'a> {
    fn hear(&mut self, header: &Header<'a>) -> Result<(), Malformed> {
        let name = header.name;
        if is(name, &CONTENT_LENGTH) {
            for value in words(header.value)? {
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                let length = value.parse().ok().filter(|_| digits).ok_or("a length that is not a number")?;
                if self.length.replace(length).is_some_and(|other| other != length) {
                    return Err("two lengths");
                }
            }
        } else if is(name, &TRANSFER_ENCODING) {
            for value in words(header.value)? {
                if !value.bytes().all(|byte| byte.is_ascii_graphic()) || value.is_empty() {
                    return Err("a transfer encoding that is none");
                }
                if value.eq_ignore_ascii_case("identity") {
                    // Of a time when that meant none; others may understand it otherwise.
                    self.closes = true;
                } else {
                    self.codings.push(value);
                }
            }
        } else if is(name, &CONNECTION) {
            for value in words(header.value)? {
                if value.eq_ignore_ascii_case("close") {
                    self.closes = true;
                } else if value.eq_ignore_ascii_case("keep-alive") {
                    self.keeps = true;
                } else {
                    self.here.push(value);
                }
            }
        } else if is(name, &DATE) {
            self.dated = true;
        }
        Ok(())
    }

    /// How the end of the body is found (RFC 9112, 6.3).
    fn framing(&self, status: u16) -> Result<Framing, Malformed> {
        let chunked = |coding: &&str| coding.eq_ignore_ascii_case(CHUNKED);
        if self.codings.iter().rev().skip(1).any(chunked) {
            return Err("an encoding after the one that says where it ends");
        }
        Ok(match (self.codings.last(), self.length) {
            _ if is_bare(status) || status == 304 => Framing::Length(0),
            (Some(last), _) if chunked(last) => Framing::chunked(),
            // An encoding overrules a length.
            (None, Some(length)) => Framing::Length(length),
            _ => Framing::TilItEnds,
        })
    }

    /// The connection can be used again; not if the answer says two things about its length, or one that is not true:
    /// whoever wrote it may mean either.
    fn stays(&self, status: u16, version: u8) -> bool {
        let sure = match (self.codings.is_empty(), self.length) {
            (true, length) => !is_bare(status) || length.unwrap_or(0) == 0,
            (false, length) => version == 1 && length.is_none() && !is_bare(status) && status != 304,
        };
        sure && !self.closes && (version == 1 || self.keeps)
    }

    /// It is not about the connection, nor about the framing, which is written anew.
    fn goes_on(&self, name: &str) -> bool {
        let stays_here = [&CONTENT_LENGTH, &TRANSFER_ENCODING, &CONNECTION, &KEEP_ALIVE, &PROXY_CONNECTION, &TRAILER];
        !stays_here.iter().any(|header| is(name, header))
            && !self.here.iter().any(|here| name.eq_ignore_ascii_case(here))
    }

    fn write_framing(&self, framing: &Framing, status: u16, to: &mut Vec<u8>) {
        match (framing, self.length) {
            _ if is_bare(status) => {}
            (Framing::Length(_), None) => {}
            // Of a 304 it is that of the body which the client has.
            (Framing::Length(_), Some(length)) => {
                // Into memory it cannot fail.
                let _ = write!(to, "Content-Length: {length}\r\n");
            }
            (Framing::Chunked(_) | Framing::TilItEnds, _) => {
                to.extend_from_slice(b"Transfer-Encoding: ");
                for coding in self.codings.iter().filter(|coding| !coding.eq_ignore_ascii_case(CHUNKED)) {
                    to.extend_from_slice(coding.as_bytes());
                    to.extend_from_slice(b", ");
                }
                to.extend_from_slice(b"chunked\r\n");
            }
        }
    }
}

/// An answer that has neither a body nor says a word about one.
fn is_bare(status: u16) -> bool {
    status < 200 || status == 204
}

fn words(value: &[u8]) -> Result<impl Iterator<Item = &str>, Malformed> {
    let text = std::str::from_utf8(value).map_err(|_| "a header that is not text")?;
    Ok(text.split(',').map(str::trim))
}

#[cfg(test)]
mod tests {
    use super::{Answer, LONGEST};
    use crate::front::direct::body::Framing;

    fn read(head: &str) -> (Answer, String) {
        let mut to = Vec::new();
        let answer = Answer::read(head.as_bytes(), &mut to).unwrap().unwrap();
        assert_eq!(answer.length, head.len());
        (answer, String::from_utf8(to).unwrap())
    }

    #[test]
    fn an_answer_says_where_it_ends() {
        for (head, framing, stays) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Framing::Length(5), true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nContent-Length: 5\r\n\r\n", Framing::Length(5), true),
            ("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 5\r\n\r\n", Framing::Length(5), false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", Framing::Length(5), false),
            ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n", Framing::Length(5), true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n", Framing::chunked(), true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", Framing::chunked(), false),
            (
                "HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n",
                Framing::Length(5),
                false,
            ),
            (
                "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
                Framing::chunked(),
                false,
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n", Framing::Length(5), false),
            ("HTTP/1.1 200 OK\r\n\r\n", Framing::TilItEnds, false),
            ("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", Framing::Length(0), true),
            ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", Framing::Length(0), false),
            ("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", Framing::Length(0), false),
            ("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", Framing::Length(0), false),
            ("HTTP/1.1 204 No Content\r\n\r\n", Framing::Length(0), true),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Framing::Length(0), true),
            ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", Framing::Length(0), true),
        ] {
            let (answer, _) = read(head);
            assert_eq!((&answer.framing, answer.stays), (&framing, stays), "{head}");
        }
    }

    #[test]
    fn what_may_be_read_in_two_ways_is_refused() {
        for wrong in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5,\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n 6\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chun\r\n ked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 099 Low\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\na\0b: c\r\n\r\n",
            "what is this\r\n\r\n",
        ] {
            assert!(Answer::read(wrong.as_bytes(), &mut Vec::new()).is_err(), "{wrong:?}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(LONGEST));
        assert!(Answer::read(endless.as_bytes(), &mut Vec::new()).is_err());
        assert!(Answer::read(b"HTTP/1.1 200 OK\r\na: b\r\n", &mut Vec::new()).unwrap().is_none());
    }

    #[test]
    fn what_is_for_the_connection_stays_here() {
        let (_, told) = read(
            "HTTP/1.0 200 Fine\r\nConnection: keep-alive, X-Mine\r\nKeep-Alive: timeout=5\r\nx-mine: 1\r\nServer : odd\r\n\
             Trailer: x\r\nFolded: a\r\n b\r\nSet-Cookie: a=b\r\nset-cookie: c=d\r\nContent-Length: 0\r\n\r\n",
        );
        assert_eq!(
            told,
            "HTTP/1.1 200 Fine\r\nServer: odd\r\nFolded: a   b\r\nSet-Cookie: a=b\r\nset-cookie: c=d\r\nContent-Length: 0\r\n"
        );
    }

    #[test]
    fn the_framing_is_written_as_it_was_understood() {
        for (said, told) in [
            ("Content-Length: 9\r\ntransfer-encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n"),
            ("Transfer-Encoding: gzip\r\nTransfer-Encoding: Chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n"),
            ("Transfer-Encoding: identity\r\nContent-Length: 9\r\n", "Content-Length: 9\r\n"),
            ("Transfer-Encoding: gzip\r\n", "Transfer-Encoding: gzip, chunked\r\n"),
            ("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n"),
            ("Connection: content-length\r\ncontent-length: 5, 5\r\ncontent-length: 5\r\n", "Content-Length: 5\r\n"),
            ("", "Transfer-Encoding: chunked\r\n"),
        ] {
            let (_, head) = read(&format!("HTTP/1.1 200 OK\r\n{said}\r\n"));
            assert_eq!(head, format!("HTTP/1.1 200 OK\r\n{told}"), "{said}");
        }
        let (_, head) = read("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(head, "HTTP/1.1 204 No Content\r\n");
        let (_, head) = read("HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n");
        assert_eq!(head, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n");
        let (answer, head) = read("HTTP/1.1 204 No Content\r\nConnection: date\r\nDate: x\r\n\r\n");
        assert_eq!((head.as_str(), answer.dated), ("HTTP/1.1 204 No Content\r\n", false));
    }
}
