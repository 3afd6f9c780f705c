//! The way into the journal: cheap to clone, from any thread, never waiting unless asked to.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, ThreadId};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use crate::buffer::Buffer;
use crate::error::JournalError;
use crate::inbox::Request;
use crate::record::{Record, StepIndex, Stream};

/// This much pending wakes the journal's thread before its time.
pub(crate) const WAKE_WEIGHT: usize = 64 << 10;

/// What writers and the journal's thread share.
pub(crate) struct Shared {
    pub(crate) run: Arc<str>,
    pub(crate) buffer: Mutex<Buffer>,
    /// The thread sleeps on it.
    pub(crate) wake: Condvar,
    /// Writers that ran ahead of the disk sleep on it.
    pub(crate) room: Condvar,
    /// Writers wait when this much is pending.
    pub(crate) pending_limit: usize,
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Buffer> {
        // A panic while the lock is held leaves the buffer whole: it is changed by single pushes.
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the record of one run. Clones write the same run.
///
/// When the last clone is dropped without [`Writer::close`], what is pending is still committed and
/// the run is left as interrupted.
#[derive(Clone)]
pub struct Writer {
    handle: Arc<Handle>,
}

/// The thread behind the clones; the last clone joins it.
struct Handle {
    shared: Arc<Shared>,
    thread_id: ThreadId,
    thread: Mutex<Option<JoinHandle<()>>>,
    requests: tokio::sync::Mutex<UnboundedReceiver<Request>>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, thread: JoinHandle<()>, requests: UnboundedReceiver<Request>) -> Self {
        let thread_id = thread.thread().id();
        let (thread, requests) = (Mutex::new(Some(thread)), tokio::sync::Mutex::new(requests));
        Self { handle: Arc::new(Handle { shared, thread_id, thread, requests }) }
    }

    /// The run's id.
    pub fn run(&self) -> &str {
        &self.handle.shared.run
    }

    /// Appends a record, now. It is committed within [`crate::WriterOptions::flush_after`].
    ///
    /// It does not wait, unless [`crate::WriterOptions::pending_limit`] is pending because the disk
    /// cannot keep up. After a failed commit, and after [`Writer::close`], the record is dropped.
    pub fn append(&self, record: Record) {
        let mut buffer = self.with_room();
        if buffer.takes() {
            buffer.push(record);
            self.nudge(buffer, false);
        }
    }

    /// Appends a record, and does `then` before the journal's thread can take it.
    #[cfg(feature = "crash-points")]
    pub fn append_then(&self, record: Record, then: impl FnOnce()) {
        let mut buffer = self.with_room();
        if buffer.takes() {
            buffer.push(record);
            then();
            self.nudge(buffer, false);
        }
    }

    /// Appends a record and waits until it, and everything before it, is durable.
    ///
    /// All who wait at the same moment share one commit.
    ///
    /// # Errors
    ///
    /// The error of the commit, or of an earlier one.
    pub async fn append_durable(&self, record: Record) -> Result<(), JournalError> {
        self.wait_durable(Some(record)).await
    }

    /// Waits until everything appended so far is durable.
    ///
    /// # Errors
    ///
    /// The error of the commit, or of an earlier one.
    pub async fn flush(&self) -> Result<(), JournalError> {
        self.wait_durable(None).await
    }

    /// Appends what a step printed, up to `limit` bytes for all streams of the attempt together.
    ///
    /// The first byte beyond the limit leaves one [`Record::LogCut`]; it and all later ones are
    /// counted ([`Writer::dropped`]) and dropped. Chunks of one step and stream that follow one
    /// another become one [`Record::Log`]. It waits like [`Writer::append`]: only for a disk that
    /// cannot keep up, so that memory stays bounded.
    pub fn log(&self, step: StepIndex, attempt: u32, stream: Stream, bytes: &[u8], limit: u64) {
        let mut buffer = self.with_room();
        if buffer.takes() {
            buffer.log(step, attempt, stream, bytes, limit);
            self.nudge(buffer, false);
        }
    }

    /// The next request that another process has left for this run; nothing once the record is closed. Whoever takes it
    /// appends the record that tells of it ([`Record::Decided`], [`Record::CancelRequested`]), with which it counts as
    /// taken.
    pub async fn request(&self) -> Option<Request> {
        self.handle.requests.lock().await.recv().await
    }

    /// The requests that are there already.
    pub fn requests(&self) -> Vec<Request> {
        let Ok(mut requests) = self.handle.requests.try_lock() else { return Vec::new() };
        std::iter::from_fn(|| requests.try_recv().ok()).collect()
    }

    /// How many bytes of a step attempt's log were dropped beyond its limit.
    pub fn dropped(&self, step: StepIndex, attempt: u32) -> u64 {
        self.handle.shared.lock().dropped(step, attempt)
    }

    /// Why nothing is written any more, if a commit failed.
    pub fn failed(&self) -> Option<Arc<JournalError>> {
        self.handle.shared.lock().failed.clone()
    }

    /// Ends the record with `ended` ([`Record::RunEnded`]): the log's bytes and the record are
    /// durable, the run's lease is given back, and the journal's thread has ended. Other clones can
    /// write no more.
    ///
    /// # Errors
    ///
    /// The error of the last commit, or of an earlier one; [`JournalError::Closed`] the second time.
    pub async fn close(&self, ended: Record) -> Result<(), JournalError> {
        let answer = {
            let mut buffer = self.handle.shared.lock();
            let answer = self.enlist(&mut buffer, Some(ended))?;
            buffer.closed = true;
            self.nudge(buffer, true);
            answer
        };
        let result = self.answered(answer.await);
        self.handle.join();
        result
    }

    async fn wait_durable(&self, record: Option<Record>) -> Result<(), JournalError> {
        let answer = {
            let mut buffer = self.handle.shared.lock();
            let answer = self.enlist(&mut buffer, record)?;
            self.nudge(buffer, true);
            answer
        };
        self.answered(answer.await)
    }

    /// Appends the record and adds a waiter, under one lock.
    fn enlist(
        &self,
        buffer: &mut Buffer,
        record: Option<Record>,
    ) -> Result<oneshot::Receiver<Result<(), JournalError>>, JournalError> {
        if let Some(error) = &buffer.failed {
            return Err(JournalError::clone(error));
        }
        if buffer.closed {
            return Err(self.closed());
        }
        if let Some(record) = record {
            buffer.push(record);
        }
        let (waiter, answer) = oneshot::channel();
        buffer.batch.waiters.push(waiter);
        Ok(answer)
    }

    fn answered(
        &self,
        answer: Result<Result<(), JournalError>, oneshot::error::RecvError>,
    ) -> Result<(), JournalError> {
        answer.unwrap_or_else(|_| Err(self.closed()))
    }

    fn closed(&self) -> JournalError {
        JournalError::Closed { run: self.run().to_owned() }
    }

    /// The buffer, once less than the limit is pending.
    fn with_room(&self) -> MutexGuard<'_, Buffer> {
        let shared = &*self.handle.shared;
        let mut buffer = shared.lock();
        // The journal's own thread (an observer that appends) must not wait for itself.
        if buffer.batch.weight >= shared.pending_limit && std::thread::current().id() != self.handle.thread_id {
            while buffer.batch.weight >= shared.pending_limit && buffer.takes() {
                buffer = shared.room.wait(buffer).unwrap_or_else(PoisonError::into_inner);
            }
        }
        buffer
    }

    /// Wakes the thread if there is a reason to that it does not know yet.
    fn nudge(&self, mut buffer: MutexGuard<'_, Buffer>, waiting: bool) {
        let urgent = waiting || buffer.batch.weight >= WAKE_WEIGHT;
        let wake = buffer.sleep.wakes_for(urgent);
        drop(buffer);
        if wake {
            self.handle.shared.wake.notify_one();
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("run", &self.run()).finish_non_exhaustive()
    }
}

impl Handle {
    fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && std::thread::current().id() != self.thread_id
        {
            // A panic of the thread was already answered with `Closed`.
            let _ = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
        self.join();
    }
}
