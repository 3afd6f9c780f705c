//! The parts that `summary` and `show` are made of.

use std::collections::VecDeque;
use std::fmt::Write;

use serde_json::Value;
use windlass_journal::{FailureKind, JournalError, LogBytes, RunState, Status, StepIndex};

use crate::clean::{one_line, push, push_line};
use crate::json::state_word;
use crate::lines::Lines;
use crate::model::{LogPiece, RunModel, StageModel, StepModel};
use crate::style::Style;
use crate::text::{BOLD, DIM, RED, YELLOW, count, duration, moment, number, paint, shorten, size, status};

/// How many of a failed step's last log lines are printed.
const TAIL_LINES: usize = 20;

/// No more than this is read for them.
const TAIL_BYTES: u64 = 64 << 10;

/// The longest value of an output that is printed whole.
const LONGEST_VALUE: usize = 200;

/// How much of a part is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What fits a screen or two, however large the run was.
    Short,
    /// Everything.
    Full,
}

/// Where the bytes of a log come from: an offset and a length.
pub(crate) type ReadLog<'a> = &'a dyn Fn(u64, u64) -> Result<LogBytes, JournalError>;

/// A text that is being written about a run. Writing to its string cannot fail, so the results of
/// `write!` are of no interest.
pub(crate) struct Report<'a> {
    pub(crate) model: &'a RunModel,
    pub(crate) state: RunState,
    pub(crate) style: Style,
    pub(crate) detail: Detail,
    pub(crate) text: String,
}

impl<'a> Report<'a> {
    pub(crate) fn new(model: &'a RunModel, state: RunState, style: Style, detail: Detail) -> Self {
        Self { model, state, style, detail, text: String::new() }
    }

    /// The run's id.
    pub(crate) fn run(&self) -> &'a str {
        self.model.started.as_deref().map_or("latest", |started| &started.run)
    }

    /// How much of a list is printed.
    fn limit(&self, short: usize) -> usize {
        if self.detail == Detail::Full { usize::MAX } else { short }
    }

    /// The status of the run, painted.
    pub(crate) fn state(&self) -> String {
        let style = match self.state {
            RunState::Ended(ended) => status(Some(ended)).1,
            RunState::Interrupted | RunState::Waiting => YELLOW,
            _ => BOLD,
        };
        paint(self.style.color, style, state_word(self.state)).to_string()
    }

    /// A title above a part.
    pub(crate) fn title(&mut self, title: &str) {
        let _ = writeln!(self.text, "\n{}", paint(self.style.color, BOLD, title));
    }

    /// Says that a list was cut.
    fn more(&mut self, n: usize, what: &str) {
        if n > 0 {
            let run = self.run();
            let _ = writeln!(self.text, "... and {n} more {what}: windlass show {run}");
        }
    }

    /// Stages and steps: status, name, duration, and what is special.
    pub(crate) fn table(&mut self) {
        const SKIPPED: usize = 10;
        let model = self.model;
        if model.stages.is_empty() {
            return;
        }
        self.text.push('\n');
        // A large run is told by its stages, and by the steps that did not succeed.
        let all = model.steps.len() <= self.limit(40);
        let told = |step: &StepModel| all || step.status() != Some(Status::Succeeded);
        let steps = |stage: &'a StageModel| stage.steps.iter().filter_map(|index| model.steps.get(index));
        let widest = |stage: &'a StageModel| {
            let steps = steps(stage).filter(|step| told(step)).map(|step| step.name.chars().count() + 2);
            steps.max().unwrap_or(0).max(stage.name.chars().count())
        };
        let width = model.stages.values().map(widest).max().unwrap_or(0);
        let (limit, mut skipped, mut hidden) = (self.limit(SKIPPED), 0, 0);
        let mut rows = self.limit(200);
        for stage in model.stages.values() {
            if stage.status == Some(Status::Skipped) {
                skipped += 1;
                if skipped > limit {
                    continue;
                }
            }
            let steps: Vec<_> = steps(stage).collect();
            if rows == 0 {
                hidden += 1 + steps.len();
                continue;
            }
            let took = stage.started_at.map(|from| (from, stage.ended_at));
            let mut note = if all { String::new() } else { count(steps.len() as u64, "step") };
            if let Some(environment) = &stage.environment {
                let gap = if note.is_empty() { "" } else { ", " };
                note = format!("{note}{gap}in {}", one_line(environment));
            }
            self.row(stage.status, &one_line(&stage.name), width, took, &note);
            rows -= 1;
            for step in steps.into_iter().filter(|step| told(step)) {
                if rows == 0 {
                    hidden += 1;
                    continue;
                }
                rows -= 1;
                let took = (!step.attempts.is_empty()).then(|| (step.started_at(), step.ended_at()));
                let name = format!("  {}", one_line(&step.name));
                self.row(step.status(), &name, width, took, &self.about(step));
            }
        }
        self.more(skipped.saturating_sub(limit), "skipped stages");
        self.more(hidden, "stages and steps");
    }

    fn row(&mut self, state: Option<Status>, name: &str, width: usize, took: Option<(u64, Option<u64>)>, note: &str) {
        let (word, style) = match (state, self.state) {
            (None, RunState::Interrupted) => ("broke off", YELLOW),
            (None, RunState::Waiting) => ("waits", YELLOW),
            _ => status(state),
        };
        let took = took.map_or_else(String::new, |(from, to)| duration(from, to.unwrap_or(self.model.last_at)));
        let line =
            format!("{}  {name:width$}  {took:>7}  {note}", paint(self.style.color, style, format_args!("{word:9}")));
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    /// What is special about a step.
    fn about(&self, step: &StepModel) -> String {
        let mut about = Vec::new();
        if step.attempts.len() > 1 {
            about.push(format!("{} attempts", step.attempts.len()));
        }
        if step.status() == Some(Status::Failed) && self.state == RunState::Ended(Status::Succeeded) {
            about.push("not required".to_owned());
        }
        if let Some(limit) = step.log_cut {
            about.push(format!("log cut at {}", size(limit)));
        }
        if self.detail == Detail::Full {
            about.push(count(step.calls, "call"));
            about.push(format!("{} of log", size(step.log_bytes)));
        }
        about.join(", ")
    }

    /// What steps gave to later ones.
    pub(crate) fn outputs(&mut self) {
        let outputs = || {
            self.model
                .steps
                .values()
                .flat_map(|step| step.outputs.iter().map(move |(name, value)| (&step.path, name, value)))
        };
        let all = outputs().count();
        if all == 0 {
            return;
        }
        let limit = self.limit(30);
        let lines: Vec<_> = outputs()
            .take(limit)
            .map(|(path, name, value)| {
                let value = match value {
                    Value::String(text) => one_line(text),
                    value => one_line(&value.to_string()),
                };
                format!("  {}  {} = {}", one_line(path), one_line(name), shorten(&value, LONGEST_VALUE))
            })
            .collect();
        self.title("outputs");
        for line in lines {
            let _ = writeln!(self.text, "{line}");
        }
        self.more(all.saturating_sub(limit), "outputs");
    }

    /// Steps that failed: why, what to do, and the end of their logs.
    ///
    /// # Errors
    ///
    /// What the journal says about the logs.
    pub(crate) fn failures(&mut self, read: ReadLog<'_>) -> Result<(), JournalError> {
        let failed = self.model.steps.iter().filter(|(_, step)| step.status() == Some(Status::Failed));
        let mut failed: Vec<_> = failed.collect();
        // What failed first is most often why the rest did.
        failed.sort_by_key(|(index, step)| (step.ended_at(), **index));
        let limit = self.limit(5);
        for (index, step) in failed.iter().take(limit) {
            self.failure(**index, step, read)?;
        }
        if failed.len() > limit {
            self.text.push('\n');
        }
        self.more(failed.len().saturating_sub(limit), "failed steps");
        Ok(())
    }

    fn failure(&mut self, index: StepIndex, step: &StepModel, read: ReadLog<'_>) -> Result<(), JournalError> {
        let (color, path) = (self.style.color, one_line(&step.path));
        let kind = step.failure().map_or("failed", |failure| kind(failure.kind));
        let _ = writeln!(self.text, "\n{}", paint(color, RED, format_args!("{kind}: {path}")));
        if let Some(failure) = step.failure() {
            let mut lines = failure.message.lines();
            let _ = writeln!(self.text, "  why   {}", one_line(lines.next().unwrap_or_default()));
            for line in lines {
                self.text.push_str("  |     ");
                push(&mut self.text, line, false);
                self.text.push('\n');
            }
            if let Some(hint) = &failure.hint {
                let _ = writeln!(self.text, "  hint  {}", one_line(hint));
            }
        }
        let lines = tail(index, &step.tail, read)?;
        if step.log_bytes > 0 {
            let run = self.run();
            let _ = writeln!(self.text, "  log   windlass logs {run} {path}");
        }
        for line in lines {
            let _ = write!(self.text, "  {} ", paint(color, DIM, "|"));
            push_line(&mut self.text, &line, color);
            self.text.truncate(self.text.trim_end_matches(' ').len());
            self.text.push('\n');
        }
        Ok(())
    }

    /// The latest value of each metric.
    pub(crate) fn metrics(&mut self) {
        let model = self.model;
        if model.metrics.is_empty() {
            return;
        }
        self.title("metrics");
        let limit = self.limit(20);
        for metric in model.metrics.iter().take(limit) {
            let labels: Vec<_> = metric.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(", ")) };
            let reports = if metric.count > 1 { format!("  (the last of {})", metric.count) } else { String::new() };
            // UCUM writes what is counted in braces: `{request}`.
            let unit = metric.unit.trim_start_matches('{').trim_end_matches('}');
            let what = one_line(&format!("{}{labels} = {} {unit}", metric.name, number(metric.value)));
            let _ = writeln!(self.text, "  {}  {}{reports}", one_line(&model.path(metric.step)), what.trim_end());
        }
        self.more(model.metrics.len().saturating_sub(limit), "metrics");
    }

    /// What steps could see besides their calls.
    pub(crate) fn inputs(&mut self) {
        let model = self.model;
        let mut lines = Vec::new();
        for step in model.steps.values() {
            let Some(inputs) = step.attempts.iter().rev().find_map(|attempt| attempt.inputs.as_deref()) else {
                continue;
            };
            for folder in &inputs.folders {
                let kept = if folder.kept { "" } else { ", too large to be kept for a replay" };
                lines.push(format!(
                    "{}  folder {}: {}, {}, {}{kept}",
                    step.path,
                    folder.folder,
                    count(folder.files, "file"),
                    size(folder.bytes),
                    folder.digest
                ));
            }
            for (name, value) in &inputs.env {
                lines.push(format!("{}  variable {name} = {}", step.path, shorten(value, LONGEST_VALUE)));
            }
        }
        if lines.is_empty() {
            return;
        }
        self.title("inputs");
        for line in lines {
            let _ = writeln!(self.text, "  {}", one_line(&line));
        }
    }

    /// When others went on with the run.
    pub(crate) fn resumes(&mut self) {
        let model = self.model;
        if model.resumes.is_empty() {
            return;
        }
        self.title("resumed");
        for resume in &model.resumes {
            let restarted: Vec<_> = resume.restarted.iter().map(|step| one_line(&model.path(*step))).collect();
            let anew = if restarted.is_empty() { String::new() } else { format!(", {} anew", restarted.join(", ")) };
            let down = duration(resume.down_since, resume.at);
            let _ = writeln!(self.text, "  {}  nothing was recorded for {down} before{anew}", moment(resume.at));
        }
    }

    /// What a person should know: what was left behind, say.
    pub(crate) fn notices(&mut self) {
        let model = self.model;
        if model.notices.is_empty() {
            return;
        }
        self.text.push('\n');
        let limit = self.limit(20);
        for notice in model.notices.iter().take(limit) {
            let about = notice.step.map_or_else(String::new, |step| format!("{}: ", one_line(&model.path(step))));
            let word = paint(self.style.color, YELLOW, "note");
            let _ = writeln!(self.text, "{word}: {about}{}", one_line(&notice.message));
        }
        self.more(model.notices.len().saturating_sub(limit), "notes");
    }

    /// What can be done with a run that is not over.
    pub(crate) fn outlook(&mut self) {
        let run = self.run();
        if self.state == RunState::Waiting {
            return self.decide();
        }
        if self.state == RunState::Interrupted {
            let _ = writeln!(
                self.text,
                "\nits record ends before the run did; go on with it: windlass resume {run}\n\
                 what it left in Docker is labelled windlass.run={run}"
            );
        }
    }
}

/// Why something failed, in a word or two.
fn kind(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Failed => "failed",
        FailureKind::Denied => "denied",
        FailureKind::Unavailable => "not available",
        FailureKind::Plugin => "plugin broke",
        FailureKind::TimedOut => "timed out",
        FailureKind::Host => "windlass failed",
    }
}

/// The last lines of a step's log, raw.
pub(crate) fn tail(
    index: StepIndex,
    pieces: &VecDeque<LogPiece>,
    read: ReadLog<'_>,
) -> Result<VecDeque<Vec<u8>>, JournalError> {
    let mut lines = Lines::default();
    let mut last = VecDeque::new();
    let mut keep = |line: &[u8]| {
        if last.len() == TAIL_LINES {
            last.pop_front();
        }
        last.push_back(line.to_vec());
    };
    let mut attempt = 1;
    for piece in pieces {
        attempt = piece.attempt;
        let over = piece.len.saturating_sub(TAIL_BYTES);
        let bytes = read(piece.offset + over, piece.len - over)?.bytes;
        lines.push((index, piece.attempt, piece.stream), &bytes, &mut keep);
    }
    lines.finish(index, attempt, |_, line| keep(line));
    Ok(last)
}
