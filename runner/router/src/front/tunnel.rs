//! WebSockets and other upgrades, by hand.
//!
//! Pingora 0.9.1 ends an upgraded connection at once when the service's 101 is there before the empty
//! body of the request was seen to end, which happens under load (its issue 946). So requests that ask
//! for an upgrade do not go through its proxying: they are sent with hyper, and what follows a 101 is
//! copied both ways until either side ends.
//!
//! When the time to drain is over, a WebSocket is not just cut: both sides get a close (1001, going
//! away) between two frames, and a moment to answer it.

use super::answer::answer;
use super::cut;
use super::frames::{Frames, close_for_client, close_for_service};
use super::proxy::{Proxy, Request};
use crate::run::Flight;
use crate::stats::End;
use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use pingora_core::{Error, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::Session;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Read from the service at a time.
const PIECE: usize = 16 << 10;
/// Pieces from the client that wait for the service to read on.
const WAITING: usize = 16;
/// For the end of a frame, and for the client's answer to a close.
pub(super) const GOODBYE: Duration = Duration::from_secs(1);

/// Does it go this way? An upgrade that does not is forgotten, as whoever is asked for one may do: a service that
/// speaks HTTP/2 without TLS (`h2c`) would else be asked for more by a tunnel, past routes and weights.
pub(super) fn is_for(session: &mut Session) -> bool {
    let header = session.req_header();
    let has = |name: &HeaderName, word: &str| {
        let values = header.headers.get_all(name).iter().filter_map(|v| v.to_str().ok());
        values.flat_map(|v| v.split(',')).any(|v| v.trim().eq_ignore_ascii_case(word))
    };
    let wanted = has(&CONNECTION, "upgrade") && !has(&UPGRADE, "h2c");
    if wanted && session.is_upgrade_req() && session.as_mut().is_body_empty() {
        return true;
    }
    for name in ["upgrade", "http2-settings"] {
        session.req_header_mut().remove_header(name);
    }
    false
}

/// Serves it to its end; the endpoint has been chosen.
pub(super) async fn run(proxy: &Proxy, session: &mut Session, request: &mut Request) -> Result<()> {
    let stream = match proxy.reach(request).await {
        Ok((stream, _)) => stream,
        Err((status, text)) => return answer(session, status, &text).await,
    };
    let response = match ask(proxy, session, stream).await {
        Ok(response) => response,
        Err(why) => {
            tracing::debug!("an upgrade failed: {why}");
            if let Some(flight) = request.flight.take() {
                flight.end(End::Broken);
            }
            return answer(session, 502, "the service broke the connection off").await;
        }
    };
    request.answered();
    if response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
        let header = header(proxy, request, &response)?;
        // A service that has said yes and does not mean it has ended the conversation.
        let is_websocket = header.headers.get(UPGRADE).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"websocket"));
        let upgraded = hyper::upgrade::on(response).await.ok();
        session.write_response_header(Box::new(header), false).await?;
        let Some(upgraded) = upgraded else { return Ok(()) };
        // Both sides may be silent for as long as they like.
        session.as_downstream_mut().set_read_timeout(None);
        let ending = if is_websocket { ending(proxy, request) } else { CancellationToken::new() };
        // Whoever waits for it goes when this does.
        let _over = ending.clone().drop_guard();
        if copy(session, upgraded, ending).await?
            && let Some(flight) = request.flight.take()
        {
            flight.end(End::Cut);
        }
        Ok(())
    } else {
        declined(proxy, session, request, response).await
    }
}

async fn ask(proxy: &Proxy, session: &Session, stream: TcpStream) -> Result<http::Response<Incoming>, String> {
    let (mut sender, connection) =
        http1::Builder::new().handshake(TokioIo::new(stream)).await.map_err(|why| why.to_string())?;
    tokio::spawn(connection.with_upgrades());
    let header = session.req_header();
    let mut upstream =
        RequestHeader::build_no_case(header.method.clone(), header.raw_path(), None).map_err(|why| why.to_string())?;
    upstream.set_uri(header.uri.clone());
    for (name, value) in &header.headers {
        upstream.append_header(name.clone(), value.clone()).map_err(|why| why.to_string())?;
    }
    proxy.forwarded(session, &mut upstream).map_err(|why| why.to_string())?;
    let path = header.uri.path_and_query().map_or("/", |p| p.as_str());
    let mut request = http::Request::builder().method(header.method.clone()).uri(path);
    if let Some(headers) = request.headers_mut() {
        headers.clone_from(&upstream.headers);
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(|why| why.to_string())?;
    sender.send_request(request).await.map_err(|why| why.to_string())
}

fn header(proxy: &Proxy, request: &Request, response: &http::Response<Incoming>) -> Result<ResponseHeader> {
    let mut header = ResponseHeader::build(response.status(), Some(response.headers().len()))?;
    for (name, value) in response.headers() {
        header.append_header(name.clone(), value.clone())?;
    }
    proxy.stick(&mut header, request)?;
    Ok(header)
}

/// The service answers without an upgrade.
async fn declined(
    proxy: &Proxy,
    session: &mut Session,
    request: &mut Request,
    response: http::Response<Incoming>,
) -> Result<()> {
    let mut header = header(proxy, request, &response)?;
    header.remove_header(&CONNECTION);
    header.remove_header(&TRANSFER_ENCODING);
    // Without a length its end is the connection's.
    session.set_keepalive(None);
    session.write_response_header(Box::new(header), false).await?;
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            if let Some(flight) = request.flight.take() {
                flight.end(End::Broken);
            }
            return Err(Error::explain(ErrorType::ConnectionClosed, "the service broke its answer off").into_up());
        };
        if let Ok(data) = frame.into_data() {
            session.write_response_body(Some(data), false).await?;
        }
    }
    session.write_response_body(None, true).await
}

/// Copies until either side ends. What the client sends is written by a task of its own, so that both
/// directions can be under way. Says whether the conversation was ended from here in the middle of it.
async fn copy(session: &mut Session, upgraded: Upgraded, ending: CancellationToken) -> Result<bool> {
    let (mut from_service, mut to_service) = tokio::io::split(TokioIo::new(upgraded));
    let (pieces, mut waiting) = channel::<Bytes>(WAITING);
    let writing = tokio::spawn(async move {
        while let Some(piece) = waiting.recv().await {
            if to_service.write_all(&piece).await.is_err() || to_service.flush().await.is_err() {
                return;
            }
        }
        // The client has ended; the service is told.
        let _ = to_service.shutdown().await;
    });
    // If this is cut, the other half goes too.
    let _writing = AbortOnDrop(writing.abort_handle());
    let (mut service, mut client) = (Frames::default(), Frames::default());
    let (mut told_client, mut told_service) = (false, false);
    let mut buffer = BytesMut::with_capacity(PIECE);
    let mut until = None;
    loop {
        if until.is_some() && !told_client && !service.is_closed() && service.is_between() {
            session.write_response_body(Some(close_for_client()), false).await?;
            told_client = true;
        }
        if until.is_some() && !told_service && !client.is_closed() && client.is_between() {
            told_service = pieces.try_send(close_for_service()).is_ok();
        }
        tokio::select! {
            // After a close nothing else is said.
            read = from_service.read_buf(&mut buffer), if !told_client => match read {
                Ok(0) | Err(_) => {
                    session.write_response_body(None, true).await?;
                    return Ok(false);
                }
                Ok(_) => {
                    let piece = buffer.split().freeze();
                    service.pass(&piece);
                    session.write_response_body(Some(piece), false).await?;
                    buffer.reserve(PIECE);
                }
            },
            piece = next(session, &pieces) => {
                client.pass(piece.as_deref().unwrap_or_default());
                let over = piece.is_none() || (told_client && client.is_closed());
                if let Some(piece) = piece.filter(|_| !told_service) {
                    // There is room: nobody else sends. A service that has gone is noticed by the reading half.
                    drop(pieces.try_send(piece));
                }
                if over {
                    // Let the rest be written before it ends.
                    drop(pieces);
                    let _ = tokio::time::timeout(Duration::from_secs(5), writing).await;
                    return Ok(false);
                }
            },
            () = ending.cancelled(), if until.is_none() => until = Some(Instant::now() + GOODBYE),
            () = at(until) => return Ok(!told_client && !service.is_closed()),
        }
    }
}

/// Cancelled when a WebSocket has to end, which is then its own affair.
fn ending(proxy: &Proxy, request: &Request) -> CancellationToken {
    let ending = proxy.closing.child_token();
    if let Some(cut) = request.flight.as_ref().map(Flight::cut) {
        let both = ending.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = cut.happened() => both.cancel(),
                () = both.cancelled() => {}
            }
        });
    }
    cut::ends_by_itself();
    ending
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// The client's next piece, once there is room for it.
async fn next(session: &mut Session, pieces: &Sender<Bytes>) -> Option<Bytes> {
    pieces.reserve().await.ok()?;
    session.as_downstream_mut().read_body_or_idle(false).await.ok().flatten()
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
