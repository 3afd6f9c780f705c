//! Reads a row as a record.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Row;
use serde::Deserialize;

use crate::format::SEQ_BITS;
use crate::record::{CallId, Entry, Record, RunStarted, StageIndex, StepIndex};
use crate::row::{
    CallBody, CancelBody, InDoubtBody, Kind, LogBody, LogCutBody, MetricBody, NoticeBody, RunEndedBody, SUMMED,
    SecretBody, StepEndedBody, StepInputsBody, status_from,
};
use crate::sum;

/// Reads a row of [`crate::row::SELECT`] of the run with this key; the error says what makes no sense
/// in it.
pub(crate) fn entry(row: &Row<'_>, key: i64) -> Result<Entry, String> {
    let place: i64 = get(row, 0)?;
    if place >> SEQ_BITS != key {
        return Err("it has records of another run".to_owned());
    }
    let seq = (place & ((1 << SEQ_BITS) - 1)).cast_unsigned();
    let at = get::<i64>(row, 1)?.cast_unsigned();
    let record = record(row).map_err(|why| format!("record {seq}: {why}"))?;
    if !sum::holds(row, SUMMED) {
        return Err(format!("record {seq}: it is not what was written, by its checksum"));
    }
    Ok(Entry { seq, at, record })
}

/// How many bytes of text a row of [`crate::row::SELECT`] holds.
pub(crate) fn text_size(row: &Row<'_>) -> usize {
    let size = |column| row.get_ref(column).ok()?.as_str_or_null().ok().flatten().map(str::len);
    (8..=11).filter_map(size).sum()
}

fn record(row: &Row<'_>) -> Result<Record, String> {
    let number: i64 = get(row, 2)?;
    let kind = Kind::from_number(number).ok_or_else(|| format!("there is no kind {number}"))?;
    let stage = || get(row, 3).map(StageIndex);
    let step = || get(row, 4).map(StepIndex);
    let attempt = || get::<u32>(row, 5);
    let call = || Ok::<_, String>(CallId { step: step()?, attempt: attempt()?, ordinal: get(row, 6)? });
    let status = || {
        let number = get(row, 7)?;
        status_from(number).ok_or_else(|| format!("there is no status {number}"))
    };
    let name = || get::<Arc<str>>(row, 8);
    let args = || get::<String>(row, 9);
    let answer = || get::<String>(row, 10);
    Ok(match kind {
        Kind::RunStarted => Record::RunStarted(Box::new(body::<RunStarted>(row)?)),
        Kind::StageStarted => Record::StageStarted { stage: stage()?, name: name()? },
        Kind::StageEnded => Record::StageEnded { stage: stage()?, name: name()?, status: status()? },
        Kind::StepStarted => Record::StepStarted { step: step()?, attempt: attempt()?, stage: stage()?, name: name()? },
        Kind::StepEnded => {
            let (failure, outputs) = match optional_body::<StepEndedBody<'_>>(row)? {
                Some(body) => (body.failure.map(Cow::into_owned), body.outputs.into_owned()),
                None => (None, BTreeMap::new()),
            };
            Record::StepEnded { step: step()?, attempt: attempt()?, status: status()?, failure, outputs }
        }
        Kind::CallStarted => {
            Record::CallStarted { call: call()?, function: name()?, args: args()?, grant: grant(row)? }
        }
        Kind::CallEnded => Record::CallEnded { call: call()?, answer: answer()? },
        Kind::CallRecorded => Record::CallRecorded {
            call: call()?,
            function: name()?,
            args: args()?,
            grant: grant(row)?,
            answer: answer()?,
            took: get::<i64>(row, 12)?.cast_unsigned(),
        },
        Kind::StepInputs => {
            let StepInputsBody { env, folders } = body(row)?;
            let (env, folders) = (env.into_owned(), folders.into_owned());
            Record::StepInputs { step: step()?, attempt: attempt()?, env, folders }
        }
        Kind::RunResumed => Record::RunResumed(Box::new(body(row)?)),
        Kind::InDoubtAnswered => {
            let InDoubtBody { answer, by } = body(row)?;
            Record::InDoubtAnswered { call: call()?, answer, by: by.into_owned() }
        }
        Kind::SecretRead => {
            Record::SecretRead { name: get(row, 8)?, check: body::<SecretBody<'_>>(row)?.check.into_owned() }
        }
        Kind::Log => {
            let LogBody { stream, offset, len } = body(row)?;
            Record::Log { step: step()?, attempt: attempt()?, stream, offset, len }
        }
        Kind::LogCut => Record::LogCut { step: step()?, attempt: attempt()?, limit: body::<LogCutBody>(row)?.limit },
        Kind::Metric => {
            let body: MetricBody<'_> = body(row)?;
            let value = body.value.parse().map_err(|_| format!("`{}` is not a number", body.value))?;
            Record::Metric {
                call: call()?,
                name: get(row, 8)?,
                value,
                unit: body.unit.into_owned(),
                labels: body.labels.into_owned(),
            }
        }
        Kind::Notice => Record::Notice {
            step: get::<Option<u32>>(row, 4)?.map(StepIndex),
            message: body::<NoticeBody<'_>>(row)?.message.into_owned(),
        },
        Kind::CancelRequested => Record::CancelRequested { by: body::<CancelBody<'_>>(row)?.by.into_owned() },
        Kind::RunEnded => Record::RunEnded { status: status()?, exit_code: body::<RunEndedBody>(row)?.exit_code },
    })
}

fn grant(row: &Row<'_>) -> Result<Option<String>, String> {
    Ok(optional_body::<CallBody<'_>>(row)?.map(|body| body.grant.into_owned()))
}

fn body<'r, T: Deserialize<'r>>(row: &'r Row<'_>) -> Result<T, String> {
    optional_body(row)?.ok_or_else(|| "it has no body".to_owned())
}

fn optional_body<'r, T: Deserialize<'r>>(row: &'r Row<'_>) -> Result<Option<T>, String> {
    let text = row.get_ref(11).and_then(|value| Ok(value.as_str_or_null()?)).map_err(|e| e.to_string())?;
    text.map(|text| serde_json::from_str(text).map_err(|e| e.to_string())).transpose()
}

fn get<T: rusqlite::types::FromSql>(row: &Row<'_>, column: usize) -> Result<T, String> {
    row.get(column).map_err(|e| e.to_string())
}
