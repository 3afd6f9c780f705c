//! The answers that the router gives itself: a line of plain text that says what is the matter.

use bytes::Bytes;
use http::StatusCode;
use pingora_core::Result;
use pingora_core::protocols::http::date::get_cached_date;
use pingora_http::ResponseHeader;
use pingora_proxy::Session;
use std::io::Write as _;

pub(super) async fn answer(session: &mut Session, status: u16, text: &str) -> Result<()> {
    let body = Bytes::from(body(text));
    let mut header = ResponseHeader::build(status, Some(4))?;
    header.insert_header(http::header::CONTENT_TYPE, "text/plain; charset=utf-8")?;
    header.insert_header(http::header::CONTENT_LENGTH, body.len())?;
    header.insert_header(http::header::CACHE_CONTROL, "no-store")?;
    if status == 503 {
        header.insert_header(http::header::RETRY_AFTER, "1")?;
    }
    let bodiless = session.req_header().method == http::Method::HEAD;
    session.write_response_header(Box::new(header), bodiless).await?;
    if bodiless { Ok(()) } else { session.write_response_body(Some(body), true).await }
}

/// The same to a client of HTTP/1.1, and whether it is the connection's last. Says how long its body is, in bytes.
pub(super) fn plain(status: u16, text: &str, last: bool, to: &mut Vec<u8>) -> u64 {
    let body = body(text);
    let reason = StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or_default();
    // Into memory it cannot fail.
    let _ = write!(
        to,
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\n{}{}Date: ",
        body.len(),
        if status == 503 { "Retry-After: 1\r\n" } else { "" },
        if last { "Connection: close\r\n" } else { "" },
    );
    to.extend_from_slice(get_cached_date().as_bytes());
    to.extend_from_slice(b"\r\n\r\n");
    to.extend_from_slice(body.as_bytes());
    body.len() as u64
}

fn body(text: &str) -> String {
    format!("windlass router: {text}\n")
}
