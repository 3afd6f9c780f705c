//! The threads that serve connections. Each has a runtime of its own, and a connection stays with the
//! thread that it was given to, its connections to endpoints too. So nothing that a request waits for
//! is on another thread, and no thread is woken to steal what is done in a moment.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Workers {
    handles: Vec<Handle>,
    next: AtomicUsize,
    ended: CancellationToken,
}

impl Workers {
    pub(crate) fn start(number: usize) -> io::Result<Self> {
        let mut workers = Self { handles: Vec::new(), next: AtomicUsize::new(0), ended: CancellationToken::new() };
        for _ in 0..number.max(1) {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            workers.handles.push(runtime.handle().clone());
            let ended = workers.ended.clone();
            std::thread::Builder::new().name("router".to_owned()).spawn(move || {
                runtime.block_on(ended.cancelled());
                // What is left are idle tasks; nobody waits for them.
                runtime.shutdown_background();
            })?;
        }
        Ok(workers)
    }

    pub(super) fn len(&self) -> usize {
        self.handles.len()
    }

    /// Whose turn it is: in turn they have as many connections each, also when those stay for long.
    pub(super) fn next(&self) -> (usize, &Handle) {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.handles.len();
        (at, &self.handles[at])
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}
