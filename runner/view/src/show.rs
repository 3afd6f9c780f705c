//! `windlass show`: everything about one run.

use std::fmt::Write as _;
use std::io::Write;

use windlass_journal::{Entry, InDoubtAnswer, JournalError, Reader, RunState, RunSummary};

use crate::calls::{Call, Calls, Outcome};
use crate::clean::one_line;
use crate::error::ViewError;
use crate::json::{CallJson, RunJson, push_line};
use crate::model::RunModel;
use crate::phrase;
use crate::report::{Detail, ReadLog, Report};
use crate::style::{Format, Style};
use crate::text::{BOLD, DIM, GREEN, RED, YELLOW, duration, moment, paint, shorten};

/// The narrowest output for which arguments and answers are cut.
const NARROWEST: usize = 60;

/// What to show of a run, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShowOptions {
    /// What the output can take.
    pub style: Style,
    /// For whom: people, or JSON.
    pub format: Format,
    /// List every call: who, what, allowed by which grant, when, how long, and the answer. As JSON
    /// each is a value on a line of its own, after the run's.
    pub calls: bool,
}

/// Shows a run: what it was made from, its stages and steps, failures, notices, metrics.
///
/// # Errors
///
/// What the journal says, and what the output says.
pub fn show(reader: &Reader, run: &RunSummary, options: ShowOptions, out: &mut dyn Write) -> Result<(), ViewError> {
    let model = RunModel::read(reader, run)?;
    let state = reader.refresh(run)?.state;
    let text = match options.format {
        Format::Human => human(&model, state, options.style, &|offset, len| reader.log_bytes(run, offset, len))?,
        Format::Json => {
            let mut text = String::new();
            push_line(&mut text, &RunJson::new(&model, state));
            text
        }
    };
    out.write_all(text.as_bytes())?;
    if options.calls {
        calls(&model, reader.entries(run, 0)?, options, out)?;
    }
    Ok(out.flush()?)
}

/// A run for people, without its calls.
pub(crate) fn human(
    model: &RunModel,
    state: RunState,
    style: Style,
    read: ReadLog<'_>,
) -> Result<String, JournalError> {
    let mut report = Report::new(model, state, style, Detail::Full);
    header(&mut report);
    report.table();
    report.approvals();
    report.outputs();
    report.failures(read)?;
    report.inputs();
    report.metrics();
    report.resumes();
    report.notices();
    report.outlook();
    Ok(report.text)
}

fn header(report: &mut Report<'_>) {
    let model = report.model;
    let Some(started) = model.started.as_deref() else { return };
    let color = report.style.color;
    let exit = model.exit_code.map_or_else(String::new, |code| format!(", exit code {code}"));
    let by = model.cancelled_by.as_ref().map_or_else(String::new, |by| format!(", cancelled by {}", one_line(by)));
    let denied = if model.denied > 0 { format!(", {} denied", model.denied) } else { String::new() };
    let rows = [
        ("run", one_line(&started.run)),
        ("pipeline", format!("{} from {}", one_line(&started.pipeline), one_line(&started.file))),
        ("workspace", one_line(&started.workspace)),
        ("env", started.flags.env.as_deref().map(one_line).unwrap_or_default()),
        ("status", format!("{}{exit}{by}", report.state())),
        ("started", moment(model.started_at)),
        ("took", duration(model.started_at, model.ended_at.unwrap_or(model.last_at))),
        ("calls", format!("{}{denied}", model.calls)),
    ];
    for (name, value) in rows.into_iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(report.text, "{}  {value}", paint(color, DIM, format_args!("{name:9}")));
    }
    let plugins: Vec<_> =
        started.plugins.iter().map(|plugin| (plugin.source.as_str(), plugin.digest.as_str())).collect();
    list(report, "plugins", &plugins);
    let pairs = |map: &'_ std::collections::BTreeMap<String, String>| -> Vec<(String, String)> {
        map.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    for (title, pairs) in [("facts", pairs(&started.facts)), ("versions", pairs(&started.versions))] {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        list(report, title, &pairs);
    }
}

/// Names and values, one pair a line.
fn list(report: &mut Report<'_>, title: &str, pairs: &[(&str, &str)]) {
    if pairs.is_empty() {
        return;
    }
    report.title(title);
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (one_line(name), one_line(value))).collect();
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in pairs {
        let line = format!("  {name:width$}  {value}");
        let _ = writeln!(report.text, "{}", line.trim_end());
    }
}

/// Every call, in the order of their beginning.
pub(crate) fn calls(
    model: &RunModel,
    entries: impl Iterator<Item = Result<Entry, JournalError>>,
    options: ShowOptions,
    out: &mut dyn Write,
) -> Result<(), ViewError> {
    let mut calls = Calls::default();
    let mut text = String::new();
    if options.format == Format::Human && model.calls > 0 {
        let _ = writeln!(text, "\n{}", paint(options.style.color, BOLD, "calls"));
    }
    for entry in entries {
        calls.push(entry?);
        while let Some(call) = calls.pop() {
            push_call(&mut text, model, &call, options);
        }
        if text.len() >= 64 << 10 {
            out.write_all(text.as_bytes())?;
            text.clear();
        }
    }
    for call in calls.rest() {
        push_call(&mut text, model, &call, options);
    }
    Ok(out.write_all(text.as_bytes())?)
}

/// A grant with its place in the pipeline's file: it is recorded as line and column.
fn in_file(grant: &str, model: &RunModel) -> String {
    let is_place = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    match (grant.rsplit_once(" at "), model.started.as_deref()) {
        (Some((what, place)), Some(started)) if is_place(place) => format!("{what} at {}:{place}", started.file),
        _ => grant.to_owned(),
    }
}

fn push_call(text: &mut String, model: &RunModel, call: &Call, options: ShowOptions) {
    let path = model.path(call.id.step);
    if options.format == Format::Json {
        push_line(text, &CallJson::new(&path, call));
        return;
    }
    let color = options.style.color;
    let (word, style) = match call.outcome() {
        Outcome::Ok => ("ok", GREEN),
        Outcome::Error => ("error", RED),
        Outcome::Denied => ("denied", YELLOW),
        Outcome::Unanswered => ("no answer", YELLOW),
    };
    let took = call.ended_at.map_or_else(String::new, |to| format!(", took {}", duration(call.started_at, to)));
    let _ = writeln!(
        text,
        "  {}  {}#{}.{}  {}  at +{}{took}",
        paint(color, style, format_args!("{word:9}")),
        one_line(&path),
        call.id.attempt,
        call.id.ordinal,
        paint(color, BOLD, one_line(&call.function)),
        duration(model.started_at, call.started_at),
    );
    let most = options.style.width.max(NARROWEST) - 21;
    let grant = call.grant.as_deref().unwrap_or(if call.outcome() == Outcome::Denied { "none" } else { "none needed" });
    let crash = match (call.across_resume, &call.answer) {
        (true, Some(_)) => Some("it began before a crash, and went on after the run was resumed".to_owned()),
        (true, None) => Some("it began before a crash; what became of it is not recorded here".to_owned()),
        (false, _) => None,
    };
    let person = call.answered.as_ref().map(|(answer, by)| {
        let meant = match answer {
            InDoubtAnswer::Done => "it was done",
            InDoubtAnswer::Repeat => "do it again",
        };
        format!("{by} said: {meant}")
    });
    let rows = [
        ("args", Some(phrase::arguments(&call.function, &call.args)).filter(|args| !args.is_empty())),
        ("grant", Some(in_file(grant, model))),
        ("answer", call.answer.as_deref().map(|answer| phrase::answer(&call.function, answer))),
        ("crash", crash),
        ("person", person),
    ];
    for (name, value) in rows {
        let Some(value) = value else { continue };
        let _ = writeln!(
            text,
            "             {}  {}",
            paint(color, DIM, format_args!("{name:6}")),
            shorten(&one_line(&value), most)
        );
    }
}
