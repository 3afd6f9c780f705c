//! `windlass show --trace`: a run as a trace in the Trace Event Format, which Perfetto and
//! `chrome://tracing` open.
//!
//! The run is a process. Its tracks, from the top: the run itself, the host's own calls, and each
//! stage followed by its steps. Slices on a track lie within one another, as viewers want them: step,
//! attempt, call. Times are microseconds since the run's start. Where a crash cut slices off they end
//! with the last record before it, and a slice `down` fills the gap on the run's own track.
//!
//! It is written as the records are read; only what has begun and not ended is held.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use windlass_journal::{CallId, Entry, InDoubtAnswer, Reader, Record, RunSummary, StageIndex, StepIndex};

use crate::calls::Call;
use crate::error::ViewError;
use crate::json::{push_line, state_word, value};
use crate::model::RunModel;
use crate::text;

/// The one process of the trace.
const PROCESS: u32 = 1;
/// The track of the run itself.
const RUN: u32 = 1;
/// The track of the host's own calls.
const HOST: u32 = 2;
/// The tracks of stages and steps begin here.
const FIRST: u32 = 10;
/// This much is written at once.
const WRITE_TOGETHER: usize = 64 << 10;

/// Writes a run as a trace, from its records alone.
///
/// # Errors
///
/// What the journal says, and what the output says.
pub fn trace(reader: &Reader, run: &RunSummary, out: &mut dyn Write) -> Result<(), ViewError> {
    let model = RunModel::read(reader, run)?;
    let mut trace = Trace::new(&model);
    for entry in reader.entries(run, 0)? {
        trace.record(&entry?);
        if trace.text.len() >= WRITE_TOGETHER {
            out.write_all(trace.text.as_bytes())?;
            trace.text.clear();
        }
    }
    let state = state_word(reader.refresh(run)?.state);
    out.write_all(trace.finish(state).as_bytes())?;
    Ok(out.flush()?)
}

/// An event of the format. A slice either has a beginning (`B`) and an end (`E`), whose arguments
/// viewers put together, or is complete (`X`); `i` is a moment, `C` a counter, `M` a name.
#[derive(Serialize)]
struct Event<'a> {
    name: &'a str,
    cat: &'a str,
    ph: &'static str,
    ts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<u64>,
    pid: u32,
    tid: u32,
    /// How far a moment reaches: its track (`t`) or the process (`p`).
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    #[serde(skip_serializing_if = "Value::is_null")]
    args: Value,
}

/// What is being written.
pub(crate) struct Trace<'a> {
    model: &'a RunModel,
    text: String,
    /// Nothing was written yet.
    first: bool,
    stages: BTreeMap<StageIndex, u32>,
    steps: BTreeMap<StepIndex, u32>,
    /// The slices that are open on each track with their names, the outermost first. Viewers want the name again
    /// at the end, and pass over an end with another one.
    open: BTreeMap<u32, Vec<(Slice, Arc<str>)>>,
    /// When the last slice of each track began or ended.
    free: BTreeMap<u32, u64>,
    /// Calls that a crash cut off, and which may still be answered.
    cut: BTreeMap<CallId, Arc<str>>,
    /// When the last record was made, and when the run was resumed last.
    last: u64,
    resumed: u64,
}

/// An open slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slice {
    Run,
    Stage,
    Step,
    Attempt(u32),
    Call(CallId),
}

impl<'a> Trace<'a> {
    pub(crate) fn new(model: &'a RunModel) -> Self {
        let mut trace = Self {
            model,
            text: "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n".to_owned(),
            first: true,
            stages: BTreeMap::new(),
            steps: BTreeMap::new(),
            open: BTreeMap::new(),
            free: BTreeMap::new(),
            cut: BTreeMap::new(),
            last: 0,
            resumed: 0,
        };
        trace.names();
        trace
    }

    /// Names the process and its tracks.
    fn names(&mut self) {
        let model = self.model;
        if let Some(started) = model.started.as_deref() {
            self.name("process_name", RUN, &format!("{} {}", started.pipeline, started.run));
        }
        self.track(RUN, "run");
        self.track(HOST, "host");
        let mut next = FIRST;
        for (index, stage) in model.stages.iter().filter(|(_, stage)| stage.started_at.is_some()) {
            self.track(next, &format!("stage {}", stage.name));
            self.stages.insert(*index, next);
            next += 1;
            for step in &stage.steps {
                self.track(next, &model.path(*step));
                self.steps.insert(*step, next);
                next += 1;
            }
        }
    }

    fn track(&mut self, track: u32, name: &str) {
        self.name("thread_name", track, name);
        let args = json!({ "sort_index": track });
        self.push("thread_sort_index", "__metadata", "M", 0, track, None, None, args);
    }

    fn name(&mut self, what: &str, track: u32, name: &str) {
        self.push(what, "__metadata", "M", 0, track, None, None, json!({ "name": name }));
    }

    /// Takes in the next record.
    pub(crate) fn record(&mut self, entry: &Entry) {
        let at = entry.at.saturating_sub(self.model.started_at);
        match &entry.record {
            Record::RunStarted(started) => {
                let args = json!({
                    "run": started.run, "pipeline": started.pipeline, "file": started.file,
                    "started": text::moment(entry.at), "facts": started.facts, "versions": started.versions,
                });
                self.begin(RUN, Slice::Run, "run", at, args);
            }
            Record::StageStarted { stage, name } => {
                if let Some(track) = self.stages.get(stage).copied()
                    && self.open.get(&track).is_none_or(Vec::is_empty)
                {
                    self.begin(track, Slice::Stage, name, at, Value::Null);
                }
            }
            Record::StageEnded { stage, status, .. } => {
                if let Some(track) = self.stages.get(stage).copied() {
                    self.end(track, Slice::Stage, at, json!({ "status": text::status(Some(*status)).0 }));
                }
            }
            Record::StepStarted { step, attempt, .. } => {
                self.attempt(*step, *attempt, at);
            }
            Record::StepEnded { step, attempt, status, failure, outputs } => {
                let Some(track) = self.attempt(*step, *attempt, at) else { return };
                let args = json!({ "status": text::status(Some(*status)).0, "failure": failure, "outputs": outputs });
                self.end(track, Slice::Attempt(*attempt), at, args);
                let last = self.model.steps.get(step).and_then(|step| step.attempts.last());
                if last.is_none_or(|last| last.number <= *attempt) {
                    self.end(track, Slice::Step, at, json!({ "status": text::status(Some(*status)).0 }));
                }
            }
            Record::CallStarted { call, function, args, grant } => {
                self.cut.remove(call);
                let track = self.of_call(*call, at);
                let args = json!({ "call": name_of(*call), "arguments": value(args), "grant": grant });
                self.begin(track, Slice::Call(*call), function, at, args);
            }
            Record::CallEnded { call, answer } => self.call_ended(*call, answer, at),
            Record::CallRecorded { call, function, args, grant, answer, took } => {
                let track = self.of_call(*call, at);
                let from = at.saturating_sub(*took);
                let mut all = outcome(answer);
                all["call"] = name_of(*call).into();
                all["arguments"] = value(args);
                all["grant"] = json!(grant);
                self.complete(track, function, from, at, all);
            }
            Record::Metric { call, name, value, unit, labels } => {
                let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
                let unit = if unit.is_empty() { String::new() } else { format!(" [{unit}]") };
                let name = format!("{} {name}{labels}{unit}", self.model.path(call.step));
                // JSON has no words for what is not finite, and a counter has no place for it.
                if value.is_finite() {
                    self.push(&name, "metric", "C", at, RUN, None, None, json!({ "value": value }));
                }
            }
            Record::Notice { step, message } => {
                let track = step.map_or(RUN, |step| self.of_step(step));
                self.moment("notice", track, at, json!({ "message": message }));
            }
            Record::StepInputs { step, attempt, env, folders } => {
                let track = self.of_step(*step);
                self.moment("inputs", track, at, json!({ "attempt": attempt, "env": env, "folders": folders }));
            }
            Record::LogCut { step, limit, .. } => {
                let track = self.of_step(*step);
                self.moment("log cut", track, at, json!({ "limit": limit }));
            }
            Record::CancelRequested { by } => self.moment("cancel requested", RUN, at, json!({ "by": by })),
            Record::RunResumed(resumed) => {
                self.cut_off();
                let down = at.saturating_sub(self.last);
                self.push("down", "run", "X", self.last, RUN, Some(down), None, Value::Null);
                let restarted: Vec<_> =
                    resumed.restarted.iter().map(|step| self.model.path(*step).to_string()).collect();
                self.moment("resumed", RUN, at, json!({ "versions": resumed.versions, "restarted": restarted }));
                self.resumed = at;
            }
            Record::InDoubtAnswered { call, answer, by } => {
                let track = self.of_step(call.step);
                let answer = match answer {
                    InDoubtAnswer::Done => "done",
                    InDoubtAnswer::Repeat => "repeat",
                };
                self.moment("answered", track, at, json!({ "call": name_of(*call), "answer": answer, "by": by }));
            }
            Record::SecretRead { name, .. } => self.moment("secret read", RUN, at, json!({ "name": name })),
            Record::Log { .. } | Record::RunEnded { .. } => {}
        }
        self.last = at;
    }

    /// Ends what is open, and the trace.
    pub(crate) fn finish(mut self, state: &str) -> String {
        let tracks: Vec<u32> = self.open.keys().copied().filter(|track| *track != RUN).collect();
        for track in tracks {
            self.break_off(track, self.last);
        }
        self.end(RUN, Slice::Run, self.last, json!({ "status": state }));
        self.text.push_str("]}\n");
        self.text
    }

    fn call_ended(&mut self, call: CallId, answer: &str, at: u64) {
        let track = self.of_call(call, at);
        let open = self.open.get(&track).into_iter().flatten().any(|(slice, _)| *slice == Slice::Call(call));
        match (open, self.cut.remove(&call)) {
            (true, _) => self.end(track, Slice::Call(call), at, outcome(answer)),
            (false, Some(function)) => {
                // It began before a crash; the part after it begins with the resume.
                let mut args = outcome(answer);
                args["call"] = name_of(call).into();
                args["across-resume"] = true.into();
                self.complete(track, &function, self.resumed, at, args);
            }
            (false, None) => {}
        }
    }

    /// The track of a step, with its attempt open on it.
    fn attempt(&mut self, step: StepIndex, attempt: u32, at: u64) -> Option<u32> {
        let track = self.steps.get(&step).copied()?;
        let has = |open: &BTreeMap<u32, Vec<(Slice, Arc<str>)>>, wanted| {
            open.get(&track).into_iter().flatten().any(|(slice, _)| *slice == wanted)
        };
        // A resumed run need not begin again what it goes on with.
        if !has(&self.open, Slice::Attempt(attempt)) {
            self.stage_of(step, at);
            if !has(&self.open, Slice::Step) {
                let name = self.model.path(step);
                self.begin(track, Slice::Step, &name, at, Value::Null);
            }
            self.begin(track, Slice::Attempt(attempt), &format!("attempt {attempt}"), at, Value::Null);
        }
        Some(track)
    }

    /// Has the stage of a step open.
    fn stage_of(&mut self, step: StepIndex, at: u64) {
        let model = self.model;
        let Some(index) = model.steps.get(&step).map(|step| step.stage) else { return };
        let (Some(stage), Some(track)) = (model.stages.get(&index), self.stages.get(&index).copied()) else { return };
        if self.open.get(&track).is_none_or(Vec::is_empty) {
            self.begin(track, Slice::Stage, &stage.name, at, Value::Null);
        }
    }

    fn of_call(&mut self, call: CallId, at: u64) -> u32 {
        match call.step {
            StepIndex::HOST => HOST,
            step => self.attempt(step, call.attempt, at).unwrap_or(HOST),
        }
    }

    fn of_step(&self, step: StepIndex) -> u32 {
        self.steps.get(&step).copied().unwrap_or(HOST)
    }

    fn begin(&mut self, track: u32, slice: Slice, name: &str, at: u64, args: Value) {
        self.push(name, slice.category(), "B", at, track, None, None, args);
        self.open.entry(track).or_default().push((slice, name.into()));
    }

    /// A call as one slice, as far as it does not lie over what was on the track before.
    fn complete(&mut self, track: u32, function: &str, from: u64, to: u64, args: Value) {
        let from = from.max(self.free.get(&track).copied().unwrap_or(0)).min(to);
        self.push(function, "call", "X", from, track, Some(to - from), None, args);
    }

    /// Ends a slice, and whatever lies within it.
    fn end(&mut self, track: u32, slice: Slice, at: u64, args: Value) {
        let Some(open) = self.open.get_mut(&track) else { return };
        let Some(place) = open.iter().rposition(|(open, _)| *open == slice) else { return };
        let mut ended = open.split_off(place).into_iter();
        let outer = ended.next();
        for (slice, name) in ended.rev() {
            self.push(&name, slice.category(), "E", at, track, None, None, Value::Null);
        }
        if let Some((slice, name)) = outer {
            self.push(&name, slice.category(), "E", at, track, None, None, args);
        }
    }

    fn break_off(&mut self, track: u32, at: u64) {
        for (slice, name) in self.open.remove(&track).unwrap_or_default().into_iter().rev() {
            self.push(&name, slice.category(), "E", at, track, None, None, json!({ "status": "broke off" }));
        }
    }

    /// The process that was at it is gone: ends all but the run with its last word.
    fn cut_off(&mut self) {
        let tracks: Vec<u32> = self.open.keys().copied().filter(|track| *track != RUN).collect();
        for track in tracks {
            for (slice, name) in self.open.get(&track).into_iter().flatten() {
                if let Slice::Call(call) = slice {
                    self.cut.insert(*call, Arc::clone(name));
                }
            }
            self.break_off(track, self.last);
        }
    }

    fn moment(&mut self, name: &str, track: u32, at: u64, args: Value) {
        let scope = if track == RUN { "p" } else { "t" };
        self.push(name, "moment", "i", at, track, None, Some(scope), args);
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of an event, in their order")]
    fn push(
        &mut self,
        name: &str,
        cat: &str,
        ph: &'static str,
        ts: u64,
        tid: u32,
        dur: Option<u64>,
        s: Option<&'static str>,
        args: Value,
    ) {
        if matches!(ph, "B" | "E" | "X") {
            self.free.insert(tid, ts + dur.unwrap_or(0));
        }
        if !std::mem::take(&mut self.first) {
            self.text.push(',');
        }
        push_line(&mut self.text, &Event { name, cat, ph, ts, dur, pid: PROCESS, tid, s, args });
    }
}

impl Slice {
    fn category(&self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Stage => "stage",
            Self::Step => "step",
            Self::Attempt(_) => "attempt",
            Self::Call(..) => "call",
        }
    }
}

fn name_of(call: CallId) -> String {
    format!("{}.{}", call.attempt, call.ordinal)
}

/// How a call went, and its answer.
fn outcome(answer: &str) -> Value {
    json!({ "outcome": Call::outcome_of(Some(answer)).word(), "answer": value(answer) })
}
