//! The header of a request that goes the short way: what is asked, and as the service gets to see it.

use crate::front::head::{FORWARDED_FOR, FORWARDED_PROTO, Head, is};
use http::HeaderName;
use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use httparse::{Header, Request, Status};
use std::mem::MaybeUninit;

/// A request with more headers goes the long way.
const MOST: usize = 64;

/// What a request of this way may be. HEAD is not: its answer announces a body that does not come.
const METHODS: [(&str, bool); 6] =
    [("GET", true), ("POST", false), ("PUT", true), ("DELETE", true), ("PATCH", false), ("OPTIONS", true)];

/// Headers that say something about the connection or the body that here nobody looks at.
const OUT_OF_THE_ORDINARY: [HeaderName; 10] = [
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    EXPECT,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
];

/// Who asks, as the service is told.
#[derive(Debug)]
pub(super) struct Client {
    /// Its address.
    pub(super) by: String,
    pub(super) tls: bool,
}

/// HTTP/1.1, there as a whole, and with nothing in its headers that is for the router.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    head: &'a [u8],
    pub(super) method: &'static str,
    path: &'a str,
    host: &'a str,
    /// Doing it twice may not be the same as once.
    pub(super) once: bool,
    /// It is the client's last on this connection.
    pub(super) last: bool,
    /// With its body, in bytes.
    pub(super) length: usize,
}

impl<'a> Asked<'a> {
    /// Reads the request that these bytes begin with, and writes it as it goes out. None: it is not whole yet, or goes the
    /// long way, which also says what is wrong with it.
    pub(super) fn read(bytes: &'a [u8], client: &Client, to: &mut Vec<u8>) -> Option<Self> {
        let mut headers = [MaybeUninit::<Header<'_>>::uninit(); MOST];
        let mut request = Request::new(&mut []);
        let Ok(Status::Complete(length)) = request.parse_with_uninit_headers(bytes, &mut headers) else { return None };
        let (method, target) = (request.method?, request.path.filter(|path| is_plain(path))?);
        let (method, repeats) = METHODS.iter().find(|(name, _)| *name == method)?;
        if request.version != Some(1) {
            return None;
        }
        for part in [method.as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1\r\n"] {
            to.extend_from_slice(part);
        }
        let (mut host, mut last) = (None, None);
        let (mut cookies, mut lengths, mut body, mut forwarded) = (0, 0, 0, false);
        for header in &*request.headers {
            match header.name {
                name if is(name, &HOST) => {
                    let named = std::str::from_utf8(header.value).ok().filter(|host| is_host(host))?;
                    if host.replace(named).is_some() {
                        return None;
                    }
                }
                name if is(name, &COOKIE) => cookies += 1,
                name if is(name, &CONNECTION) => {
                    let ends = header.value.eq_ignore_ascii_case(b"close");
                    if !(ends || header.value.eq_ignore_ascii_case(b"keep-alive")) || last.replace(ends).is_some() {
                        return None;
                    }
                    continue;
                }
                name if is(name, &CONTENT_LENGTH) => {
                    lengths += 1;
                    body = size(header.value)?;
                }
                name if is(name, &FORWARDED_FOR) => {
                    forwarded = true;
                    continue;
                }
                name if is(name, &FORWARDED_PROTO) => continue,
                name if OUT_OF_THE_ORDINARY.iter().any(|out| is(name, out)) => return None,
                _ => {}
            }
            for part in [header.name.as_bytes(), b": ", header.value, b"\r\n"] {
                to.extend_from_slice(part);
            }
        }
        to.extend_from_slice(b"X-Forwarded-For: ");
        if forwarded {
            // Whoever stood before the client may have added lines of its own, which come first.
            for before in request.headers.iter().filter(|header| is(header.name, &FORWARDED_FOR)) {
                to.extend_from_slice(before.value);
                to.extend_from_slice(b", ");
            }
        }
        to.extend_from_slice(client.by.as_bytes());
        to.extend_from_slice(if client.tls {
            b"\r\nX-Forwarded-Proto: https\r\n\r\n"
        } else {
            b"\r\nX-Forwarded-Proto: http\r\n\r\n"
        });
        if cookies > 1 || lengths > 1 {
            return None;
        }
        // Header and body go out together: a service that answers before it has the body may close the connection.
        let (head, rest) = bytes.split_at_checked(length)?;
        let body = rest.get(..body)?;
        to.extend_from_slice(body);
        Some(Self {
            head,
            method,
            path: target.split('?').next().unwrap_or(target),
            host: host?,
            once: !repeats || !body.is_empty(),
            last: last.unwrap_or(false),
            length: length + body.len(),
        })
    }
}

impl Head for Asked<'_> {
    fn host(&self) -> &str {
        self.host
    }

    fn path(&self) -> &str {
        self.path
    }

    fn values(&self, name: &HeaderName) -> Vec<&[u8]> {
        // Hardly any request is asked for one, so none of them is kept.
        let mut headers = [MaybeUninit::<Header<'_>>::uninit(); MOST];
        let mut request = Request::new(&mut []);
        // It could be read before.
        let _ = request.parse_with_uninit_headers(self.head, &mut headers);
        request.headers.iter().filter(|header| is(header.name, name)).map(|header| header.value).collect()
    }
}

/// A length as everybody writes it.
fn size(value: &[u8]) -> Option<usize> {
    let plain = value == b"0" || (value.iter().all(u8::is_ascii_digit) && !value.starts_with(b"0"));
    std::str::from_utf8(value).ok().filter(|_| plain)?.parse().ok()
}

/// A path, not a whole URI, of what may stand in one.
fn is_plain(target: &str) -> bool {
    let may = |byte: u8| byte.is_ascii_graphic() && !br##""#<>\^`{|}"##.contains(&byte);
    target.starts_with('/') && target.bytes().all(may)
}

/// A name or an address, maybe with a port.
fn is_host(host: &str) -> bool {
    let may = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    !host.is_empty() && host.bytes().all(may)
}

#[cfg(test)]
mod tests {
    use super::{Asked, Client};
    use crate::front::head::Head;
    use http::header::COOKIE;

    fn client() -> Client {
        Client { by: "192.0.2.7".to_owned(), tls: true }
    }

    #[test]
    fn an_ordinary_request_goes_out_as_it_came_but_for_what_belongs_to_the_connection() {
        let text = "\r\nGET /a%20b/?c=/d HTTP/1.1\r\nHOST: shop.example:80\r\nConnection: close\r\nX-Odd:  a \r\nCookie: a=b; c=d\r\n\
                    x-forwarded-for: 198.51.100.1\r\nX-Forwarded-Proto: ftp\r\nX-FORWARDED-FOR: 203.0.113.2\r\nContent-Length: 0\r\n\r\nGET";
        let mut to = Vec::new();
        let asked = Asked::read(text.as_bytes(), &client(), &mut to).unwrap();
        assert_eq!((asked.method, asked.path(), asked.host()), ("GET", "/a%20b/", "shop.example:80"));
        assert_eq!((asked.last, asked.once, asked.length), (true, false, text.len() - 3));
        assert_eq!(asked.values(&COOKIE), [b"a=b; c=d"]);
        assert_eq!(
            String::from_utf8(to).unwrap(),
            "GET /a%20b/?c=/d HTTP/1.1\r\nHOST: shop.example:80\r\nX-Odd: a\r\nCookie: a=b; c=d\r\nContent-Length: 0\r\n\
             X-Forwarded-For: 198.51.100.1, 203.0.113.2, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\r\n"
        );
    }

    #[test]
    fn a_body_that_is_there_goes_out_with_its_header() {
        let text = "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhelloGET";
        let mut to = Vec::new();
        let asked = Asked::read(text.as_bytes(), &client(), &mut to).unwrap();
        assert_eq!((asked.length, asked.once), (text.len() - 3, true));
        assert!(to.ends_with(b"X-Forwarded-Proto: https\r\n\r\nhello"));
        let part = &text[..text.len() - 4];
        assert!(Asked::read(part.as_bytes(), &client(), &mut Vec::new()).is_none());
    }

    #[test]
    fn whatever_is_out_of_the_ordinary_is_not_for_this_way() {
        for header in [
            "",
            "Host: a\r\nHost: a\r\n",
            "Host: u@a\r\n",
            "Host: a,b\r\n",
            "Host:\r\n",
            "Host: a/b\r\n",
            "Host : a\r\n",
            "Host: a\r\nContent-Length: 5\r\n",
            "Host: a\r\nContent-Length: +0\r\n",
            "Host: a\r\nContent-Length:\r\n",
            "Host: a\r\nContent-Length: 99999999999999999999\r\n",
            "Host: a\r\nContent-Length: 18446744073709551615\r\n",
            "Host: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n",
            "Host: a\r\nContent-Length: 00\r\n",
            "Host: a\r\nTransfer-Encoding: chunked\r\n",
            "Host: a\r\nUpgrade: websocket\r\n",
            "Host: a\r\nConnection: upgrade\r\n",
            "Host: a\r\nConnection: close\r\nConnection: close\r\n",
            "Host: a\r\nConnection: close, x\r\n",
            "Host: a\r\nTE: trailers\r\n",
            "Host: a\r\nExpect: 100-continue\r\n",
            "Host: a\r\nKeep-Alive: 5\r\n",
            "Host: a\r\nProxy-Connection: close\r\n",
            "Host: a\r\nProxy-Authorization: x\r\n",
            "Host: a\r\nCookie: a=b\r\nCookie: c=d\r\n",
            "Host: a\r\nA: b\r\n c\r\n",
            "Host: a\r\nA: b\rc\r\n",
            "Host: a\r\nA: \0\r\n",
        ] {
            let text = format!("GET / HTTP/1.1\r\n{header}\r\n");
            assert!(Asked::read(text.as_bytes(), &client(), &mut Vec::new()).is_none(), "{header:?}");
        }
        for line in [
            "HEAD / HTTP/1.1",
            "CONNECT a:80 HTTP/1.1",
            "get / HTTP/1.1",
            "GET / HTTP/1.0",
            "GET http://a/ HTTP/1.1",
            "GET * HTTP/1.1",
            "GET /a b HTTP/1.1",
            "GET /# HTTP/1.1",
            "GET /\u{e4} HTTP/1.1",
            "GET /\"a HTTP/1.1",
            "GET  / HTTP/1.1",
            "GET /",
        ] {
            let text = format!("{line}\r\nHost: a\r\n\r\n");
            assert!(Asked::read(text.as_bytes(), &client(), &mut Vec::new()).is_none(), "{line}");
        }
        let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "a: b\r\n".repeat(super::MOST));
        assert!(Asked::read(many.as_bytes(), &client(), &mut Vec::new()).is_none());
        assert!(Asked::read(b"GET / HTTP/1.1\r\nHost: a\r\n", &client(), &mut Vec::new()).is_none());
    }
}
