//! What waits for the next commit: records in their order, log bytes beside them, and who waits.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::clock::now_micros;
use crate::error::JournalError;
use crate::log::LogChunk;
use crate::record::{Entry, Record, StepIndex, Stream};

/// A log record collects what its step prints for at most this long, so that times stay true ...
const COALESCE_MICROS: u64 = 50_000;
/// ... and at most this much, so that a reader can take it in one piece.
const COALESCE_BYTES: usize = 1 << 20;
/// What a record weighs in memory besides its texts.
const ENTRY_WEIGHT: usize = size_of::<Entry>();

/// The answer to whoever waits for durability.
pub(crate) type Waiter = oneshot::Sender<Result<(), JournalError>>;

/// Everything between two commits.
#[derive(Default)]
pub(crate) struct Batch {
    /// The records, in order; the offset of a log record is not known yet.
    pub(crate) entries: Vec<Entry>,
    /// The bytes of the log records, in the same order.
    pub(crate) chunks: Vec<LogChunk>,
    /// For each chunk the index of its record among the entries.
    pub(crate) owners: Vec<usize>,
    /// Who waits for all this to be durable.
    pub(crate) waiters: Vec<Waiter>,
    /// About how much memory it takes.
    pub(crate) weight: usize,
}

impl Batch {
    /// Empties it and keeps its room for the next use.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.chunks.clear();
        self.owners.clear();
        self.waiters.clear();
        self.weight = 0;
    }
}

/// What the journal's thread is doing, so that nobody wakes it twice or for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sleep {
    /// It is at work and will look at the buffer by itself.
    Awake,
    /// It sleeps until the batch is due.
    Timed,
    /// It sleeps, and nothing was pending when it went to sleep.
    Idle,
}

impl Sleep {
    /// Whether to wake the thread, now that something was added.
    pub(crate) fn wakes_for(&mut self, urgent: bool) -> bool {
        let wake = *self == Self::Idle || (urgent && *self == Self::Timed);
        if wake {
            *self = Self::Awake;
        }
        wake
    }
}

/// How much of a step attempt's log was taken.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    taken: u64,
    dropped: u64,
    /// The cut was noted.
    cut: bool,
}

/// Where the newest log record of a step can still grow.
struct Growing {
    attempt: u32,
    stream: Stream,
    entry: usize,
    chunk: usize,
}

/// The buffer behind the writer's lock.
pub(crate) struct Buffer {
    pub(crate) batch: Batch,
    /// When the first record of the batch came; the batch is due a little later.
    pub(crate) since: Option<Instant>,
    /// The first failed commit; nothing is taken after it.
    pub(crate) failed: Option<Arc<JournalError>>,
    /// No record is taken any more: the run is being closed.
    pub(crate) closed: bool,
    next_seq: u64,
    last_at: u64,
    pub(crate) sleep: Sleep,
    growing: HashMap<StepIndex, Growing>,
    usage: HashMap<(StepIndex, u32), Usage>,
}

impl Buffer {
    /// An empty buffer whose first record gets the place `next_seq`.
    pub(crate) fn new(next_seq: u64) -> Self {
        Self {
            batch: Batch::default(),
            since: None,
            failed: None,
            closed: false,
            next_seq,
            last_at: 0,
            sleep: Sleep::Awake,
            growing: HashMap::new(),
            usage: HashMap::new(),
        }
    }

    /// Goes on where a run was interrupted: `last_at` is the time of its last record.
    pub(crate) fn resumed(last_seq: u64, last_at: u64) -> Self {
        Self { last_at, ..Self::new(last_seq + 1) }
    }

    /// Counts what an earlier process took of a step attempt's log.
    pub(crate) fn count(&mut self, record: &Record) {
        match *record {
            Record::Log { step, attempt, len, .. } => self.usage.entry((step, attempt)).or_default().taken += len,
            Record::LogCut { step, attempt, .. } => self.usage.entry((step, attempt)).or_default().cut = true,
            _ => {}
        }
    }

    /// Whether records are still taken.
    pub(crate) fn takes(&self) -> bool {
        !self.closed && self.failed.is_none()
    }

    /// Appends a record, now.
    pub(crate) fn push(&mut self, record: Record) {
        let at = self.now();
        self.push_at(at, record);
    }

    /// Appends a stretch of a step's log, as far as its bound allows.
    pub(crate) fn log(&mut self, step: StepIndex, attempt: u32, stream: Stream, bytes: &[u8], limit: u64) {
        if bytes.is_empty() {
            return;
        }
        let usage = self.usage.entry((step, attempt)).or_default();
        let room = usize::try_from(limit.saturating_sub(usage.taken)).unwrap_or(usize::MAX);
        let (taken, dropped) = bytes.split_at(room.min(bytes.len()));
        let cut = !dropped.is_empty() && !usage.cut;
        usage.cut |= cut;
        usage.taken += taken.len() as u64;
        usage.dropped += dropped.len() as u64;
        if !taken.is_empty() {
            self.take_log(step, attempt, stream, taken);
        }
        if cut {
            self.push(Record::LogCut { step, attempt, limit });
        }
    }

    /// How many bytes of a step attempt's log were dropped beyond its bound.
    pub(crate) fn dropped(&self, step: StepIndex, attempt: u32) -> u64 {
        self.usage.get(&(step, attempt)).map_or(0, |usage| usage.dropped)
    }

    /// Gives out the batch, and takes an empty one (with its room) in its place.
    pub(crate) fn take(&mut self, empty: Batch) -> Batch {
        self.since = None;
        self.growing.clear();
        std::mem::replace(&mut self.batch, empty)
    }

    fn take_log(&mut self, step: StepIndex, attempt: u32, stream: Stream, bytes: &[u8]) {
        let at = self.now();
        self.batch.weight += bytes.len();
        if let Some(growing) = self.growing.get(&step)
            && (growing.attempt, growing.stream) == (attempt, stream)
        {
            let Entry { at: began, record, .. } = &mut self.batch.entries[growing.entry];
            let chunk = &mut self.batch.chunks[growing.chunk].bytes;
            if let Record::Log { len, .. } = record
                && at - *began <= COALESCE_MICROS
                && chunk.len() + bytes.len() <= COALESCE_BYTES
            {
                chunk.extend_from_slice(bytes);
                *len += bytes.len() as u64;
                return;
            }
        }
        let chunk = self.batch.chunks.len();
        self.batch.chunks.push(LogChunk { offset: 0, bytes: bytes.to_vec() });
        self.push_at(at, Record::Log { step, attempt, stream, offset: 0, len: bytes.len() as u64 });
        let entry = self.batch.entries.len() - 1;
        self.batch.owners.push(entry);
        self.growing.insert(step, Growing { attempt, stream, entry, chunk });
    }

    fn push_at(&mut self, at: u64, record: Record) {
        if !self.growing.is_empty()
            && let Some(step) = step_of(&record)
        {
            // What a step prints after this record must not appear before it.
            self.growing.remove(&step);
        }
        if self.batch.entries.is_empty() {
            self.since = Some(Instant::now());
        }
        self.batch.weight += weight(&record);
        self.batch.entries.push(Entry { seq: self.next_seq, at, record });
        self.next_seq += 1;
    }

    /// The wall clock, which never goes back within a run: a record is not older than the one before.
    fn now(&mut self) -> u64 {
        self.last_at = self.last_at.max(now_micros());
        self.last_at
    }
}

/// The step that a record belongs to.
fn step_of(record: &Record) -> Option<StepIndex> {
    match record {
        Record::StepStarted { step, .. }
        | Record::StepEnded { step, .. }
        | Record::StepInputs { step, .. }
        | Record::Log { step, .. }
        | Record::LogCut { step, .. } => Some(*step),
        Record::CallStarted { call, .. }
        | Record::CallEnded { call, .. }
        | Record::CallRecorded { call, .. }
        | Record::InDoubtAnswered { call, .. }
        | Record::Metric { call, .. } => Some(call.step),
        Record::Notice { step, .. } => *step,
        Record::RunStarted(_)
        | Record::RunResumed(_)
        | Record::StageStarted { .. }
        | Record::StageEnded { .. }
        | Record::CancelRequested { .. }
        | Record::SecretRead { .. }
        | Record::RunEnded { .. } => None,
    }
}

/// About how much memory a record takes.
fn weight(record: &Record) -> usize {
    let texts = match record {
        Record::RunStarted(started) => started.source.len(),
        Record::StepEnded { outputs, .. } => outputs.len() * 256,
        Record::CallStarted { args, .. } => args.len(),
        Record::CallEnded { answer, .. } => answer.len(),
        Record::CallRecorded { args, answer, .. } => args.len() + answer.len(),
        Record::Notice { message, .. } => message.len(),
        Record::Metric { labels, .. } => labels.len() * 128,
        _ => 0,
    };
    ENTRY_WEIGHT + texts
}
