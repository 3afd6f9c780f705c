//! The step's log: bounded by the journal, redacted here.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use windlass_journal::{StepIndex, Stream, Writer};

use crate::redact::{Redactor, StreamRedactor};

/// Where a step's output goes. Clones write to the same log.
#[derive(Clone)]
pub struct StepLog {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Writer,
    step: StepIndex,
    attempt: u32,
    limit: u64,
    redactor: Redactor,
    /// Bytes held back because they may be the beginning of a secret, by stream.
    held: Mutex<HashMap<Stream, StreamRedactor>>,
    /// What is in the log already, from before a crash, and is not written again.
    there: Mutex<There>,
    /// Whether anything is.
    some_there: AtomicBool,
}

/// What of the output to come is in the log already.
enum There {
    /// All of it.
    Everything,
    /// So many bytes, by stream.
    Bytes(HashMap<Stream, u64>),
}

impl fmt::Debug for StepLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepLog")
            .field("step", &self.inner.step)
            .field("attempt", &self.inner.attempt)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn write(&self, stream: Stream, mut bytes: &[u8]) {
        if self.some_there.load(Ordering::Acquire) {
            match &mut *self.there.lock().unwrap_or_else(PoisonError::into_inner) {
                There::Everything => return,
                There::Bytes(there) => {
                    let left = there.entry(stream).or_default();
                    let known = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= known as u64;
                    bytes = &bytes[known..];
                }
            }
        }
        self.writer.log(self.step, self.attempt, stream, bytes, self.limit);
    }
}

impl StepLog {
    /// The log of one attempt of a step, of `limit` bytes at most.
    pub fn new(writer: Writer, step: StepIndex, attempt: u32, limit: u64, redactor: Redactor) -> Self {
        let (held, there) = (Mutex::default(), Mutex::new(There::Bytes(HashMap::new())));
        let some_there = AtomicBool::new(false);
        Self { inner: Arc::new(Inner { writer, step, attempt, limit, redactor, held, there, some_there }) }
    }

    /// Everything that is written from now on is in the log already.
    pub(crate) fn mute(&self) {
        self.there(There::Everything);
    }

    /// So much of what is written from now on is in the log already, and nothing of what comes after it.
    pub(crate) fn leave_out(&self, bytes: HashMap<Stream, u64>) {
        self.there(There::Bytes(bytes));
    }

    fn there(&self, there: There) {
        let some = !matches!(&there, There::Bytes(bytes) if bytes.is_empty());
        *self.inner.there.lock().unwrap_or_else(PoisonError::into_inner) = there;
        self.inner.some_there.store(some, Ordering::Release);
    }

    /// Writes bytes. Never waits; over the limit they are dropped, and the log says so once.
    pub fn write(&self, stream: Stream, bytes: &[u8]) {
        let inner = &*self.inner;
        if inner.redactor.is_empty() {
            inner.write(stream, bytes);
            return;
        }
        let mut held = inner.held.lock().unwrap_or_else(PoisonError::into_inner);
        let clean = held.entry(stream).or_default().push(&inner.redactor, bytes);
        if !clean.is_empty() {
            inner.write(stream, &clean);
        }
    }

    /// Writes a line.
    pub fn line(&self, stream: Stream, text: &str) {
        let mut line = String::with_capacity(text.len() + 1);
        line.push_str(text);
        line.push('\n');
        self.write(stream, line.as_bytes());
    }

    /// Writes what was held back. To be called when the step is over.
    pub fn finish(&self) {
        let inner = &*self.inner;
        let mut held = inner.held.lock().unwrap_or_else(PoisonError::into_inner);
        for (stream, mut redactor) in held.drain() {
            let rest = redactor.finish(&inner.redactor);
            if !rest.is_empty() {
                inner.write(stream, &rest);
            }
        }
    }
}
