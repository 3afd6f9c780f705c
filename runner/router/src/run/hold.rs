//! Holding new requests back for a moment, while a switch is made.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// So many requests may wait; more would only use up memory.
const WAITING: u64 = 10_000;

/// A service's gate. It is open, or held until a moment.
#[derive(Debug)]
pub(crate) struct Gate {
    until: watch::Sender<Option<Instant>>,
    waiting: AtomicU64,
}

/// Too many wait.
#[derive(Debug, PartialEq)]
pub(crate) struct Full;

impl Gate {
    pub(crate) fn new() -> Self {
        Self { until: watch::Sender::new(None), waiting: AtomicU64::new(0) }
    }

    pub(crate) fn hold(&self, limit: Duration) {
        self.until.send_replace(Some(Instant::now() + limit));
    }

    pub(crate) fn release(&self) {
        self.until.send_replace(None);
    }

    /// What is left of the hold, if it is on.
    pub(crate) fn left(&self) -> Option<Duration> {
        (*self.until.borrow())
            .map(|until| until.saturating_duration_since(Instant::now()))
            .filter(|left| !left.is_zero())
    }

    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Waits until requests may pass.
    pub(crate) async fn pass(&self) -> Result<(), Full> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Full);
        }
        let _leave = Leave(&self.waiting);
        let mut changes = self.until.subscribe();
        loop {
            let Some(until) = *changes.borrow_and_update() else { return Ok(()) };
            tokio::select! {
                () = tokio::time::sleep_until(until) => return Ok(()),
                // A sender that is gone holds nobody.
                changed = changes.changed() => if changed.is_err() { return Ok(()) },
            }
        }
    }
}

/// A client that goes away while it waits is not left in the count.
struct Leave<'a>(&'a AtomicU64);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
