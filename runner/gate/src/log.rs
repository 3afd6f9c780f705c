//! The step's log: bounded by the journal, redacted here.

use std::collections::HashMap;
use std::fmt;
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
}

impl fmt::Debug for StepLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepLog")
            .field("step", &self.inner.step)
            .field("attempt", &self.inner.attempt)
            .finish_non_exhaustive()
    }
}

impl StepLog {
    /// The log of one attempt of a step, of `limit` bytes at most.
    pub fn new(writer: Writer, step: StepIndex, attempt: u32, limit: u64, redactor: Redactor) -> Self {
        Self { inner: Arc::new(Inner { writer, step, attempt, limit, redactor, held: Mutex::default() }) }
    }

    /// Writes bytes. Never waits; over the limit they are dropped, and the log says so once.
    pub fn write(&self, stream: Stream, bytes: &[u8]) {
        let inner = &*self.inner;
        if inner.redactor.is_empty() {
            inner.writer.log(inner.step, inner.attempt, stream, bytes, inner.limit);
            return;
        }
        let mut held = inner.held.lock().unwrap_or_else(PoisonError::into_inner);
        let clean = held.entry(stream).or_default().push(&inner.redactor, bytes);
        if !clean.is_empty() {
            inner.writer.log(inner.step, inner.attempt, stream, &clean, inner.limit);
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
                inner.writer.log(inner.step, inner.attempt, stream, &rest, inner.limit);
            }
        }
    }
}
