//! The fold itself.
//!
//! The state stays small: what steps printed and what calls said is not kept, only where it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use windlass_journal::{Entry, JournalError, Reader, Record, RunStarted, RunSummary, StageIndex, Status, StepIndex};

use crate::calls::is_denial;
use crate::model::{Approval, Asked, Inputs, LogPiece, Metric, Notice, OpenCall, Resume, StageModel, StepModel};
use crate::phrase;

/// How many different metrics are kept.
const MAX_METRICS: usize = 1000;

/// How many notices are kept.
const MAX_NOTICES: usize = 1000;

/// The state of a run.
#[derive(Clone, Debug, Default)]
pub struct RunModel {
    /// What it is pinned to; `None` until its first record.
    pub started: Option<Box<RunStarted>>,
    /// When it started, in microseconds since the Unix epoch.
    pub started_at: u64,
    /// When the last record was made.
    pub last_at: u64,
    /// When it ended.
    pub ended_at: Option<u64>,
    /// How it ended; `None` while it goes on.
    pub status: Option<Status>,
    /// The exit code of the command.
    pub exit_code: Option<u8>,
    /// Who asked the run to end.
    pub cancelled_by: Option<String>,
    /// Its stages, as far as anything is known of them.
    pub stages: BTreeMap<StageIndex, StageModel>,
    /// Its steps, as far as they were started.
    pub steps: BTreeMap<StepIndex, StepModel>,
    /// What people were asked to decide, by stage.
    pub approvals: BTreeMap<Arc<str>, Approval>,
    /// The latest value of each metric, in the order of their first report.
    pub metrics: Vec<Metric>,
    /// What a person should know.
    pub notices: Vec<Notice>,
    /// When other processes went on with the run, in order.
    pub resumes: Vec<Resume>,
    /// How many calls were made.
    pub calls: u64,
    /// How many of them were denied.
    pub denied: u64,
    /// How many metrics and notices were not kept, because there are so many.
    pub dropped: u64,
    /// Where each metric stands in `metrics`.
    places: BTreeMap<(StepIndex, String, BTreeMap<String, String>), usize>,
    running: BTreeSet<StepIndex>,
    ended: u32,
}

impl RunModel {
    /// The state of a run as far as it is recorded.
    ///
    /// # Errors
    ///
    /// What the journal says.
    pub fn read(reader: &Reader, run: &RunSummary) -> Result<Self, JournalError> {
        let mut model = Self::default();
        for entry in reader.entries(run, 0)? {
            model.apply(&entry?);
        }
        Ok(model)
    }

    /// Takes in the next record.
    pub fn apply(&mut self, entry: &Entry) {
        let at = entry.at;
        let before = std::mem::replace(&mut self.last_at, at);
        match &entry.record {
            Record::RunStarted(started) => {
                self.started = Some(started.clone());
                self.started_at = at;
            }
            Record::StageStarted { stage, name, environment } => {
                let stage = self.stage(*stage, name);
                stage.environment.clone_from(environment);
                // A resumed run goes on with the stage that the crash cut short.
                stage.started_at.get_or_insert(at);
                (stage.ended_at, stage.status) = (None, None);
            }
            Record::StageEnded { stage, name, status } => {
                if let Some(approval) = self.approvals.get_mut(name) {
                    approval.asked = None;
                }
                let stage = self.stage(*stage, name);
                stage.ended_at = Some(at);
                stage.status = Some(*status);
            }
            Record::StepStarted { step, attempt, stage, name } => self.step_started(*step, *attempt, *stage, name, at),
            Record::StepEnded { step, attempt, status, failure, outputs } => {
                self.running.remove(step);
                let Some(step) = self.steps.get_mut(step) else { return };
                let last = step.attempt(*attempt, at);
                if last.status.is_none() {
                    self.ended += 1;
                }
                (last.ended_at, last.status) = (Some(at), Some(*status));
                last.failure.clone_from(failure);
                step.outputs.clone_from(outputs);
                step.open = None;
                if *status == Status::Succeeded {
                    step.forget_tail();
                }
            }
            Record::CallStarted { call, function, args, .. } => {
                self.calls += 1;
                if let Some(step) = self.steps.get_mut(&call.step) {
                    step.calls += 1;
                    let (function, about) = (Arc::clone(function), phrase::about(function, args));
                    step.open = Some(OpenCall { call: *call, function, about, started_at: at });
                }
            }
            Record::CallEnded { call, .. } => {
                if let Some(step) = self.steps.get_mut(&call.step)
                    && step.open.as_ref().is_some_and(|open| open.call == *call)
                {
                    step.open = None;
                }
            }
            Record::CallRecorded { call, answer, .. } => {
                self.calls += 1;
                self.denied += u64::from(is_denial(answer));
                if let Some(step) = self.steps.get_mut(&call.step) {
                    step.calls += 1;
                }
            }
            Record::Log { step, attempt, stream, offset, len } => {
                if let Some(step) = self.steps.get_mut(step) {
                    step.log(LogPiece { attempt: *attempt, stream: *stream, offset: *offset, len: *len });
                }
            }
            Record::LogCut { step, limit, .. } => {
                if let Some(step) = self.steps.get_mut(step) {
                    step.log_cut = Some(*limit);
                }
            }
            Record::Metric { call, name, value, unit, labels } => self.metric(call.step, name, *value, unit, labels),
            Record::Notice { step, message } => {
                if self.notices.len() < MAX_NOTICES {
                    self.notices.push(Notice { step: *step, at, message: message.clone() });
                } else {
                    self.dropped += 1;
                }
            }
            Record::StepInputs { step, attempt, env, folders } => {
                if let Some(step) = self.steps.get_mut(step) {
                    let inputs = Inputs { env: env.clone(), folders: folders.clone() };
                    step.attempt(*attempt, at).inputs = Some(Box::new(inputs));
                }
            }
            Record::RunResumed(resumed) => {
                let restarted = resumed.restarted.clone();
                self.resumes.push(Resume { at, down_since: before, restarted });
            }
            Record::InDoubtAnswered { .. } | Record::SecretRead { .. } => {}
            Record::ApprovalAsked { stage, call, message } => {
                let asked = Asked { call: *call, message: message.clone(), since: at };
                self.approvals.entry(Arc::clone(stage)).or_default().asked = Some(asked);
            }
            Record::Decided { stage, decision, .. } => {
                let approval = self.approvals.entry(Arc::clone(stage)).or_default();
                approval.asked = None;
                approval.decisions.push(decision.clone());
            }
            Record::RunWaiting { .. } => {}
            Record::CancelRequested { by } => self.cancelled_by = Some(by.clone()),
            Record::RunEnded { status, exit_code } => {
                self.ended_at = Some(at);
                self.status = Some(*status);
                self.exit_code = Some(*exit_code);
                self.running.clear();
            }
        }
    }

    /// The steps that run now, in the order of the plan.
    pub fn running(&self) -> impl Iterator<Item = (StepIndex, &StepModel)> {
        self.running.iter().filter_map(|index| self.steps.get(index).map(|step| (*index, step)))
    }

    /// How many steps run now.
    pub fn running_count(&self) -> usize {
        self.running.len()
    }

    /// How many steps have ended for now; one that is tried again counts when it ends again.
    pub fn ended_count(&self) -> u32 {
        self.ended
    }

    /// How people name a step: `stage/step`, `host` for the host itself.
    pub fn path(&self, step: StepIndex) -> Arc<str> {
        match self.steps.get(&step) {
            Some(step) => Arc::clone(&step.path),
            None if step == StepIndex::HOST => "host".into(),
            None => format!("step {}", step.0).into(),
        }
    }

    fn stage(&mut self, index: StageIndex, name: &Arc<str>) -> &mut StageModel {
        self.stages.entry(index).or_insert_with(|| StageModel::new(name))
    }

    fn step_started(&mut self, index: StepIndex, attempt: u32, stage_index: StageIndex, name: &Arc<str>, at: u64) {
        let stage_name = self.stages.get(&stage_index).map_or_else(|| "?".into(), |stage| Arc::clone(&stage.name));
        let stage = self.stage(stage_index, &stage_name);
        if let Err(place) = stage.steps.binary_search(&index) {
            stage.steps.insert(place, index);
        }
        let step = self.steps.entry(index).or_insert_with(|| StepModel::new(stage_index, &stage_name, name));
        if step.status().is_some() {
            self.ended = self.ended.saturating_sub(1);
        }
        step.open = None;
        // A resumed run goes on with the attempt that the crash cut short.
        let current = step.attempt(attempt, at);
        (current.ended_at, current.status, current.failure) = (None, None, None);
        self.running.insert(index);
    }

    fn metric(&mut self, step: StepIndex, name: &str, value: f64, unit: &str, labels: &BTreeMap<String, String>) {
        let key = (step, name.to_owned(), labels.clone());
        if let Some(metric) = self.places.get(&key).and_then(|place| self.metrics.get_mut(*place)) {
            metric.value = value;
            unit.clone_into(&mut metric.unit);
            metric.count += 1;
        } else if self.metrics.len() < MAX_METRICS {
            self.places.insert(key, self.metrics.len());
            let (name, unit, labels) = (name.to_owned(), unit.to_owned(), labels.clone());
            self.metrics.push(Metric { step, name, value, unit, labels, count: 1 });
        } else {
            self.dropped += 1;
        }
    }
}
