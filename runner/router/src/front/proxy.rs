//! What happens to a request: its service, a hold, an endpoint, the way there and back.

use super::answer::answer;
use super::cut;
use super::idle::Idle;
use super::log::{AccessLog, Line};
use super::tunnel;
use crate::run::{Asked, Endpoint, Flight, Service, Traffic, Unserved};
use crate::stats::End;
use async_trait::async_trait;
use http::header::{COOKIE, HOST, HeaderName, HeaderValue, SET_COOKIE};
use pingora_core::modules::http::HttpModules;
use pingora_core::upstreams::peer::{HttpPeer, Peer};
use pingora_core::{Error, ErrorSource, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, Session};
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

pub(super) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(super) const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Connections that are tried for one request.
pub(super) const TRIES: usize = 4;

#[derive(Clone)]
pub(super) struct Proxy {
    pub(super) traffic: Arc<Traffic>,
    pub(super) listener: SocketAddr,
    pub(super) tls: bool,
    pub(super) log: Option<Arc<AccessLog>>,
    /// Cancelled when WebSockets have to end.
    pub(super) closing: CancellationToken,
    pub(super) idle: Idle,
}

/// A request under way.
pub(super) struct Request {
    pub(super) began: Instant,
    held: Duration,
    pub(super) service: Option<Arc<Service>>,
    revision: Option<String>,
    chosen: Option<String>,
    sticky: Option<String>,
    pub(super) flight: Option<Flight>,
    pub(super) tried: Vec<Arc<Endpoint>>,
    /// What the client is to be told, where that is known.
    pub(super) refused: Option<(u16, String)>,
    /// It failed at the service's side of it.
    pub(super) broken: bool,
}

impl Proxy {
    pub(super) fn request(&self) -> Request {
        Request {
            began: Instant::now(),
            held: Duration::ZERO,
            service: None,
            revision: None,
            chosen: None,
            sticky: None,
            flight: None,
            tried: Vec::new(),
            refused: None,
            broken: false,
        }
    }

    /// Finds the service, waits while it is held, and chooses an endpoint.
    pub(super) async fn find(&self, head: &impl Head, request: &mut Request) -> Result<(), (u16, String)> {
        loop {
            let gate = {
                let (host, path) = (head.host(), head.path());
                let view = self.traffic.view();
                let target = view.routes.find(self.listener, host, path);
                let target = target.ok_or_else(|| {
                    (404, format!("no service is for {}{path}", if host.is_empty() { "*" } else { host }))
                })?;
                let service = &target.service;
                request.chosen = target.revision.clone().or_else(|| asked_for(service, head));
                request.sticky = service.declared.sticky.as_ref().and_then(|s| cookie(head, &s.cookie));
                request.service = Some(Arc::clone(service));
                if service.gate.left().is_none() {
                    return self.take(request).map_err(|unserved| (503, unserved.0));
                }
                Arc::clone(&service.gate)
            };
            let waits = Instant::now();
            let passed = gate.pass().await;
            request.held += waits.elapsed();
            passed.map_err(|_| (503, "too many requests wait for a switch".to_owned()))?;
        }
    }

    /// Chooses another endpoint, as the table is now.
    pub(super) fn take_again(&self, request: &mut Request) -> Result<(), Unserved> {
        let now = request.service.as_ref().and_then(|s| self.traffic.service(&s.name));
        request.service = now.or_else(|| request.service.take());
        self.take(request)
    }

    fn take(&self, request: &mut Request) -> Result<(), Unserved> {
        let service = request.service.clone().ok_or_else(|| Unserved("no service".to_owned()))?;
        let asked = Asked {
            chosen: request.chosen.as_deref(),
            sticky: request.sticky.as_deref(),
            tried: &request.tried,
            since: request.began + request.held,
        };
        match service.pick(&asked) {
            Ok((revision, flight)) => {
                cut::ends_with(flight.cut());
                request.revision = Some(revision);
                request.flight = Some(flight);
                Ok(())
            }
            Err(unserved) => {
                // A tester who asks for what is not there says nothing about the service.
                if request.chosen.is_none() {
                    service.unserved.ended(self.traffic.books.clock.second(), End::Answered(503), None, false);
                }
                Err(unserved)
            }
        }
    }
}

impl Request {
    /// The answer is there; says when that was noticed.
    pub(super) fn answered(&mut self) -> Instant {
        let now = Instant::now();
        if let Some(flight) = &mut self.flight {
            flight.answered(now);
        }
        now
    }
}

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

    /// The cookie that the client needs, if it does.
    pub(super) fn cookie(&self, request: &Request) -> Option<String> {
        let sticky = request.service.as_ref()?.declared.sticky.as_ref()?;
        let revision = request.revision.as_ref()?;
        if request.chosen.is_some() || request.sticky.as_ref() == Some(revision) {
            return None;
        }
        let age = sticky.max_age_s.map(|s| format!("; Max-Age={s}")).unwrap_or_default();
        let secure = if self.tls { "; Secure" } else { "" };
        Some(format!("{}={revision}; Path=/; HttpOnly; SameSite=Lax{age}{secure}", sticky.cookie))
    }

    /// Counts a request that is over, and logs it where that is asked for.
    pub(super) fn ended(&self, head: &impl Head, mut request: Request, outcome: Outcome<'_>) {
        let latency = request.flight.as_ref().and_then(Flight::latency);
        // It is made only for the log.
        let container = self.log.as_ref().and(request.flight.as_ref()).map(|f| f.endpoint.container.clone());
        if let Some(flight) = request.flight.take() {
            flight.end(outcome.end);
        }
        if let Some(log) = &self.log {
            log.write(Line {
                time_ms: self.traffic.books.clock.now_ms(),
                client: outcome.client.map(|client| client.to_string()),
                method: outcome.method.to_owned(),
                host: head.host().to_owned(),
                path: head.path().to_owned(),
                status: outcome.status,
                service: request.service.as_ref().map(|s| s.name.clone()),
                revision: request.revision,
                container,
                took_us: micros(request.began.elapsed()),
                latency_us: latency.map(micros),
                sent_bytes: outcome.sent,
                error: outcome.error.map(ToOwned::to_owned),
                lines_lost: 0,
            });
        }
    }
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Request;

    /// None: pingora would give every request a module for compression, switched off.
    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    fn new_ctx(&self) -> Request {
        self.request()
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

    async fn response_filter(&self, _: &mut Session, answer: &mut ResponseHeader, request: &mut Request) -> Result<()> {
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
        self.ended(header, std::mem::replace(request, self.request()), outcome);
    }
}

/// A request's header, of either way.
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

/// How a request ended.
pub(super) struct Outcome<'a> {
    pub(super) client: Option<SocketAddr>,
    pub(super) method: &'a str,
    /// What the client has seen; 0: no answer.
    pub(super) status: u16,
    /// Bytes of the answer's body.
    pub(super) sent: u64,
    pub(super) end: End,
    pub(super) error: Option<&'a str>,
}

/// The client has seen the answer's own header, not just what may come before it.
fn has_begun(session: &Session) -> bool {
    session.response_written().is_some_and(|answer| !answer.status.is_informational())
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
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

/// The revision that a tester asks for, where that is allowed.
fn asked_for(service: &Service, head: &impl Head) -> Option<String> {
    let name = service.override_header.as_ref()?;
    head.values(name).first().map(|value| String::from_utf8_lossy(value).into_owned())
}

fn cookie(head: &impl Head, name: &str) -> Option<String> {
    let all = texts(head, &COOKIE);
    let mut pairs = all.iter().flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(n, _)| *n == name).map(|(_, value)| value.to_owned())
}

/// Values that are text.
fn texts<'a>(head: &'a impl Head, name: &HeaderName) -> Vec<&'a str> {
    let visible = |value: &&str| value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    let values = head.values(name).into_iter().filter_map(|value| std::str::from_utf8(value).ok());
    values.filter(visible).collect()
}
