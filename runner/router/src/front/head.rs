//! A request's header, of either way, and what the router looks for in it.

use crate::run::Service;
use http::header::{COOKIE, HOST, HeaderName, HeaderValue};
use pingora_http::RequestHeader;

pub(super) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(super) const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

pub(super) trait Head {
    /// As the request names it; empty: it does not.
    fn host(&self) -> &str;
    fn path(&self) -> &str;
    /// Those of all headers of this name.
    fn values(&self, name: &HeaderName) -> Vec<&[u8]>;
}

impl Head for RequestHeader {
    fn host(&self) -> &str {
        // As HTTP/2 or HTTP/1.1 name it.
        let named = self.uri.authority().map(http::uri::Authority::as_str);
        named.or_else(|| self.headers.get(HOST).and_then(|h| h.to_str().ok())).unwrap_or("")
    }

    fn path(&self) -> &str {
        self.uri.path()
    }

    fn values(&self, name: &HeaderName) -> Vec<&[u8]> {
        self.headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
    }
}

/// The revision that a tester asks for, where that is allowed.
pub(super) fn asked_for(service: &Service, head: &impl Head) -> Option<String> {
    let name = service.override_header.as_ref()?;
    head.values(name).first().map(|value| String::from_utf8_lossy(value).into_owned())
}

/// The value of this cookie.
pub(super) fn cookie(head: &impl Head, name: &str) -> Option<String> {
    let all = texts(head, &COOKIE);
    let mut pairs = all.iter().flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(n, _)| *n == name).map(|(_, value)| value.to_owned())
}

/// Values that are text.
pub(super) fn texts<'a>(head: &'a impl Head, name: &HeaderName) -> Vec<&'a str> {
    let visible = |value: &&str| value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    let values = head.values(name).into_iter().filter_map(|value| std::str::from_utf8(value).ok());
    values.filter(visible).collect()
}

/// A header as it was sent has this name.
pub(super) fn is(header: &str, name: &HeaderName) -> bool {
    header.eq_ignore_ascii_case(name.as_str())
}
