//! Stages, steps and their attempts, as far as a run got with them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use windlass_journal::{CallId, Failure, FolderInput, StageIndex, Status, StepIndex, Stream};

/// How many log records a step remembers at most ...
const TAIL_RECORDS: usize = 512;

/// ... and about how many bytes' worth: enough for the end of its log.
const TAIL_BYTES: u64 = 64 << 10;

/// The state of a stage.
#[derive(Clone, Debug)]
pub struct StageModel {
    /// Its name.
    pub name: Arc<str>,
    /// The environment that it belongs to, if it does.
    pub environment: Option<Arc<str>>,
    /// When it started; `None` if it never did.
    pub started_at: Option<u64>,
    /// When it ended.
    pub ended_at: Option<u64>,
    /// How it ended; `None` while it goes on.
    pub status: Option<Status>,
    /// Its steps that were started, in the order of the plan.
    pub steps: Vec<StepIndex>,
}

/// The state of a step.
#[derive(Clone, Debug)]
pub struct StepModel {
    /// The stage it belongs to.
    pub stage: StageIndex,
    /// Its name.
    pub name: Arc<str>,
    /// `stage/step`, as people name it.
    pub path: Arc<str>,
    /// Its attempts, in order.
    pub attempts: Vec<Attempt>,
    /// What the last attempt gave to later steps.
    pub outputs: BTreeMap<String, Value>,
    /// How many calls it made.
    pub calls: u64,
    /// How many bytes it printed.
    pub log_bytes: u64,
    /// The bound at which its log was cut, if it was.
    pub log_cut: Option<u64>,
    /// The effect that is under way.
    pub open: Option<OpenCall>,
    /// Where the end of its log stands, oldest first. Empty once it has succeeded.
    pub(crate) tail: VecDeque<LogPiece>,
    /// How many bytes `tail` tells of.
    tail_bytes: u64,
}

/// One attempt of a step.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Which, from 1.
    pub number: u32,
    /// When it started.
    pub started_at: u64,
    /// When it ended.
    pub ended_at: Option<u64>,
    /// How it ended; `None` while it goes on.
    pub status: Option<Status>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What it could see besides its calls.
    pub inputs: Option<Box<Inputs>>,
}

/// What an attempt of a step could see besides its calls.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The host's environment variables that it was granted.
    pub env: BTreeMap<String, String>,
    /// The folders that it was granted to read.
    pub folders: Vec<FolderInput>,
}

/// An effect that is under way.
#[derive(Clone, Debug)]
pub struct OpenCall {
    /// Which call.
    pub call: CallId,
    /// The function, as `docker.push`.
    pub function: Arc<str>,
    /// What it is about, where that can be said in a few words.
    pub about: Option<String>,
    /// When it started.
    pub started_at: u64,
}

/// Where a stretch of a log stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogPiece {
    pub(crate) attempt: u32,
    pub(crate) stream: Stream,
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

impl StageModel {
    pub(super) fn new(name: &Arc<str>) -> Self {
        let name = Arc::clone(name);
        Self { name, environment: None, started_at: None, ended_at: None, status: None, steps: Vec::new() }
    }
}

impl StepModel {
    pub(super) fn new(stage: StageIndex, stage_name: &str, name: &Arc<str>) -> Self {
        Self {
            stage,
            name: Arc::clone(name),
            path: format!("{stage_name}/{name}").into(),
            attempts: Vec::new(),
            outputs: BTreeMap::new(),
            calls: 0,
            log_bytes: 0,
            log_cut: None,
            open: None,
            tail: VecDeque::new(),
            tail_bytes: 0,
        }
    }

    /// How its last attempt ended; `None` while it goes on.
    pub fn status(&self) -> Option<Status> {
        self.attempts.last().and_then(|attempt| attempt.status)
    }

    /// Why its last attempt failed.
    pub fn failure(&self) -> Option<&Failure> {
        self.attempts.last().and_then(|attempt| attempt.failure.as_ref())
    }

    /// When its first attempt started.
    pub fn started_at(&self) -> u64 {
        self.attempts.first().map_or(0, |attempt| attempt.started_at)
    }

    /// When its last attempt ended.
    pub fn ended_at(&self) -> Option<u64> {
        self.attempts.last().and_then(|attempt| attempt.ended_at)
    }

    /// The last attempt, which has this number; it begins now if it has not yet.
    pub(super) fn attempt(&mut self, number: u32, at: u64) -> &mut Attempt {
        let place = match self.attempts.iter().rposition(|attempt| attempt.number == number) {
            Some(place) => place,
            None => {
                self.attempts.push(Attempt {
                    number,
                    started_at: at,
                    ended_at: None,
                    status: None,
                    failure: None,
                    inputs: None,
                });
                self.attempts.len() - 1
            }
        };
        &mut self.attempts[place]
    }

    pub(super) fn log(&mut self, piece: LogPiece) {
        self.log_bytes += piece.len;
        match self.tail.back() {
            // A late word of an attempt that is over.
            Some(last) if last.attempt > piece.attempt => return,
            Some(last) if last.attempt < piece.attempt => self.forget_tail(),
            _ => {}
        }
        self.tail_bytes += piece.len;
        self.tail.push_back(piece);
        while self.tail.len() > TAIL_RECORDS
            || self.tail.front().is_some_and(|first| self.tail_bytes - first.len >= TAIL_BYTES)
        {
            self.tail_bytes -= self.tail.pop_front().map_or(0, |piece| piece.len);
        }
    }

    pub(super) fn forget_tail(&mut self) {
        self.tail = VecDeque::new();
        self.tail_bytes = 0;
    }
}
