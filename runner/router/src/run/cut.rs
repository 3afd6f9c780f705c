//! Ending from outside what does not end by itself.
//!
//! Every request can be cut, and hardly any is. So whoever waits for it registers once, and then only looks at a flag:
//! a token of tokio-util's takes a lock whenever it is asked, and a registration two.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::task::coop::unconstrained;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Ends, once and for all, whatever waits for it.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    over: AtomicBool,
    token: CancellationToken,
}

impl Cut {
    pub(crate) fn cut(&self) {
        self.over.store(true, Ordering::SeqCst);
        self.token.cancel();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    pub(crate) async fn happened(&self) {
        self.token.cancelled().await;
    }
}

/// A task that waits for a cut, besides what else it does. All polls come from one task, which keeps its waker.
pub(crate) struct Waiting {
    of: Arc<Cut>,
    registered: bool,
    future: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Waiting {
    pub(crate) fn new(of: &Arc<Cut>) -> Self {
        Self { of: Arc::clone(of), registered: false, future: Box::pin(of.token.clone().cancelled_owned()) }
    }

    pub(crate) fn is_for(&self, cut: &Arc<Cut>) -> bool {
        Arc::ptr_eq(&self.of, cut)
    }

    /// Ready when it has happened.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !std::mem::replace(&mut self.registered, true) {
            // Pending has to mean that it is registered, not that this task has done enough for now.
            return pin!(unconstrained(self.future.as_mut())).poll(context);
        }
        if self.of.is_over() { Poll::Ready(()) } else { Poll::Pending }
    }
}
