//! One replica: its health, what is under way at it, and its end.

use super::cut::Cut;
use super::health::Checking;
use crate::api;
use crate::stats::{Clock, End, Recorder};
use pingora_core::upstreams::peer::HttpPeer;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// So many connections in a row that cannot be made take an endpoint out ...
const FAILURES: u32 = 3;
/// ... for so long, when no check of its own brings it back.
pub(super) const OUT: Duration = Duration::from_secs(1);
/// Connections that wait longer than this for their next request are closed. Servers close idle ones, many after five
/// seconds; a request that is not idempotent must not meet one that is being closed, so ours go first.
pub(crate) const IDLE: Duration = Duration::from_secs(3);

const UNKNOWN: u8 = 0;
const UP: u8 = 1;
const DOWN: u8 = 2;

#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) container: String,
    pub(crate) address: SocketAddr,
    pub(crate) peer: HttpPeer,
    clock: Clock,
    state: AtomicU8,
    failures: AtomicU32,
    out_until_ms: AtomicU64,
    in_flight: AtomicU64,
    draining: AtomicBool,
    drain: Mutex<Draining>,
    idle: Notify,
    recorder: Arc<Recorder>,
    checking: Mutex<Option<Checking>>,
}

#[derive(Debug, Default)]
struct Draining {
    end: Arc<Cut>,
    began: bool,
    cut: u64,
}

impl Endpoint {
    /// `trusted` is ready at once: it served before this router was started.
    pub(super) fn new(
        declared: &api::Endpoint,
        timeouts: &api::Timeouts,
        trusted: bool,
        recorder: Arc<Recorder>,
        clock: Clock,
    ) -> Arc<Self> {
        let mut peer = HttpPeer::new(declared.address, false, String::new());
        peer.options.connection_timeout = Some(Duration::from_millis(timeouts.connect_ms.max(1)));
        peer.options.read_timeout = (timeouts.read_ms > 0).then(|| Duration::from_millis(timeouts.read_ms));
        peer.options.idle_timeout = Some(IDLE);
        Arc::new(Self {
            container: declared.container.clone(),
            address: declared.address,
            peer,
            clock,
            state: AtomicU8::new(if trusted { UP } else { UNKNOWN }),
            failures: AtomicU32::new(0),
            out_until_ms: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            draining: AtomicBool::new(false),
            drain: Mutex::default(),
            idle: Notify::new(),
            recorder,
            checking: Mutex::new(None),
        })
    }

    pub(crate) fn is(&self, declared: &api::Endpoint) -> bool {
        self.container == declared.container && self.address == declared.address
    }

    pub(crate) fn is_up(&self, checked: bool) -> bool {
        self.why_down(checked).is_none()
    }

    pub(crate) fn why_down(&self, checked: bool) -> Option<&'static str> {
        if self.clock.now_ms() < self.out_until_ms.load(SeqCst) {
            return Some("connections to it fail");
        }
        match self.state.load(SeqCst) {
            DOWN if checked => Some("its health check fails"),
            UNKNOWN if checked => Some("its health check has not passed yet"),
            _ => None,
        }
    }

    /// Says whether that is news.
    pub(super) fn set_up(&self, up: bool) -> bool {
        if up {
            self.failures.store(0, SeqCst);
        }
        let state = if up { UP } else { DOWN };
        let news = self.state.swap(state, SeqCst) != state;
        let was_out = up && self.out_until_ms.swap(0, SeqCst) > self.clock.now_ms();
        news || was_out
    }

    /// Silence of it that a request bears.
    pub(crate) fn read_timeout(&self) -> Option<Duration> {
        self.peer.options.read_timeout
    }

    /// A connection could be made.
    pub(crate) fn reached(&self) {
        if self.failures.load(SeqCst) > 0 {
            self.failures.store(0, SeqCst);
        }
    }

    /// A connection could not be made. Says whether that takes the endpoint out.
    pub(crate) fn unreachable(&self) -> bool {
        self.recorder.unreachable(self.clock.second());
        if self.failures.fetch_add(1, SeqCst) + 1 < FAILURES {
            return false;
        }
        let out = u64::try_from(OUT.as_millis()).unwrap_or(0);
        let before = self.out_until_ms.swap(self.clock.now_ms() + out, SeqCst);
        before <= self.clock.now_ms()
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(SeqCst)
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(SeqCst)
    }

    /// Takes a request on, unless it is being drained. First counted, then looked: so a drain that
    /// sees nothing under way can be sure that nothing comes any more.
    pub(super) fn begin(self: &Arc<Self>, chosen: bool, since: Instant) -> Option<Flight> {
        self.in_flight.fetch_add(1, SeqCst);
        if self.is_draining() {
            self.leave();
            return None;
        }
        Some(Flight { endpoint: Arc::clone(self), chosen, since, answered: None, over: false })
    }

    fn leave(&self) {
        if self.in_flight.fetch_sub(1, SeqCst) == 1 {
            self.idle.notify_waiters();
        }
    }

    /// Takes no more requests, and cuts what is still under way at the limit. The first limit counts.
    pub(crate) fn drain(self: &Arc<Self>, limit: Duration) {
        let mut drain = self.lock();
        self.draining.store(true, SeqCst);
        if std::mem::replace(&mut drain.began, true) {
            return;
        }
        let (endpoint, end) = (Arc::clone(self), Arc::clone(&drain.end));
        tokio::spawn(async move {
            if tokio::time::timeout(limit, endpoint.idle()).await.is_err() && endpoint.is_draining() {
                endpoint.lock().cut += endpoint.in_flight();
                end.cut();
            }
        });
    }

    /// Takes requests again.
    pub(super) fn undrain(&self) {
        if self.draining.swap(false, SeqCst) {
            *self.lock() = Draining::default();
        }
    }

    pub(crate) fn cut_count(&self) -> u64 {
        self.lock().cut
    }

    /// Returns when nothing is under way.
    pub(crate) async fn idle(&self) {
        loop {
            let notified = self.idle.notified();
            if self.in_flight() == 0 {
                return;
            }
            notified.await;
        }
    }

    pub(super) fn check_with(&self, checking: Option<Checking>) {
        *self.checking.lock().unwrap_or_else(PoisonError::into_inner) = checking;
    }

    pub(super) fn checks(&self, health: &api::HealthCheck) -> bool {
        self.checking.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|c| c.is(health))
    }

    pub(crate) fn stop_checking(&self) {
        self.check_with(None);
    }

    fn lock(&self) -> MutexGuard<'_, Draining> {
        self.drain.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way. It is counted when it ends; if nobody says how, it was cut.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) endpoint: Arc<Endpoint>,
    chosen: bool,
    since: Instant,
    answered: Option<Duration>,
    over: bool,
}

impl Flight {
    /// Happens when it must end at once.
    pub(crate) fn cut(&self) -> Arc<Cut> {
        Arc::clone(&self.endpoint.lock().end)
    }

    /// The first byte of the answer is here.
    pub(crate) fn answered(&mut self) {
        self.answered.get_or_insert_with(|| self.since.elapsed());
    }

    pub(crate) fn latency(&self) -> Option<Duration> {
        self.answered
    }

    /// It goes on at another endpoint, or cannot go on: this one could not be reached.
    pub(crate) fn not_reached(mut self) {
        self.over = true;
    }

    pub(crate) fn end(mut self, end: End) {
        self.count(end);
    }

    fn count(&mut self, end: End) {
        if !std::mem::replace(&mut self.over, true) {
            let latency = self.answered.map(|t| u64::try_from(t.as_micros()).unwrap_or(u64::MAX));
            self.endpoint.recorder.ended(self.endpoint.clock.second(), end, latency, self.chosen);
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.count(End::Cut);
        self.endpoint.leave();
    }
}
