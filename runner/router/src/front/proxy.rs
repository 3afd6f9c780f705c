//! What happens to every request, whichever way it goes: its service, a hold, an endpoint, and its account in the end.

use super::cut;
use super::head::{Head, asked_for, cookie};
use super::idle::Idle;
use super::log::{AccessLog, Line};
use crate::run::{Asked, Cut, Endpoint, Flight, Service, Traffic, Unserved};
use crate::stats::End;
use pingora_core::server::ShutdownWatch;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Connections that are tried for one request.
pub(super) const TRIES: usize = 4;

#[derive(Clone)]
pub(super) struct Proxy {
    pub(super) traffic: Arc<Traffic>,
    pub(super) listener: SocketAddr,
    pub(super) tls: bool,
    pub(super) log: Option<Arc<AccessLog>>,
    /// True when no more requests are wanted.
    pub(super) ending: ShutdownWatch,
    /// Happens when connections that wait for a request have to end.
    pub(super) idle_over: Arc<Cut>,
    /// Cancelled when WebSockets have to end.
    pub(super) closing: CancellationToken,
    pub(super) idle: Idle,
}

/// A request under way.
pub(super) struct Request {
    began: Instant,
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
    /// A client is not to use its connection again.
    pub(super) fn ends(&self) -> bool {
        *self.ending.borrow() || self.idle_over.is_over()
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
    /// It begins now.
    pub(super) fn new() -> Self {
        Self {
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

    /// The answer is there.
    pub(super) fn answered(&mut self) {
        if let Some(flight) = &mut self.flight {
            flight.answered();
        }
    }
}

impl Proxy {
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
    pub(super) fn ended(&self, head: &impl Head, request: &mut Request, outcome: Outcome<'_>) {
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
                revision: request.revision.take(),
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

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
