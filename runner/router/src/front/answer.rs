//! The answers that the router gives itself: a line of plain text that says what is the matter.

use bytes::Bytes;
use pingora_core::Result;
use pingora_http::ResponseHeader;
use pingora_proxy::Session;

pub(super) async fn answer(session: &mut Session, status: u16, text: &str) -> Result<()> {
    let body = Bytes::from(format!("windlass router: {text}\n"));
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
