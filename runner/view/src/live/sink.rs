//! The thread that writes: whoever prints through it never waits for the output.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// When so many bytes wait to be written, log lines are left out until there is room.
const FULL: usize = 4 << 20;

/// A queue of text before an output. Dropping it waits until everything is written.
pub(super) struct Sink {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    pending: String,
    closed: bool,
    /// The output failed; what comes is dropped.
    dead: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Only whole texts are appended under the lock, so a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, out: &mut dyn Write) {
        let mut text = String::new();
        loop {
            let mut state = self.lock();
            while state.pending.is_empty() && !state.closed {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.pending.is_empty() {
                return;
            }
            text.clear();
            std::mem::swap(&mut text, &mut state.pending);
            drop(state);
            if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
                let mut state = self.lock();
                state.dead = true;
                state.pending = String::new();
            }
        }
    }
}

impl Sink {
    pub(super) fn new(mut out: Box<dyn Write + Send>) -> Self {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("output".to_owned()).spawn(move || theirs.write_all(&mut *out));
        // A system without room for a thread gets no live output; the run matters more.
        shared.lock().dead = thread.is_err();
        Self { shared, thread: thread.ok() }
    }

    /// Whether log lines should be left out, because the output does not keep up.
    pub(super) fn is_full(&self) -> bool {
        self.shared.lock().pending.len() >= FULL
    }

    /// Hands text over, and leaves an empty string.
    pub(super) fn send(&self, text: &mut String) {
        if text.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        if state.dead {
            text.clear();
        } else if state.pending.is_empty() {
            std::mem::swap(text, &mut state.pending);
        } else {
            state.pending.push_str(text);
            text.clear();
        }
        drop(state);
        self.shared.wake.notify_one();
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the output's own code has nothing more to say here.
            let _ = thread.join();
        }
    }
}
