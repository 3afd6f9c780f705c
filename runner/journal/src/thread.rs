//! The journal's own thread: takes the buffer, has it stored, and tells who waits and who watches.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::buffer::{Batch, Sleep, Waiter};
use crate::error::JournalError;
use crate::lease::HEARTBEAT;
use crate::log::LogView;
use crate::record::Entry;
use crate::store::Store;
use crate::writer::{Shared, WAKE_WEIGHT};

/// Sees every batch once it is durable; the live view of a run hangs on it.
pub trait Observer: Send {
    /// A batch was committed. Called on the journal's thread, in order, after those who waited for
    /// the batch were told; the next commit waits for it, so it should be quick, and it must not
    /// wait for a task that itself waits for the journal. [`crate::Writer::close`] returns after the
    /// last batch was seen. An observer that keeps a [`crate::Writer`] keeps the run open until that
    /// is closed.
    fn committed(&mut self, entries: &[Entry], logs: &LogView<'_>);
}

/// What the thread owns.
pub(crate) struct Committer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: Store,
    pub(crate) observer: Option<Box<dyn Observer>>,
    pub(crate) flush_after: Duration,
}

/// Tells everybody, however the thread ends, that nothing is written any more.
struct Farewell(Arc<Shared>);

impl Drop for Farewell {
    fn drop(&mut self) {
        let mut buffer = self.0.lock();
        buffer.closed = true;
        buffer.batch.clear();
        self.0.room.notify_all();
    }
}

impl Committer {
    /// The thread's life.
    pub(crate) fn run(mut self) {
        let farewell = Farewell(Arc::clone(&self.shared));
        let mut spare = Batch::default();
        loop {
            let (mut batch, closed) = self.next_batch(spare);
            let result = self.commit(&mut batch, closed);
            let waiters = std::mem::take(&mut batch.waiters);
            if let Err(error) = &result {
                self.fail(error);
            }
            if closed {
                // Whoever closes the record wants everything behind them: the last lines on the
                // terminal, the store closed, the lease given back.
                self.observe(&result, &batch);
                self.store.close();
                drop(farewell);
                answer(waiters, &result);
                return;
            }
            answer(waiters, &result);
            self.observe(&result, &batch);
            batch.clear();
            spare = batch;
        }
    }

    /// Sleeps until there is a reason to commit, then takes the batch; also whether it is the last.
    fn next_batch(&mut self, spare: Batch) -> (Batch, bool) {
        let mut buffer = self.shared.lock();
        loop {
            let now = Instant::now();
            let beat = self.store.seen().map_or(now, |seen| seen + HEARTBEAT);
            let due = buffer.since.map(|since| since + self.flush_after);
            let next = due.map_or(beat, |due| due.min(beat));
            let urgent = !buffer.batch.waiters.is_empty() || buffer.batch.weight >= WAKE_WEIGHT;
            if urgent || buffer.closed || next <= now {
                buffer.sleep = Sleep::Awake;
                let closed = buffer.closed;
                let batch = buffer.take(spare);
                drop(buffer);
                self.shared.room.notify_all();
                return (batch, closed);
            }
            buffer.sleep = if due.is_some() { Sleep::Timed } else { Sleep::Idle };
            let woken = self.shared.wake.wait_timeout(buffer, next - now);
            buffer = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Makes a batch durable; an empty one that nobody waits for is a sign of life.
    fn commit(&mut self, batch: &mut Batch, last: bool) -> Result<(), JournalError> {
        if let Some(error) = self.shared.lock().failed.clone() {
            self.store.skip_heartbeat();
            return Err(JournalError::clone(&error));
        }
        let mut entries = 0;
        if self.store.is_first() && !batch.chunks.is_empty() {
            entries = 1;
            self.store.commit(&batch.entries[..entries])?;
        }
        self.store.write_log(batch)?;
        if last {
            self.store.sync_log()?;
        }
        if batch.entries.len() > entries {
            self.store.commit(&batch.entries[entries..])?;
        } else if batch.waiters.is_empty() && !last {
            self.store.heartbeat();
        }
        Ok(())
    }

    fn observe(&mut self, result: &Result<(), JournalError>, batch: &Batch) {
        if let Some(observer) = &mut self.observer
            && result.is_ok()
            && !batch.entries.is_empty()
        {
            observer.committed(&batch.entries, &LogView::new(&batch.chunks));
        }
    }

    /// Nothing is written after the first failed commit: the record would have a gap.
    fn fail(&self, error: &JournalError) {
        let mut buffer = self.shared.lock();
        if buffer.failed.is_none() {
            buffer.failed = Some(Arc::new(error.clone()));
        }
        let rest = buffer.take(Batch::default());
        drop(buffer);
        self.shared.room.notify_all();
        answer(rest.waiters, &Err(error.clone()));
    }
}

fn answer(waiters: Vec<Waiter>, result: &Result<(), JournalError>) {
    for waiter in waiters {
        // Whoever stopped waiting does not want to know.
        let _ = waiter.send(result.clone());
    }
}
