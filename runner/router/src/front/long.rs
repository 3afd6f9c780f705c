//! The long way of a request, by pingora's proxying: bodies, HTTP/2, and whatever is out of the ordinary.

use super::answer::answer;
use super::head::{FORWARDED_FOR, FORWARDED_PROTO, texts};
use super::proxy::{Outcome, Proxy, Request, TRIES};
use super::tunnel;
use crate::run::Unserved;
use crate::stats::End;
use async_trait::async_trait;
use http::header::{COOKIE, HOST, HeaderName, HeaderValue, SET_COOKIE};
use pingora_core::modules::http::HttpModules;
use pingora_core::upstreams::peer::{HttpPeer, Peer};
use pingora_core::{Error, ErrorSource, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, Session};
use std::io::Write as _;

impl Proxy {
    /// Tells the service who asked, and how.
    pub(super) fn forwarded(&self, session: &Session, upstream: &mut RequestHeader) -> Result<()> {
        if let Some(Ok(value)) = forwarded_for(session).map(|value| HeaderValue::from_bytes(&value)) {
            upstream.insert_header(FORWARDED_FOR, value)?;
        }
        let proto = HeaderValue::from_static(if self.tls { "https" } else { "http" });
        upstream.insert_header(FORWARDED_PROTO, proto)?;
        // HTTP/2 may send each cookie by itself; HTTP/1.1 has one line for them (RFC 9113, 8.2.3).
        if upstream.headers.get_all(COOKIE).iter().nth(1).is_some()
            && let Some(cookies) = joined(upstream, &COOKIE, "; ")
        {
            upstream.insert_header(COOKIE, cookies)?;
        }
        // HTTP/2 names the host in its own field; an HTTP/1.1 server wants the header.
        if !upstream.headers.contains_key(HOST)
            && let Some(authority) = session.req_header().uri.authority()
        {
            upstream.insert_header(HOST, authority.as_str())?;
        }
        Ok(())
    }

    /// The answer's header is there.
    fn answered(&self, answer: &mut ResponseHeader, request: &mut Request) -> Result<()> {
        request.answered();
        self.stick(answer, request)
    }

    /// Gives the client its cookie, if it needs one.
    pub(super) fn stick(&self, answer: &mut ResponseHeader, request: &Request) -> Result<()> {
        if let Some(cookie) = self.cookie(request) {
            answer.append_header(SET_COOKIE, cookie)?;
        }
        Ok(())
    }
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Request;

    /// None: pingora would give every request a module for compression, switched off.
    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    fn new_ctx(&self) -> Request {
        Request::new()
    }

    async fn request_filter(&self, session: &mut Session, request: &mut Request) -> Result<bool> {
        match self.find(session.req_header(), request).await {
            Ok(()) if tunnel::is_for(session) => {
                // Boxed, so that other requests have no room for it.
                Box::pin(tunnel::run(self, session, request)).await?;
                Ok(true)
            }
            Ok(()) => Ok(false),
            Err((status, text)) => {
                answer(session, status, &text).await?;
                Ok(true)
            }
        }
    }

    async fn upstream_peer(&self, _: &mut Session, request: &mut Request) -> Result<Box<HttpPeer>> {
        if request.flight.is_none() {
            // The endpoint could not be reached.
            if let Err(Unserved(why)) = self.take_again(request) {
                request.refused = Some((503, why));
                return Err(Error::explain(ErrorType::HTTPStatus(503), "no endpoint is left"));
            }
        }
        let peer = request.flight.as_ref().map(|flight| Box::new(flight.endpoint.peer.clone()));
        peer.ok_or_else(|| Error::explain(ErrorType::InternalError, "no endpoint was chosen"))
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        upstream: &mut RequestHeader,
        request: &mut Request,
    ) -> Result<()> {
        if let Some(flight) = &request.flight {
            flight.endpoint.reached();
        }
        self.forwarded(session, upstream)
    }

    fn fail_to_connect(&self, _: &mut Session, _: &HttpPeer, request: &mut Request, error: Box<Error>) -> Box<Error> {
        let mut error = error;
        // Nothing has been sent, so any request may go elsewhere.
        error.set_retry(self.not_reached(request));
        error
    }

    fn error_while_proxy(
        &self,
        peer: &HttpPeer,
        session: &mut Session,
        error: Box<Error>,
        request: &mut Request,
        reused: bool,
    ) -> Box<Error> {
        let mut error = error.more_context(format!("endpoint {}", peer.address()));
        request.broken = *error.esource() != ErrorSource::Downstream;
        // A kept connection may have been closed just as the request went out. It may go out again if
        // doing it twice is the same as once, and nothing of its body is gone.
        let safe = session.req_header().method.is_idempotent() && session.as_mut().is_body_empty();
        if safe && request.tried.len() < TRIES && session.response_written().is_none() {
            error.retry.decide_reuse(reused);
        } else {
            error.set_retry(false);
        }
        error
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        answer: &mut ResponseHeader,
        request: &mut Request,
    ) -> Result<()> {
        if self.ends() {
            session.set_keepalive(None);
        }
        if answer.status.is_informational() && answer.status != http::StatusCode::SWITCHING_PROTOCOLS {
            return Ok(());
        }
        self.answered(answer, request)
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, request: &mut Request) -> FailToProxy {
        let gone = *error.esource() == ErrorSource::Downstream
            && matches!(error.etype(), ErrorType::WriteError | ErrorType::ReadError | ErrorType::ConnectionClosed);
        let (status, text) = match (request.refused.take(), error.esource(), error.etype()) {
            _ if gone || has_begun(session) => (0, String::new()),
            (Some(refused), ..) => refused,
            (_, _, ErrorType::HTTPStatus(status)) => (*status, "the request cannot be served".to_owned()),
            (_, ErrorSource::Downstream, ErrorType::ReadTimedout) => {
                (408, "the request did not come to its end".to_owned())
            }
            (_, _, ErrorType::ReadTimedout) => (504, "the service took too long to answer".to_owned()),
            (_, ErrorSource::Upstream, _) if !request.broken => (502, "the service cannot be reached".to_owned()),
            (_, ErrorSource::Upstream, _) => (502, "the service broke the connection off".to_owned()),
            (_, ErrorSource::Downstream, _) => (400, "the request is not in order".to_owned()),
            _ => (500, "the router failed".to_owned()),
        };
        if status > 0 {
            // The connection ends after this, and the client has to know it.
            session.set_keepalive(None);
            // The client may be gone; then there is nobody to tell.
            let _ = answer(session, status, &text).await;
        }
        FailToProxy { error_code: status, can_reuse_downstream: false }
    }

    fn suppress_error_log(&self, _: &Session, _: &Request, _: &Error) -> bool {
        // They are counted, and logged when asked for.
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _: &Session,
        _: &Request,
        _: &Error,
        _: pingora_proxy::ProxyWarnLogContext,
    ) -> bool {
        true
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, request: &mut Request) {
        let status = session.response_written().map_or(0, |answer| answer.status.as_u16());
        let end = match error {
            None => End::Answered(status),
            Some(error) if *error.esource() == ErrorSource::Downstream => End::Aborted,
            // A WebSocket that its server ends without a word is not an answer that failed.
            Some(_) if status == 101 => End::Answered(101),
            Some(_) => End::Broken,
        };
        let header = session.req_header();
        let outcome = Outcome {
            client: session.client_addr().and_then(|client| client.as_inet()).copied(),
            method: header.method.as_str(),
            status,
            sent: session.body_bytes_sent() as u64,
            end,
            error: error.map(|error| error.etype().as_str()),
        };
        self.ended(header, request, outcome);
    }
}

/// The client has seen the answer's own header, not just what may come before it.
fn has_begun(session: &Session) -> bool {
    session.response_written().is_some_and(|answer| !answer.status.is_informational())
}

/// Who asks. Whoever stood before the client may have added lines of its own, which come first.
fn forwarded_for(session: &Session) -> Option<Vec<u8>> {
    let client = session.client_addr()?.as_inet()?.ip();
    let mut all = Vec::with_capacity(32);
    for before in session.req_header().headers.get_all(FORWARDED_FOR) {
        all.extend_from_slice(before.as_bytes());
        all.extend_from_slice(b", ");
    }
    write!(all, "{client}").ok()?;
    Some(all)
}

/// The values of all headers of this name; none: there is none.
fn joined(header: &RequestHeader, name: &HeaderName, by: &str) -> Option<String> {
    let values = texts(header, name);
    (!values.is_empty()).then(|| values.join(by))
}
