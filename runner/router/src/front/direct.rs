//! The short way of most requests: HTTP/1.1, without a body, and with nothing in their headers that is for the router.
//!
//! Pingora's proxying copies a request's headers, edits the copy, and has both directions at work at once, with a
//! channel each way. Where nothing is left to be sent when the header is, none of that is needed: the request goes out,
//! the answer comes back, and its body is passed on as it arrives. That is half of the computing for a request. Reading
//! and framing stay pingora's; whatever is out of the ordinary takes its long way.

use super::connection::Connection;
use super::proxy::{FORWARDED_FOR, FORWARDED_PROTO, Proxy, Request, forwarded_for};
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{Method, StatusCode, Version};
use pingora_core::protocols::Stream;
use pingora_core::protocols::http::v1::client::HttpSession as ClientSession;
use pingora_core::protocols::http::v1::server::HttpSession;
use pingora_core::protocols::http::{HttpTask, ServerSession};
use pingora_core::{Error, ErrorSource, ErrorType, OrErr, Result, RetryType};
use pingora_http::RequestHeader;
use pingora_proxy::Session;
use tokio::io::AsyncWriteExt;

/// Does it go this way?
pub(super) fn is_for(session: &mut Session) -> bool {
    let ServerSession::H1(client) = session.as_downstream_mut() else { return false };
    let header = client.req_header();
    // An answer to HEAD announces a body that does not come, which only who wrote the request knows.
    let ordinary = header.version == Version::HTTP_11 && header.method != Method::HEAD;
    ordinary && header.has_case() && is_origin(header.raw_path()) && has_plain_headers(header) && client.is_body_empty()
}

/// A path, not a whole URI, and nothing in it that would end the line.
fn is_origin(path: &[u8]) -> bool {
    path.starts_with(b"/") && path.iter().all(|byte| *byte > b' ')
}

/// Nothing is said about the connection but that it is kept or not, and each of what there may be only one of is there once.
fn has_plain_headers(header: &RequestHeader) -> bool {
    let (mut hosts, mut cookies, mut connections) = (0, 0, 0);
    for (name, value) in &header.headers {
        match *name {
            HOST if value.as_bytes().contains(&b'@') => return false,
            HOST => hosts += 1,
            COOKIE => cookies += 1,
            CONNECTION if [&b"keep-alive"[..], b"close"].iter().any(|v| value.as_bytes().eq_ignore_ascii_case(v)) => {
                connections += 1;
            }
            CONNECTION | TE | TRAILER | TRANSFER_ENCODING | UPGRADE | EXPECT | PROXY_AUTHENTICATE
            | PROXY_AUTHORIZATION => return false,
            _ if matches!(name.as_str(), "keep-alive" | "proxy-connection" | "http2-settings") => return false,
            _ => {}
        }
    }
    hosts == 1 && cookies <= 1 && connections <= 1
}

/// Serves it to its end; the endpoint has been chosen.
pub(super) async fn run(proxy: &Proxy, session: &mut Session, request: &mut Request) -> Result<()> {
    let asked = wire(proxy, session);
    let once = !session.req_header().method.is_idempotent();
    let kept = request.flight.as_ref().and_then(|flight| proxy.idle.take(flight.endpoint.address, once));
    let mut answered = None;
    if let Some(stream) = kept {
        match ask(stream, &asked, session, request).await {
            Err(error) if may_go_again(session, &error) => tracing::debug!("a kept connection was closed: {error}"),
            other => answered = Some(other),
        }
    }
    let answered = match answered {
        Some(answered) => answered,
        None => match proxy.reach(request).await {
            Ok((stream, address)) => ask(Box::new(Connection::new(stream, address)), &asked, session, request).await,
            Err(refused) => {
                request.refused = Some(refused);
                return Err(Error::explain(ErrorType::ConnectError, "no endpoint can be reached").into_up());
            }
        },
    };
    let done = match answered {
        Ok(mut service) => pass_on(proxy, session, request, &mut service).await.map(|()| service),
        Err(error) => Err(error),
    };
    match done {
        Ok(mut service) => {
            service.respect_keepalive();
            if let (Some(stream), Some(flight)) = (service.reuse().await, &request.flight) {
                proxy.idle.put(flight.endpoint.address, stream);
            }
            Ok(())
        }
        Err(error) => {
            request.broken = *error.esource() != ErrorSource::Downstream;
            Err(error)
        }
    }
}

/// A kept connection may have been closed just as the request went out. It may go out again if doing it twice is the
/// same as once.
fn may_go_again(session: &Session, error: &Error) -> bool {
    let closed = matches!(error.retry, RetryType::ReusedOnly) || *error.etype() == ErrorType::WriteError;
    closed && *error.esource() == ErrorSource::Upstream && session.req_header().method.is_idempotent()
}

/// The header as it goes out: what the client sent, and who it is.
fn wire(proxy: &Proxy, session: &Session) -> BytesMut {
    let header = session.req_header();
    let mut to = BytesMut::with_capacity(1_024);
    to.put_slice(header.method.as_str().as_bytes());
    to.put_u8(b' ');
    to.put_slice(header.raw_path());
    to.put_slice(b" HTTP/1.1\r\n");
    let ours = [&CONNECTION, &FORWARDED_FOR, &FORWARDED_PROTO];
    for ((name, value), as_sent) in header.headers.iter().zip(header.case_header_iter().map(|(name, _)| name)) {
        if !ours.contains(&name) {
            to.put_slice(as_sent.as_slice());
            to.put_slice(b": ");
            to.put_slice(value.as_bytes());
            to.put_slice(b"\r\n");
        }
    }
    if let Some(forwarded_for) = forwarded_for(session) {
        to.put_slice(b"X-Forwarded-For: ");
        to.put_slice(&forwarded_for);
        to.put_slice(b"\r\n");
    }
    to.put_slice(if proxy.tls { b"X-Forwarded-Proto: https\r\n\r\n" } else { b"X-Forwarded-Proto: http\r\n\r\n" });
    to
}

/// Sends the request, and reads the answer's header.
async fn ask(mut stream: Stream, asked: &[u8], session: &mut Session, request: &Request) -> Result<ClientSession> {
    let sent = async {
        stream.write_all(asked).await?;
        stream.flush().await
    };
    sent.await.or_err(ErrorType::WriteError, "while sending the request").map_err(Error::into_up)?;
    let mut service = ClientSession::new(stream);
    service.read_timeout = request.flight.as_ref().and_then(|flight| flight.endpoint.peer.options.read_timeout);
    read_header(&mut service, client(session)?).await?;
    Ok(service)
}

/// The next header of the answer, unless the client goes first.
async fn read_header(service: &mut ClientSession, client: &mut HttpSession) -> Result<()> {
    tokio::select! {
        biased;
        read = service.read_response() => read.map(|_| ()).map_err(Error::into_up),
        gone = client.read_body_or_idle(true) => Err(left(gone)),
    }
}

/// Passes the answer on.
async fn pass_on(
    proxy: &Proxy,
    session: &mut Session,
    request: &mut Request,
    service: &mut ClientSession,
) -> Result<()> {
    let mut header = loop {
        let header = service.resp_header().cloned().ok_or_else(|| Error::new_up(ErrorType::InvalidHTTPHeader))?;
        if header.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Error::explain(ErrorType::InvalidHTTPHeader, "a 101 that nobody asked for").into_up());
        }
        if !header.status.is_informational() {
            break header;
        }
        let client = client(session)?;
        client.write_response_header(Box::new(header)).await.map_err(Error::into_down)?;
        read_header(service, client).await?;
    };
    let framed = header.headers.contains_key(CONTENT_LENGTH) || header.headers.contains_key(TRANSFER_ENCODING);
    if !framed && !service.is_body_done() {
        // Its end is the connection's; so that the client's can stay, its pieces are framed.
        header.set_version(Version::HTTP_11);
        header.insert_header(TRANSFER_ENCODING, "chunked")?;
    }
    proxy.answered(&mut header, request)?;
    let client = client(session)?;
    client.write_response_header(Box::new(header)).await.map_err(Error::into_down)?;
    while !service.is_body_done() {
        let piece = tokio::select! {
            biased;
            piece = service.read_body_ref() => match piece {
                Ok(piece) => piece,
                Err(error) => return broken_off(client, error.into_up()).await,
            },
            gone = client.read_body_or_idle(true) => return Err(left(gone)),
        };
        if let Some(piece) = piece.filter(|piece| !piece.is_empty()) {
            client.write_body(piece).await.map_err(Error::into_down)?;
        }
    }
    client.finish_body().await.map_err(Error::into_down)?;
    Ok(())
}

/// Passes on what is there of an answer whose rest does not come: a client that saw nothing of it might ask again.
async fn broken_off(client: &mut HttpSession, error: Box<Error>) -> Result<()> {
    // Two, since one alone is not preceded by what waits to be written.
    client.response_duplex_vec(vec![HttpTask::Body(None, false), HttpTask::Failed(error)]).await.map(|_| ())
}

fn client(session: &mut Session) -> Result<&mut HttpSession> {
    match session.as_downstream_mut() {
        ServerSession::H1(client) => Ok(client),
        _ => Err(Error::explain(ErrorType::InternalError, "a client that does not speak HTTP/1.1")),
    }
}

/// What the client did while it was to wait.
fn left(gone: Result<Option<Bytes>>) -> Box<Error> {
    match gone {
        Err(error) => error.into_down(),
        Ok(_) => Error::explain(ErrorType::ConnectionClosed, "the client has ended the connection").into_down(),
    }
}
