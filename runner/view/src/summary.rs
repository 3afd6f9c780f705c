//! What happened, when a run is over.

use std::fmt::Write as _;
use std::io::Write;

use windlass_journal::{JournalError, Reader, RunState, RunSummary};

use crate::clean::one_line;
use crate::error::ViewError;
use crate::json::{RunJson, push_line};
use crate::model::RunModel;
use crate::report::{Detail, ReadLog, Report};
use crate::style::{Format, Style};
use crate::text::duration;

/// Prints what happened: stages and steps with their durations, outputs, failures with the end of
/// their logs and the command that shows the rest, metrics, and what was left behind. It stays short
/// however large the run was. As JSON it is the same value as [`show`](crate::show()) prints.
///
/// # Errors
///
/// What the journal says, and what the output says.
pub fn summary(
    reader: &Reader,
    run: &RunSummary,
    style: Style,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), ViewError> {
    let model = RunModel::read(reader, run)?;
    let state = reader.refresh(run)?.state;
    let text = match format {
        Format::Human => human(&model, state, style, &|offset, len| reader.log_bytes(run, offset, len))?,
        Format::Json => {
            let mut text = String::new();
            push_line(&mut text, &RunJson::new(&model, state));
            text
        }
    };
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// The summary for people.
pub(crate) fn human(
    model: &RunModel,
    state: RunState,
    style: Style,
    read: ReadLog<'_>,
) -> Result<String, JournalError> {
    let mut report = Report::new(model, state, style, Detail::Short);
    let pipeline = model.started.as_ref().map_or("?", |started| &started.pipeline);
    let took = duration(model.started_at, model.ended_at.unwrap_or(model.last_at));
    let line = format!("run {} of {}: {} after {took}", report.run(), one_line(pipeline), report.state());
    report.text.push_str(&line);
    if let Some(by) = &model.cancelled_by {
        let _ = write!(report.text, ", cancelled by {}", one_line(by));
    }
    if let Some(code) = model.exit_code.filter(|code| *code != 0) {
        let _ = write!(report.text, " (exit code {code})");
    }
    report.text.push('\n');
    report.table();
    report.approvals();
    report.outputs();
    report.failures(read)?;
    report.metrics();
    report.notices();
    report.outlook();
    Ok(report.text)
}
