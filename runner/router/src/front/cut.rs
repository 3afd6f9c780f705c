//! Ending a request from outside: when the time to drain is over, also a WebSocket that says nothing.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

tokio::task_local! {
    static SLOT: Slot;
}

/// What can end the request that this task works on. It changes when the request goes on elsewhere.
#[derive(Clone, Debug, Default)]
struct Slot(Arc<Mutex<Option<CancellationToken>>>);

impl Slot {
    fn take(&self) -> Option<CancellationToken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// From inside the request: this token ends it.
pub(super) fn ends_with(token: CancellationToken) {
    // Outside of a request there is nothing to end.
    let _ = SLOT.try_with(|slot| *slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(token));
}

/// Runs a request to its end, or drops it when its token is cancelled.
pub(super) async fn unless_cut<T>(request: impl Future<Output = T>) -> Option<T> {
    let slot = Slot::default();
    let mut request = pin!(SLOT.scope(slot.clone(), request));
    let mut cut: Option<Pin<Box<WaitForCancellationFutureOwned>>> = None;
    poll_fn(|context| {
        if let Poll::Ready(done) = request.as_mut().poll(context) {
            return Poll::Ready(Some(done));
        }
        if let Some(token) = slot.take() {
            cut = Some(Box::pin(token.cancelled_owned()));
        }
        match cut.as_mut().map(|cut| cut.as_mut().poll(context)) {
            Some(Poll::Ready(())) => Poll::Ready(None),
            _ => Poll::Pending,
        }
    })
    .await
}
