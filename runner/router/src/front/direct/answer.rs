//! The header of an answer: what it says about what follows, and as the client gets to see it.

use super::body::Framing;
use http::HeaderName;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRAILER, TRANSFER_ENCODING};
use httparse::{Header, ParserConfig, Response, Status};
use std::io::Write as _;
use std::mem::MaybeUninit;

/// As many headers as pingora takes.
const MOST: usize = 256;
/// An answer whose header is longer is not one, in bytes.
const LONGEST: usize = 256 << 10;

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
        let mut said = Said { stays: version == 1, ..Said::default() };
        for header in &*response.headers {
            said.hear(header)?;
        }
        let framing = said.framing(status, version)?;

        // Into memory it cannot fail.
        let _ = write!(to, "HTTP/1.1 {status} ");
        to.extend_from_slice(response.reason.unwrap_or_default().as_bytes());
        to.extend_from_slice(b"\r\n");
        for header in &*response.headers {
            if said.goes_on(header.name) {
                to.extend_from_slice(header.name.as_bytes());
                to.extend_from_slice(b": ");
                // A header of several lines, as there once were.
                to.extend(header.value.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
                to.extend_from_slice(b"\r\n");
            }
        }
        if framing == Framing::TilItEnds {
            to.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        }
        let stays = said.stays() && framing != Framing::TilItEnds;
        Ok(Some(Self { status, framing, stays, dated: said.dated, length }))
    }

    /// It only comes before the answer.
    pub(super) fn is_informational(&self) -> bool {
        self.status < 200
    }
}

/// What the headers say about the answer itself.
#[derive(Default)]
struct Said<'a> {
    length: Option<u64>,
    /// There is one, and the last one is `chunked`.
    encoded: Option<bool>,
    stays: bool,
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
                if self.encoded == Some(true) {
                    return Err("an encoding after the last");
                }
                self.encoded = Some(value.eq_ignore_ascii_case("chunked"));
            }
        } else if is(name, &CONNECTION) {
            for value in words(header.value)? {
                if value.eq_ignore_ascii_case("close") {
                    self.stays = false;
                } else if value.eq_ignore_ascii_case("keep-alive") {
                    self.stays = true;
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
    fn framing(&self, status: u16, version: u8) -> Result<Framing, Malformed> {
        match (self.encoded, self.length) {
            _ if status < 200 || status == 204 || status == 304 => Ok(Framing::Length(0)),
            (Some(true), _) if version == 1 => Ok(Framing::chunked()),
            (Some(_), _) => Err("an encoding that does not say where it ends"),
            (None, Some(length)) => Ok(Framing::Length(length)),
            (None, None) => Ok(Framing::TilItEnds),
        }
    }

    /// One who says two things about the length may mean either.
    fn stays(&self) -> bool {
        self.stays && !(self.encoded.is_some() && self.length.is_some())
    }

    fn goes_on(&self, name: &str) -> bool {
        let connection = [&CONNECTION, &KEEP_ALIVE, &PROXY_CONNECTION, &TRAILER].iter().any(|header| is(name, header));
        let overruled = self.encoded.is_some() && is(name, &CONTENT_LENGTH);
        !connection && !overruled && !self.here.iter().any(|here| name.eq_ignore_ascii_case(here))
    }
}

fn is(header: &str, name: &HeaderName) -> bool {
    header.eq_ignore_ascii_case(name.as_str())
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
            ("HTTP/1.1 200 OK\r\n\r\n", Framing::TilItEnds, false),
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
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
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
        let (_, told) = read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\ntransfer-encoding: chunked\r\n\r\n");
        assert_eq!(told, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n");
        let (_, told) = read("HTTP/1.1 200 OK\r\n\r\n");
        assert_eq!(told, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n");
    }
}
