//! The client's side of a connection: what it says ahead of its turn, and whether it is still there.

use super::wait::Deadline;
use pingora_core::protocols::Stream;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What a client may say ahead of its turn, in bytes. What is more waits with it.
const AHEAD: usize = 16 << 10;

/// The client's side.
pub(super) struct Line {
    pub(super) stream: Stream,
    /// What it has said ahead of its turn.
    pub(super) ahead: Vec<u8>,
    pub(super) deadline: Deadline,
    /// It ends after this request.
    pub(super) last: bool,
}

impl Line {
    /// Says that nothing more is said, and listens on: a system that has to throw away what the client says takes the
    /// last answer with it.
    pub(super) async fn end(&mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        tokio::io::copy(&mut self.stream, &mut tokio::io::sink()).await.map(|_| ())
    }

    /// It is too far ahead.
    pub(super) fn is_full(&self) -> bool {
        self.ahead.len() >= AHEAD
    }

    /// Ready when the client has gone, which only shows in what it says.
    pub(super) fn poll_left(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.is_full() && self.last {
                // It says it in vain.
                self.ahead.clear();
            } else if self.is_full() {
                return Poll::Pending;
            }
            match ready!(pin!(self.stream.read_buf(&mut self.ahead)).poll(context)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
    }

    /// Does this; none: the client went first.
    pub(super) async fn unless_left<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.poll_left(context).map(|()| None),
        })
        .await
    }
}
