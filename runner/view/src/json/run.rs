//! One run as a value: what `show` and `runs` print for programs.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use windlass_journal::{Failure, FolderInput, InDoubtAnswer, PluginPin, RunState, RunSummary, Status};

use crate::calls::Call;
use crate::model::{Attempt, RunModel, StageModel, StepModel};

/// Where a run stands, in a word.
pub(crate) fn state_word(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Interrupted => "interrupted",
        RunState::Ended(Status::Succeeded) => "succeeded",
        RunState::Ended(Status::Failed) => "failed",
        RunState::Ended(Status::Skipped) => "skipped",
        RunState::Ended(Status::Cancelled) => "cancelled",
        _ => "unknown",
    }
}

/// A row of the table of runs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RunRow<'a> {
    run: &'a str,
    pipeline: &'a str,
    file: &'a str,
    source_digest: &'a str,
    state: &'a str,
    started_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_step: Option<&'a str>,
}

impl<'a> From<&'a RunSummary> for RunRow<'a> {
    fn from(run: &'a RunSummary) -> Self {
        Self {
            run: &run.id,
            pipeline: &run.pipeline,
            file: &run.file,
            source_digest: &run.source_digest,
            state: state_word(run.state),
            started_at: run.started,
            ended_at: run.ended,
            exit_code: run.exit_code,
            failed_step: run.failed_step.as_deref(),
        }
    }
}

/// A run.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RunJson<'a> {
    r#type: &'static str,
    run: &'a str,
    pipeline: &'a str,
    file: &'a str,
    workspace: &'a str,
    state: &'static str,
    started_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_by: Option<&'a str>,
    facts: Option<&'a BTreeMap<String, String>>,
    versions: Option<&'a BTreeMap<String, String>>,
    plugins: &'a [PluginPin],
    stages: Vec<StageJson<'a>>,
    resumes: Vec<ResumeJson>,
    metrics: Vec<MetricJson<'a>>,
    notices: Vec<NoticeJson<'a>>,
    calls: u64,
    denied: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct StageJson<'a> {
    name: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<u64>,
    steps: Vec<StepJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct StepJson<'a> {
    path: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
    attempts: Vec<AttemptJson<'a>>,
    outputs: &'a BTreeMap<String, Value>,
    calls: u64,
    log_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_cut: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct AttemptJson<'a> {
    attempt: u32,
    status: &'static str,
    started_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<InputsJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct InputsJson<'a> {
    env: &'a BTreeMap<String, String>,
    folders: &'a [FolderInput],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct MetricJson<'a> {
    path: String,
    name: &'a str,
    value: f64,
    #[serde(skip_serializing_if = "str::is_empty")]
    unit: &'a str,
    labels: &'a BTreeMap<String, String>,
    reports: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ResumeJson {
    at: u64,
    down_since: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restarted: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct NoticeJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    at: u64,
    message: &'a str,
}

impl<'a> RunJson<'a> {
    pub(crate) fn new(model: &'a RunModel, state: RunState) -> Self {
        let started = model.started.as_deref();
        let path = |step| model.path(step).to_string();
        Self {
            r#type: "run",
            run: started.map_or("", |started| &started.run),
            pipeline: started.map_or("", |started| &started.pipeline),
            file: started.map_or("", |started| &started.file),
            workspace: started.map_or("", |started| &started.workspace),
            state: state_word(state),
            started_at: model.started_at,
            ended_at: model.ended_at,
            exit_code: model.exit_code,
            cancelled_by: model.cancelled_by.as_deref(),
            facts: started.map(|started| &started.facts),
            versions: started.map(|started| &started.versions),
            plugins: started.map_or(&[], |started| &started.plugins),
            stages: model.stages.values().map(|stage| StageJson::new(model, stage)).collect(),
            resumes: model
                .resumes
                .iter()
                .map(|resume| ResumeJson {
                    at: resume.at,
                    down_since: resume.down_since,
                    restarted: resume.restarted.iter().copied().map(path).collect(),
                })
                .collect(),
            metrics: model
                .metrics
                .iter()
                .map(|m| MetricJson {
                    path: path(m.step),
                    name: &m.name,
                    value: m.value,
                    unit: &m.unit,
                    labels: &m.labels,
                    reports: m.count,
                })
                .collect(),
            notices: model
                .notices
                .iter()
                .map(|n| NoticeJson { path: n.step.map(path), at: n.at, message: &n.message })
                .collect(),
            calls: model.calls,
            denied: model.denied,
        }
    }
}

impl<'a> StageJson<'a> {
    fn new(model: &'a RunModel, stage: &'a StageModel) -> Self {
        let steps = stage.steps.iter().filter_map(|index| model.steps.get(index)).map(StepJson::from).collect();
        Self {
            name: &stage.name,
            status: word(stage.status),
            started_at: stage.started_at,
            ended_at: stage.ended_at,
            steps,
        }
    }
}

impl<'a> From<&'a StepModel> for StepJson<'a> {
    fn from(step: &'a StepModel) -> Self {
        Self {
            path: &step.path,
            status: word(step.status()),
            failure: step.failure(),
            attempts: step.attempts.iter().map(AttemptJson::from).collect(),
            outputs: &step.outputs,
            calls: step.calls,
            log_bytes: step.log_bytes,
            log_cut: step.log_cut,
        }
    }
}

impl<'a> From<&'a Attempt> for AttemptJson<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        Self {
            attempt: attempt.number,
            status: word(attempt.status),
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            failure: attempt.failure.as_ref(),
            inputs: attempt.inputs.as_deref().map(|inputs| InputsJson { env: &inputs.env, folders: &inputs.folders }),
        }
    }
}

fn word(status: Option<Status>) -> &'static str {
    crate::text::status(status).0
}

/// A call: who, what, allowed by which grant, when, how long, with what answer.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CallJson<'a> {
    r#type: &'static str,
    path: &'a str,
    attempt: u32,
    ordinal: u32,
    function: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<&'a str>,
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<u64>,
    /// In microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    took: Option<u64>,
    outcome: &'static str,
    args: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
    /// The process that began it is not the one that ended it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    across_resume: bool,
    /// What a person said about it when its end was not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<Answered<'a>>,
}

#[derive(Serialize)]
struct Answered<'a> {
    answer: InDoubtAnswer,
    by: &'a str,
}

impl<'a> CallJson<'a> {
    pub(crate) fn new(path: &'a str, call: &'a Call) -> Self {
        Self {
            r#type: "call",
            path,
            attempt: call.id.attempt,
            ordinal: call.id.ordinal,
            function: &call.function,
            grant: call.grant.as_deref(),
            at: call.started_at,
            ended_at: call.ended_at,
            took: call.ended_at.map(|to| to.saturating_sub(call.started_at)),
            outcome: call.outcome().word(),
            args: value(&call.args),
            answer: call.answer.as_deref().map(value),
            across_resume: call.across_resume,
            answered: call.answered.as_ref().map(|(answer, by)| Answered { answer: *answer, by }),
        }
    }
}

/// JSON text as a value; text that is none as a string.
pub(crate) fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
