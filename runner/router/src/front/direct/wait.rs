//! What a connection waits for, besides its two sides: a moment.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::{Instant, Sleep, sleep_until};

/// A moment until which something has to have happened. It is moved with every request, and hardly ever reached: so the
/// timer keeps the first one, and is set again only when that is over.
#[derive(Debug)]
pub(super) struct Deadline {
    at: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    pub(super) fn new(at: Instant) -> Self {
        Self { at: Some(at), timer: Box::pin(sleep_until(at)) }
    }

    pub(super) fn is_set(&self) -> bool {
        self.at.is_some()
    }

    /// None: there is no hurry.
    pub(super) fn set(&mut self, at: Option<Instant>) {
        self.at = at;
        if let Some(at) = at.filter(|at| *at < self.timer.deadline()) {
            self.timer.as_mut().reset(at);
        }
    }

    /// Ready when it is reached.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        loop {
            ready!(self.timer.as_mut().poll(context));
            if self.timer.deadline() >= at {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(at);
        }
    }
}
