//! What a step did, as its journal tells it: calls, how it ended, what it said.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use windlass_gate::Function;
use windlass_journal::{CallId, Failure, JournalError, Reader, Record, RunSummary, Status, StepIndex};

use crate::{shape, value};

/// A call with its answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MadeCall {
    /// Its place among all calls of the step.
    pub(crate) ordinal: u32,
    pub(crate) function: Function,
    pub(crate) args: Json,
    /// `{"ok": ...}` or `{"err": ...}`; nothing if it never came.
    pub(crate) answer: Option<Json>,
}

impl MadeCall {
    /// Whether the same was asked and answered.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        (self.function, &self.args, &self.answer) == (other.function, &other.args, &other.answer)
    }
}

/// One attempt of a step.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) calls: Vec<MadeCall>,
    pub(crate) metrics: Vec<Json>,
    pub(crate) status: Option<Status>,
    pub(crate) failure: Option<Failure>,
    pub(crate) outputs: BTreeMap<String, Json>,
    /// Variables of the host that were granted.
    pub(crate) env: BTreeMap<String, String>,
    /// The lines of the log, of all its streams.
    pub(crate) log: Vec<String>,
}

impl Made {
    /// The only step of the only run.
    pub(crate) fn read(reader: &Reader) -> Result<Self, JournalError> {
        let run = reader.resolve(None)?;
        Self::of(reader, &run, StepIndex(0))
    }

    /// The last attempt of a step of a run.
    pub(crate) fn of(reader: &Reader, run: &RunSummary, wanted: StepIndex) -> Result<Self, JournalError> {
        let mut made = Self::default();
        let mut calls: BTreeMap<u32, (Arc<str>, String, Option<String>)> = BTreeMap::new();
        let mut log = Vec::new();
        let ours = |call: &CallId| call.step == wanted;
        for entry in reader.entries(run, 0)? {
            match entry?.record {
                Record::StepStarted { step, .. } if step == wanted => {
                    made = Self::default();
                    calls.clear();
                    log.clear();
                }
                Record::CallStarted { call, function, args, .. } if ours(&call) => {
                    calls.insert(call.ordinal, (function, args, None));
                }
                Record::CallEnded { call, answer } if ours(&call) => {
                    if let Some(begun) = calls.get_mut(&call.ordinal) {
                        begun.2 = Some(answer);
                    }
                }
                Record::CallRecorded { call, function, args, answer, .. } if ours(&call) => {
                    calls.insert(call.ordinal, (function, args, Some(answer)));
                }
                Record::StepInputs { step, env, .. } if step == wanted => made.env = env,
                Record::Metric { call, name, value, unit, labels } if ours(&call) => {
                    made.metrics.push(json!({ "name": name, "value": value, "unit": unit, "labels": labels }));
                }
                Record::Log { step, offset, len, .. } if step == wanted => {
                    log.extend(reader.log_bytes(run, offset, len)?.bytes);
                }
                Record::StepEnded { step, status, failure, outputs, .. } if step == wanted => {
                    (made.status, made.failure, made.outputs) = (Some(status), failure, outputs);
                }
                _ => {}
            }
        }
        made.log = String::from_utf8_lossy(&log).lines().map(str::to_owned).collect();
        let calls = calls.into_iter();
        made.calls =
            calls.filter_map(|(ordinal, (function, args, answer))| call(ordinal, &function, &args, answer)).collect();
        Ok(made)
    }
}

impl Made {
    /// Adds those of these calls that the journal does not have.
    pub(crate) fn add(&mut self, calls: Vec<MadeCall>) {
        for call in calls {
            if !self.calls.iter().any(|known| known.ordinal == call.ordinal) {
                self.calls.push(call);
            }
        }
        self.calls.sort_by_key(|call| call.ordinal);
    }
}

/// Nothing for what a case does not list: clocks and chance.
fn call(ordinal: u32, function: &str, args: &str, answer: Option<String>) -> Option<MadeCall> {
    let function = Function::by_name(function).filter(|function| !shape::is_unanswered(*function))?;
    let json = |text: &str| value::compact(serde_json::from_str(text).unwrap_or_default());
    Some(MadeCall { ordinal, function, args: json(args), answer: answer.as_deref().map(json) })
}
