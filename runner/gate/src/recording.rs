//! What the journal knows of a run, in the form in which a resume or a replay needs it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use windlass_journal::{
    CallId, Decision, Entry, Failure, FolderInput, InDoubtAnswer, JournalError, PluginPin, Reader, Record, RunStarted,
    RunSummary, StageIndex, Status, StepIndex, Stream,
};

use crate::{Function, InDoubt, Kind, RecordedCall, Subject, Tape, api, tape};

/// A run as it was recorded.
#[derive(Clone, Debug)]
pub struct Recording {
    /// What it was pinned to.
    pub started: RunStarted,
    /// The stages that were begun, or skipped.
    pub stages: BTreeMap<StageIndex, StageRecord>,
    /// The newest attempt of each step that was begun.
    pub steps: BTreeMap<StepIndex, StepRecord>,
    /// What the host did after the last step.
    pub host: Tape,
    /// What people have decided.
    pub decided: HashMap<Subject, Decision>,
    /// Who asked the run to end.
    pub cancelled: Option<String>,
    /// For how long a process worked on it.
    pub ran_for: Duration,
    /// How it ended, if it did, with the exit code.
    pub ended: Option<(Status, u8)>,
    /// The capabilities that acted.
    pub acted: BTreeSet<&'static str>,
    /// The secrets that were read, by name, with what there is to notice another value by.
    pub secrets: BTreeMap<String, String>,
    /// Steps that are to begin anew.
    pub to_restart: Vec<StepIndex>,
    /// The plugins with which steps were last let begin anew, in the plan's order.
    pub restarted: BTreeMap<StepIndex, Vec<PluginPin>>,
    /// How often another process went on with it.
    pub resumed: u32,
}

/// A stage that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageRecord {
    /// Its name.
    pub name: Arc<str>,
    /// How it ended, if it did.
    pub ended: Option<Status>,
}

/// An attempt of a step.
#[derive(Clone, Debug)]
pub struct StepRecord {
    /// The step's name.
    pub name: Arc<str>,
    /// Its stage.
    pub stage: StageIndex,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// For how long a process worked on it.
    pub ran_for: Duration,
    /// How it ended, if it did.
    pub ended: Option<(Status, Option<Failure>)>,
    /// What it gave to later steps.
    pub outputs: BTreeMap<String, Json>,
    /// The host's variables that it saw.
    pub env: BTreeMap<String, String>,
    /// The folders that it saw; nothing if it was not recorded what it saw.
    pub folders: Option<Vec<FolderInput>>,
    /// Its calls.
    pub tape: Tape,
    began: u64,
    lost: u64,
    /// Since when it has waited for a person, if it does, and for how long it did before.
    asked: Option<u64>,
    waited: u64,
}

/// A call of which nobody but a person can say how it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Which call.
    pub call: CallId,
    /// What it was.
    pub recorded: RecordedCall,
}

impl Recording {
    /// Reads what there is of a run.
    ///
    /// # Errors
    /// What the journal says.
    pub fn read(reader: &Reader, run: &RunSummary) -> Result<Self, JournalError> {
        let mut reading = Reading::default();
        for entry in reader.entries(run, 0)? {
            reading.take(entry?)?;
        }
        reading.done().ok_or_else(|| JournalError::Empty { run: run.id.clone() })
    }

    /// The step of these names, if it was begun.
    pub fn step(&self, stage: &str, step: &str) -> Option<&StepRecord> {
        self.steps.values().find(|record| {
            *record.name == *step && self.stages.get(&record.stage).is_some_and(|record| *record.name == *stage)
        })
    }

    /// Lets steps begin anew.
    pub fn restart(&mut self, steps: &[StepIndex]) {
        self.to_restart.extend(steps);
    }

    /// Takes what a person has said about a call. Gives the answer with which the call then ends, if it does.
    pub fn tell(&mut self, question: &Question, told: InDoubtAnswer) -> Option<String> {
        let answer = (told == InDoubtAnswer::Done).then(|| question.done());
        let call = question.call;
        if let Some(step) = self.steps.get_mut(&call.step) {
            step.tape.told(call.ordinal, told, answer.clone());
        }
        answer
    }

    /// The calls of steps that are not over, of which only a person can say how they ended. `repeats` says which steps
    /// make such a call again without asking, `lost` of which exec nobody can know how it ended.
    pub fn questions(&self, repeats: impl Fn(StepIndex) -> bool, lost: impl Fn(&str) -> bool) -> Vec<Question> {
        self.in_doubt()
            .filter(|question| {
                let RecordedCall { function, args, told, .. } = &question.recorded;
                if *told == Some(InDoubtAnswer::Repeat) {
                    return false;
                }
                match Function::by_name(function) {
                    Some(Function::DockerExecStart) => exec_id(args).is_some_and(|id| lost(&id)),
                    Some(function) => {
                        function.kind(args) == Kind::Effect(InDoubt::Fail) && !repeats(question.call.step)
                    }
                    None => false,
                }
            })
            .collect()
    }

    /// The execs that were under way, by their ids.
    pub fn execs_in_doubt(&self) -> Vec<String> {
        let execs = self.in_doubt().filter(|question| *question.recorded.function == *Function::DockerExecStart.name());
        execs.filter_map(|question| exec_id(&question.recorded.args)).collect()
    }

    /// The calls that were under way in steps that go on.
    fn in_doubt(&self) -> impl Iterator<Item = Question> + '_ {
        let open = self.steps.iter().filter(|(index, step)| step.ended.is_none() && !self.to_restart.contains(index));
        open.filter_map(|(index, step)| {
            let (ordinal, recorded) = step.tape.in_doubt()?;
            let call = CallId { step: *index, attempt: step.attempt, ordinal };
            Some(Question { call, recorded: recorded.clone() })
        })
    }
}

fn exec_id(args: &str) -> Option<String> {
    serde_json::from_str::<api::docker::ExecStart>(args).ok().map(|start| start.id)
}

impl Question {
    /// The answer that a call is given that a person says was done.
    fn done(&self) -> String {
        let answer = match Function::by_name(&self.recorded.function) {
            Some(Function::ProcessRun) => serde_json::to_value(api::process::Exit {
                code: 0,
                stdout_tail: String::new(),
                stderr_tail: String::new(),
            }),
            Some(Function::DockerExecStart) => serde_json::to_value(api::docker::Exit {
                code: 0,
                oom_killed: false,
                stdout_tail: String::new(),
                stderr_tail: String::new(),
            }),
            Some(Function::HttpSend) => {
                let url = serde_json::from_str::<api::http::Send>(&self.recorded.args).map(|send| send.request.url);
                serde_json::to_value(api::http::Response {
                    status: 200,
                    headers: Vec::new(),
                    body: Vec::new(),
                    url: url.unwrap_or_default(),
                })
            }
            _ => Ok(Json::Null),
        };
        serde_json::json!({ "ok": answer.unwrap_or_default() }).to_string()
    }
}

#[derive(Default)]
struct Reading {
    started: Option<RunStarted>,
    stages: BTreeMap<StageIndex, StageRecord>,
    steps: BTreeMap<StepIndex, StepRecord>,
    host: Tape,
    decided: HashMap<Subject, Decision>,
    cancelled: Option<String>,
    ended: Option<(Status, u8)>,
    acted: BTreeSet<&'static str>,
    secrets: BTreeMap<String, String>,
    to_restart: Vec<StepIndex>,
    restarted: BTreeMap<StepIndex, Vec<PluginPin>>,
    resumed: u32,
    first_at: u64,
    last_at: u64,
    /// How long nobody worked on the run, in microseconds.
    lost: u64,
}

impl Reading {
    fn take(&mut self, Entry { seq, at, record }: Entry) -> Result<(), JournalError> {
        if self.started.is_none() {
            self.first_at = at;
        }
        if matches!(record, Record::RunResumed(_)) {
            self.lost += at.saturating_sub(self.last_at);
            // Who waited asks again.
            self.steps.values_mut().for_each(|step| step.answered(self.last_at));
        }
        self.last_at = at;
        match record {
            Record::RunStarted(started) => self.started = Some(*started),
            Record::RunResumed(resumed) => {
                self.resumed += 1;
                for step in resumed.restarted {
                    self.restarted.insert(step, resumed.plugins.clone());
                    self.to_restart.push(step);
                }
            }
            Record::StageStarted { stage, name, .. } => {
                self.stages.insert(stage, StageRecord { name, ended: None });
            }
            Record::StageEnded { stage, name, status } => {
                self.stages.insert(stage, StageRecord { name, ended: Some(status) });
            }
            Record::StepStarted { step, attempt, stage, name } => {
                self.to_restart.retain(|restarted| *restarted != step);
                self.steps.insert(step, StepRecord::new(name, stage, attempt, at, self.lost));
            }
            Record::StepInputs { step, attempt, env, folders } => {
                if let Some(step) = self.attempt(step, attempt) {
                    step.env = env;
                    step.folders = Some(folders);
                }
            }
            Record::StepEnded { step, attempt, status, failure, outputs } => {
                if status == Status::Cancelled {
                    // The request itself may have been recorded too late.
                    self.cancelled.get_or_insert_with(|| "somebody".to_owned());
                }
                let (at, lost) = (self.last_at, self.lost);
                if let Some(step) = self.attempt(step, attempt) {
                    step.outputs = outputs;
                    step.ended = Some((status, failure));
                    step.worked_until(at, lost);
                }
            }
            Record::CallStarted { call, function, args, .. } => {
                self.acted.extend(Function::by_name(&function).map(|function| function.row().capability));
                let recorded = RecordedCall { function, args, answer: None, began: at, told: None };
                self.call(call, seq, recorded)?;
            }
            Record::CallRecorded { call, function, args, answer, took, .. } => {
                let began = at.saturating_sub(took);
                self.call(call, seq, RecordedCall { function, args, answer: Some(answer), began, told: None })?;
            }
            Record::Metric { call, name, value, unit, labels } => {
                let labels = labels.into_iter().map(|(name, value)| api::Pair { name, value }).collect();
                let emit = api::metrics::Emit { metric: api::metrics::Metric { name, value, unit, labels } };
                let args = serde_json::to_string(&emit).unwrap_or_default();
                let args = tape::metric(&args).unwrap_or(args);
                let answer = Some(r#"{"ok":null}"#.to_owned());
                let function = Function::MetricsEmit.name().into();
                self.call(call, seq, RecordedCall { function, args, answer, began: at, told: None })?;
            }
            Record::CallEnded { call, answer } => {
                if let Some(tape) = self.tape(call)
                    && let Some(recorded) = tape.calls.get_mut(call.ordinal as usize)
                {
                    recorded.answer = Some(answer);
                    tape.printed.clear();
                }
            }
            Record::InDoubtAnswered { call, answer, .. } => {
                if let Some(tape) = self.tape(call) {
                    tape.told(call.ordinal, answer, None);
                }
            }
            Record::Log { step, attempt, stream, len, .. } => {
                if let Some(step) = self.attempt(step, attempt)
                    && step.tape.prints_again()
                {
                    *step.tape.printed.entry(stream).or_default() += len;
                }
            }
            Record::ApprovalAsked { call, .. } => {
                if let Some(step) = call.and_then(|call| self.attempt(call.step, call.attempt)) {
                    step.asked = Some(at);
                }
            }
            Record::Decided { stage, call, decision } => {
                if let Some(step) = call.and_then(|call| self.attempt(call.step, call.attempt)) {
                    step.answered(at);
                }
                self.decided.insert((stage, call), decision);
            }
            Record::SecretRead { name, check } => {
                self.secrets.insert(name, check);
            }
            Record::CancelRequested { by } => self.cancelled = Some(by),
            Record::RunEnded { status, exit_code } => self.ended = Some((status, exit_code)),
            Record::RunWaiting { .. } | Record::LogCut { .. } | Record::Notice { .. } => {}
        }
        Ok(())
    }

    fn attempt(&mut self, step: StepIndex, attempt: u32) -> Option<&mut StepRecord> {
        self.steps.get_mut(&step).filter(|step| step.attempt == attempt)
    }

    fn tape(&mut self, call: CallId) -> Option<&mut Tape> {
        if call.step == StepIndex::HOST {
            // What the host did for a single step meanwhile is not played again: see `SessionOptions::attempt`.
            return (call.attempt == 1).then_some(&mut self.host);
        }
        self.attempt(call.step, call.attempt).map(|step| &mut step.tape)
    }

    fn call(&mut self, call: CallId, seq: u64, recorded: RecordedCall) -> Result<(), JournalError> {
        let Some(tape) = self.tape(call) else { return Ok(()) };
        let place = call.ordinal as usize;
        if recorded.answer.is_some() {
            tape.printed.clear();
        }
        match place.cmp(&tape.calls.len()) {
            // A call that a person let be made again has begun a second time.
            std::cmp::Ordering::Less => tape.calls[place] = recorded,
            std::cmp::Ordering::Equal => tape.calls.push(recorded),
            std::cmp::Ordering::Greater => return Err(JournalError::Gap { seq, call, expected: tape.calls.len() }),
        }
        Ok(())
    }

    fn done(self) -> Option<Recording> {
        let Self {
            started,
            stages,
            mut steps,
            host,
            decided,
            cancelled,
            ended,
            acted,
            secrets,
            to_restart,
            resumed,
            restarted,
            first_at,
            last_at,
            lost,
        } = self;
        for step in steps.values_mut().filter(|step| step.ended.is_none()) {
            step.worked_until(last_at, lost);
        }
        let ran_for = Duration::from_micros((last_at - first_at).saturating_sub(lost));
        Some(Recording {
            started: started?,
            stages,
            steps,
            host,
            decided,
            cancelled,
            ran_for,
            ended,
            acted,
            secrets,
            to_restart,
            resumed,
            restarted,
        })
    }
}

impl StepRecord {
    fn new(name: Arc<str>, stage: StageIndex, attempt: u32, began: u64, lost: u64) -> Self {
        Self {
            name,
            stage,
            attempt,
            ran_for: Duration::ZERO,
            ended: None,
            outputs: BTreeMap::new(),
            env: BTreeMap::new(),
            folders: None,
            tape: Tape { calls: Vec::new(), printed: HashMap::<Stream, u64>::new() },
            began,
            lost,
            asked: None,
            waited: 0,
        }
    }

    /// The time in which it waits for a person is none in which it works.
    fn answered(&mut self, at: u64) {
        self.waited += self.asked.take().map_or(0, |since| at.saturating_sub(since));
    }

    fn worked_until(&mut self, at: u64, lost: u64) {
        self.answered(at);
        let away = lost.saturating_sub(self.lost) + self.waited;
        self.ran_for = Duration::from_micros(at.saturating_sub(self.began).saturating_sub(away));
    }
}
