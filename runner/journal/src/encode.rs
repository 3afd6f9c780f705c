//! Writes a record as a row.

use std::borrow::Cow;

use rusqlite::Statement;
use serde::Serialize;

use crate::format::SEQ_BITS;
use crate::record::{CallId, Entry, Record, StepIndex};
use crate::row::{
    CallBody, CancelBody, InDoubtBody, Kind, LogBody, LogCutBody, MetricBody, NoticeBody, RunEndedBody, SecretBody,
    StepEndedBody, StepInputsBody, status_number,
};
use crate::sum::Sum;

/// The columns of a record; what it does not have is NULL.
#[derive(Default)]
struct Columns<'a> {
    kind: i64,
    stage: Option<u32>,
    step: Option<u32>,
    attempt: Option<u32>,
    ordinal: Option<u32>,
    status: Option<i64>,
    name: Option<&'a str>,
    args: Option<&'a str>,
    answer: Option<&'a str>,
    body: Option<String>,
    took: Option<i64>,
}

impl<'a> Columns<'a> {
    fn new(kind: Kind) -> Self {
        Self { kind: kind as i64, ..Self::default() }
    }

    fn call(kind: Kind, call: CallId) -> Self {
        let CallId { step, attempt, ordinal } = call;
        Self { step: Some(step.0), attempt: Some(attempt), ordinal: Some(ordinal), ..Self::new(kind) }
    }

    fn step(kind: Kind, step: StepIndex, attempt: u32) -> Self {
        Self { step: Some(step.0), attempt: Some(attempt), ..Self::new(kind) }
    }

    fn body(self, body: &impl Serialize) -> serde_json::Result<Self> {
        Ok(Self { body: Some(serde_json::to_string(body)?), ..self })
    }

    fn grant(self, grant: Option<&'a str>) -> serde_json::Result<Self> {
        match grant {
            Some(grant) => self.body(&CallBody { grant: grant.into() }),
            None => Ok(self),
        }
    }

    fn of(record: &'a Record) -> serde_json::Result<Self> {
        Ok(match record {
            Record::RunStarted(started) => Self::new(Kind::RunStarted).body(started)?,
            Record::StageStarted { stage, name } => {
                Self { stage: Some(stage.0), name: Some(name), ..Self::new(Kind::StageStarted) }
            }
            Record::StageEnded { stage, name, status } => Self {
                stage: Some(stage.0),
                name: Some(name),
                status: Some(status_number(*status)),
                ..Self::new(Kind::StageEnded)
            },
            Record::StepStarted { step, attempt, stage, name } => {
                Self { stage: Some(stage.0), name: Some(name), ..Self::step(Kind::StepStarted, *step, *attempt) }
            }
            Record::StepEnded { step, attempt, status, failure, outputs } => {
                let columns =
                    Self { status: Some(status_number(*status)), ..Self::step(Kind::StepEnded, *step, *attempt) };
                if failure.is_none() && outputs.is_empty() {
                    columns
                } else {
                    let failure = failure.as_ref().map(Cow::Borrowed);
                    columns.body(&StepEndedBody { failure, outputs: Cow::Borrowed(outputs) })?
                }
            }
            Record::CallStarted { call, function, args, grant } => {
                Self { name: Some(function), args: Some(args), ..Self::call(Kind::CallStarted, *call) }
                    .grant(grant.as_deref())?
            }
            Record::CallEnded { call, answer } => Self { answer: Some(answer), ..Self::call(Kind::CallEnded, *call) },
            Record::CallRecorded { call, function, args, grant, answer, took } => Self {
                name: Some(function),
                args: Some(args),
                answer: Some(answer),
                took: Some(took.cast_signed()),
                ..Self::call(Kind::CallRecorded, *call)
            }
            .grant(grant.as_deref())?,
            Record::StepInputs { step, attempt, env, folders } => Self::step(Kind::StepInputs, *step, *attempt)
                .body(&StepInputsBody { env: Cow::Borrowed(env), folders: Cow::Borrowed(folders) })?,
            Record::RunResumed(resumed) => Self::new(Kind::RunResumed).body(resumed)?,
            Record::InDoubtAnswered { call, answer, by } => {
                Self::call(Kind::InDoubtAnswered, *call).body(&InDoubtBody { answer: *answer, by: by.into() })?
            }
            Record::SecretRead { name, check } => {
                Self { name: Some(name), ..Self::new(Kind::SecretRead) }.body(&SecretBody { check: check.into() })?
            }
            Record::Log { step, attempt, stream, offset, len } => {
                Self::step(Kind::Log, *step, *attempt).body(&LogBody { stream: *stream, offset: *offset, len: *len })?
            }
            Record::LogCut { step, attempt, limit } => {
                Self::step(Kind::LogCut, *step, *attempt).body(&LogCutBody { limit: *limit })?
            }
            Record::Metric { call, name, value, unit, labels } => {
                Self { name: Some(name), ..Self::call(Kind::Metric, *call) }.body(&MetricBody {
                    value: format!("{value:?}"),
                    unit: unit.into(),
                    labels: Cow::Borrowed(labels),
                })?
            }
            Record::Notice { step, message } => Self { step: step.map(|step| step.0), ..Self::new(Kind::Notice) }
                .body(&NoticeBody { message: message.into() })?,
            Record::CancelRequested { by } => Self::new(Kind::CancelRequested).body(&CancelBody { by: by.into() })?,
            Record::RunEnded { status, exit_code } => {
                Self { status: Some(status_number(*status)), ..Self::new(Kind::RunEnded) }
                    .body(&RunEndedBody { exit_code: *exit_code })?
            }
        })
    }
}

impl Columns<'_> {
    /// The checksum of the row, in the order of its columns.
    fn sum(&self, place: i64, at: i64) -> i64 {
        let mut sum = Sum::default();
        let number = |number: Option<u32>| number.map(i64::from);
        sum.numbers([
            Some(place),
            Some(at),
            Some(self.kind),
            number(self.stage),
            number(self.step),
            number(self.attempt),
            number(self.ordinal),
            self.status,
        ]);
        for text in [self.name, self.args, self.answer, self.body.as_deref()] {
            sum.text(text.map(str::as_bytes));
        }
        sum.numbers([self.took]);
        sum.finish()
    }
}

/// Why a row could not be written.
pub(crate) enum RowError {
    /// The record has no JSON form.
    Json(serde_json::Error),
    /// The store refused it.
    Store(rusqlite::Error),
}

/// Inserts a record of the run with this key; `statement` is [`crate::row::INSERT`].
pub(crate) fn insert(statement: &mut Statement<'_>, key: i64, entry: &Entry) -> Result<(), RowError> {
    let columns = Columns::of(&entry.record).map_err(RowError::Json)?;
    let place = (key << SEQ_BITS) | entry.seq.cast_signed();
    let at = entry.at.cast_signed();
    let sum = columns.sum(place, at);
    let mut bind = || {
        statement.raw_bind_parameter(1, place)?;
        statement.raw_bind_parameter(2, at)?;
        statement.raw_bind_parameter(3, columns.kind)?;
        statement.raw_bind_parameter(4, columns.stage)?;
        statement.raw_bind_parameter(5, columns.step)?;
        statement.raw_bind_parameter(6, columns.attempt)?;
        statement.raw_bind_parameter(7, columns.ordinal)?;
        statement.raw_bind_parameter(8, columns.status)?;
        statement.raw_bind_parameter(9, columns.name)?;
        statement.raw_bind_parameter(10, columns.args)?;
        statement.raw_bind_parameter(11, columns.answer)?;
        statement.raw_bind_parameter(12, columns.body.as_deref())?;
        statement.raw_bind_parameter(13, columns.took)?;
        statement.raw_bind_parameter(14, sum)?;
        statement.raw_execute()
    };
    bind().map(drop).map_err(RowError::Store)
}
