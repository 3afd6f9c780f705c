//! How the rows of the table `entry` are made up; `encode.rs` writes them, `decode.rs` reads them.
//!
//! What a person would ask for in SQL has a column; texts that crossed the gate are stored byte for
//! byte; the rest is JSON in `body`, which is NULL when there is none.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::record::{Failure, FolderInput, InDoubtAnswer, Status, Stream};

/// Inserts a row; the parameters are bound by `encode::insert`.
pub(crate) const INSERT: &str = "INSERT INTO entry (place, at, kind, stage, step, attempt, ordinal, status, name, args, answer, body, took, sum) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

/// How many columns of [`SELECT`] the sum is of; it comes after them.
pub(crate) const SUMMED: usize = 13;

/// Selects the rows of a run in order; the columns are read by `decode::entry`.
pub(crate) const SELECT: &str = "SELECT place, at, kind, stage, step, attempt, ordinal, status, name, args, answer, body, took, sum \
     FROM entry WHERE place > ?1 AND place <= ?2 ORDER BY place";

/// The kind of a record, as `entry.kind` numbers it. A number is never given another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub(crate) enum Kind {
    RunStarted = 1,
    StageStarted = 2,
    StageEnded = 3,
    StepStarted = 4,
    StepEnded = 5,
    CallStarted = 6,
    CallEnded = 7,
    CallRecorded = 8,
    Log = 9,
    LogCut = 10,
    Metric = 11,
    Notice = 12,
    CancelRequested = 13,
    RunEnded = 14,
    RunResumed = 15,
    StepInputs = 16,
    InDoubtAnswered = 17,
    SecretRead = 18,
}

impl Kind {
    /// The kind with this number.
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        use Kind::*;
        let all = [
            RunStarted,
            StageStarted,
            StageEnded,
            StepStarted,
            StepEnded,
            CallStarted,
            CallEnded,
            CallRecorded,
            Log,
            LogCut,
            Metric,
            Notice,
            CancelRequested,
            RunEnded,
            RunResumed,
            StepInputs,
            InDoubtAnswered,
            SecretRead,
        ];
        all.into_iter().find(|kind| *kind as i64 == number)
    }
}

/// A status as `entry.status` and `run.status` number it.
pub(crate) fn status_number(status: Status) -> i64 {
    match status {
        Status::Succeeded => 0,
        Status::Failed => 1,
        Status::Skipped => 2,
        Status::Cancelled => 3,
    }
}

/// The status with this number.
pub(crate) fn status_from(number: i64) -> Option<Status> {
    Some(match number {
        0 => Status::Succeeded,
        1 => Status::Failed,
        2 => Status::Skipped,
        3 => Status::Cancelled,
        _ => return None,
    })
}

/// What `StepEnded` keeps in its body.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct StepEndedBody<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Cow<'a, Failure>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) outputs: Cow<'a, BTreeMap<String, serde_json::Value>>,
}

/// What a call keeps in its body.
#[derive(Serialize, Deserialize)]
pub(crate) struct CallBody<'a> {
    pub(crate) grant: Cow<'a, str>,
}

/// What `Log` keeps in its body.
#[derive(Serialize, Deserialize)]
pub(crate) struct LogBody {
    pub(crate) stream: Stream,
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

/// What `LogCut` keeps in its body.
#[derive(Serialize, Deserialize)]
pub(crate) struct LogCutBody {
    pub(crate) limit: u64,
}

/// What `Metric` keeps in its body.
#[derive(Serialize, Deserialize)]
pub(crate) struct MetricBody<'a> {
    /// As text: JSON has no words for what is not finite.
    pub(crate) value: String,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub(crate) unit: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: Cow<'a, BTreeMap<String, String>>,
}

/// What `Notice` keeps in its body.
#[derive(Serialize, Deserialize)]
pub(crate) struct NoticeBody<'a> {
    pub(crate) message: Cow<'a, str>,
}

/// What `CancelRequested` keeps in its body.
#[derive(Serialize, Deserialize)]
pub(crate) struct CancelBody<'a> {
    pub(crate) by: Cow<'a, str>,
}

/// What `StepInputs` keeps in its body.
#[derive(Serialize, Deserialize)]
pub(crate) struct StepInputsBody<'a> {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) env: Cow<'a, BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "<[FolderInput]>::is_empty")]
    pub(crate) folders: Cow<'a, [FolderInput]>,
}

/// What `InDoubtAnswered` keeps in its body.
#[derive(Serialize, Deserialize)]
pub(crate) struct InDoubtBody<'a> {
    pub(crate) answer: InDoubtAnswer,
    pub(crate) by: Cow<'a, str>,
}

/// What `SecretRead` keeps in its body.
#[derive(Serialize, Deserialize)]
pub(crate) struct SecretBody<'a> {
    pub(crate) check: Cow<'a, str>,
}

/// What `RunEnded` keeps in its body.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RunEndedBody {
    pub(crate) exit_code: u8,
}
