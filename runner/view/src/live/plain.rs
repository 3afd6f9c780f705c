//! Plain lines, for pipes and the logs of CI systems.

use std::fmt::Write as _;
use std::io::Write;

use windlass_journal::{Entry, InDoubtAnswer, LogView, Observer, Record, Status, StepIndex};

use super::LiveOptions;
use super::sink::Sink;
use crate::calls::denial;
use crate::clean::one_line;
use crate::lines::{Lines, push_prefixed};
use crate::model::RunModel;
use crate::text::{DIM, YELLOW, count, duration, paint, size, status};

/// Prints plain lines.
pub(super) struct Plain {
    printer: Printer,
    sink: Sink,
    text: String,
    /// Chunks of logs that were left out, because the output does not keep up.
    left_out: u64,
}

impl Plain {
    pub(super) fn new(options: LiveOptions, out: Box<dyn Write + Send>) -> Self {
        Self {
            printer: Printer::new(options.before, options.style.color),
            sink: Sink::new(out),
            text: String::new(),
            left_out: 0,
        }
    }
}

impl Observer for Plain {
    fn committed(&mut self, entries: &[Entry], logs: &LogView<'_>) {
        let full = self.sink.is_full();
        for entry in entries {
            if full && matches!(entry.record, Record::Log { .. }) {
                self.printer.model.apply(entry);
                self.left_out += 1;
                continue;
            }
            self.printer.print(&mut self.text, entry, logs);
        }
        let over = self.printer.model.status.is_some();
        if self.left_out > 0 && (over || !full) {
            let (left_out, run) = (count(self.left_out, "piece"), self.printer.run());
            let _ = writeln!(
                self.text,
                "note: the output did not keep up, {left_out} of logs left out; all: windlass logs {run}"
            );
            self.left_out = 0;
        }
        self.sink.send(&mut self.text);
    }
}

/// Turns records into lines. It is the same for a run of this process and for one that is followed.
pub(super) struct Printer {
    pub(super) model: RunModel,
    lines: Lines,
    color: bool,
    /// The run was begun by an earlier process, and nothing was printed yet.
    resumed: bool,
}

impl Printer {
    pub(super) fn new(before: RunModel, color: bool) -> Self {
        let resumed = before.started.is_some();
        Self { model: before, lines: Lines::default(), color, resumed }
    }

    pub(super) fn run(&self) -> &str {
        self.model.started.as_ref().map_or("latest", |started| &started.run)
    }

    /// Appends what is to be said about a record. Writing to a string cannot fail.
    pub(super) fn print(&mut self, text: &mut String, entry: &Entry, logs: &LogView<'_>) {
        if std::mem::take(&mut self.resumed) {
            self.header(text, "goes on");
        }
        // What ends is looked up before the model forgets that it was running.
        if let Record::StepEnded { step, attempt, .. } = &entry.record {
            self.finish(text, *step, *attempt);
        }
        self.model.apply(entry);
        let _ = match &entry.record {
            Record::RunStarted(_) => {
                self.header(text, "started");
                Ok(())
            }
            Record::StageStarted { name, .. } => writeln!(text, "stage {}: started", one_line(name)),
            Record::StageEnded { stage, name, status: ended } => {
                let (word, style) = status(Some(*ended));
                let took = self
                    .model
                    .stages
                    .get(stage)
                    .and_then(|stage| stage.started_at)
                    .map(|from| duration(from, entry.at));
                writeln!(text, "stage {}: {}{}", one_line(name), paint(self.color, style, word), within(took))
            }
            Record::StepStarted { step, attempt, .. } => {
                let again = if *attempt > 1 { format!("attempt {attempt} ") } else { String::new() };
                writeln!(text, "step {}: {again}started", self.path(*step))
            }
            Record::StepEnded { step, .. } => {
                self.step_ended(text, *step);
                Ok(())
            }
            Record::CallRecorded { call, function, answer, .. } => match denial(answer) {
                Some(reason) => writeln!(
                    text,
                    "step {}: {} was {}: {}",
                    self.path(call.step),
                    one_line(function),
                    paint(self.color, YELLOW, "denied"),
                    one_line(&reason)
                ),
                None => Ok(()),
            },
            Record::Log { step, attempt, stream, .. } => {
                let path = self.model.path(*step);
                let bytes = logs.of(&entry.record).unwrap_or_default();
                let (step, attempt, color) = (*step, *attempt, self.color);
                self.lines.push((step, attempt, *stream), bytes, |line| {
                    push_prefixed(text, &path, step, attempt, line, color)
                });
                Ok(())
            }
            Record::LogCut { step, limit, .. } => {
                writeln!(text, "step {}: its log has reached {} and is cut here", self.path(*step), size(*limit))
            }
            Record::Notice { step, message } => {
                let about = step.map_or_else(String::new, |step| format!("{}: ", self.path(step)));
                writeln!(text, "{}: {about}{}", paint(self.color, YELLOW, "note"), one_line(message))
            }
            Record::CancelRequested { by } => {
                writeln!(
                    text,
                    "run {}: {} by {}",
                    self.run(),
                    paint(self.color, YELLOW, "cancel requested"),
                    one_line(by)
                )
            }
            Record::RunEnded { .. } => {
                self.finish_all(text);
                Ok(())
            }
            // The header says it.
            Record::RunResumed(_) => Ok(()),
            Record::InDoubtAnswered { call, answer, by } => {
                let answer = match answer {
                    InDoubtAnswer::Done => "done",
                    InDoubtAnswer::Repeat => "repeat",
                };
                writeln!(text, "step {}: {} answered `{answer}`", self.path(call.step), one_line(by))
            }
            Record::CallStarted { .. }
            | Record::CallEnded { .. }
            | Record::Metric { .. }
            | Record::StepInputs { .. }
            | Record::SecretRead { .. } => Ok(()),
        };
    }

    fn path(&self, step: StepIndex) -> String {
        one_line(&self.model.path(step))
    }

    fn header(&self, text: &mut String, how: &str) {
        let Some(started) = &self.model.started else { return };
        let _ = writeln!(
            text,
            "run {}: {how}, {} from {}, {}, {}",
            one_line(&started.run),
            one_line(&started.pipeline),
            one_line(&started.file),
            count(started.stages.into(), "stage"),
            count(started.steps.into(), "step"),
        );
    }

    fn step_ended(&self, text: &mut String, index: StepIndex) {
        let Some((step, last)) = self.model.steps.get(&index).and_then(|step| Some((step, step.attempts.last()?)))
        else {
            return;
        };
        let (word, style) = status(last.status);
        let took = last.ended_at.map(|to| duration(last.started_at, to));
        let again = if last.number > 1 { format!(" (attempt {})", last.number) } else { String::new() };
        let _ =
            write!(text, "step {}: {}{}{again}", one_line(&step.path), paint(self.color, style, word), within(took));
        let Some(failure) = last.failure.as_ref().filter(|_| last.status != Some(Status::Succeeded)) else {
            text.push('\n');
            return;
        };
        let mut lines = failure.message.lines();
        let _ = writeln!(text, ": {}", one_line(lines.next().unwrap_or_default()));
        for line in lines {
            push_prefixed(text, &step.path, index, last.number, line.as_bytes(), self.color);
        }
        if let Some(hint) = &failure.hint {
            let _ =
                writeln!(text, "step {}: {}: {}", one_line(&step.path), paint(self.color, DIM, "hint"), one_line(hint));
        }
    }

    fn finish(&mut self, text: &mut String, step: StepIndex, attempt: u32) {
        let (path, color) = (self.model.path(step), self.color);
        self.lines.finish(step, attempt, |_, line| push_prefixed(text, &path, step, attempt, line, color));
    }

    fn finish_all(&mut self, text: &mut String) {
        let (model, color) = (&self.model, self.color);
        self.lines
            .finish_all(|step, attempt, _, line| push_prefixed(text, &model.path(step), step, attempt, line, color));
    }
}

/// `" in 1.2s"`, if it is known.
fn within(took: Option<String>) -> String {
    took.map_or_else(String::new, |took| format!(" in {took}"))
}
