//! Ending a request from outside: when the time to drain is over, also one that says nothing.

use crate::run::{Cut, Waiting};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

tokio::task_local! {
    static SLOT: RefCell<Slot>;
}

/// What can end the request that this task works on. It changes when the request goes on elsewhere; what waits for it
/// stays for the next request, which most often goes to the same endpoint.
#[derive(Default)]
struct Slot {
    now: Option<Arc<Cut>>,
    waiting: Option<Waiting>,
}

impl Slot {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(now) = &self.now else { return Poll::Pending };
        match &mut self.waiting {
            Some(waiting) if waiting.is_for(now) => waiting.poll(context),
            waiting => waiting.insert(Waiting::new(now)).poll(context),
        }
    }
}

/// From inside the request: this ends it.
pub(super) fn ends_with(cut: Arc<Cut>) {
    set(Some(cut));
}

/// From inside the request: it sees to its end itself.
pub(super) fn ends_by_itself() {
    set(None);
}

fn set(cut: Option<Arc<Cut>>) {
    // Outside of a request there is nothing to end.
    let _ = SLOT.try_with(|slot| slot.borrow_mut().now = cut);
}

/// Around a connection, whose requests come one after the other.
pub(super) async fn one_by_one<T>(connection: impl Future<Output = T>) -> T {
    SLOT.scope(RefCell::default(), connection).await
}

/// Runs a request to its end, or drops it when it is cut.
pub(super) async fn unless_cut<T>(request: impl Future<Output = T>) -> Option<T> {
    // A stream of HTTP/2 has a task of its own.
    if SLOT.try_with(|_| ()).is_ok() { watched(request).await } else { one_by_one(watched(request)).await }
}

async fn watched<T>(request: impl Future<Output = T>) -> Option<T> {
    let mut request = pin!(request);
    let done = poll_fn(|context| match request.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => SLOT.with(|slot| slot.borrow_mut().poll(context)).map(|()| None),
    })
    .await;
    set(None);
    done
}
