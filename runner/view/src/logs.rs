//! `windlass logs`: what steps printed.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use serde::Serialize;
use windlass_journal::{Entry, JournalError, LogBytes, Reader, Record, RunSummary, StepIndex, Stream};

use crate::clean;
use crate::error::ViewError;
use crate::json;
use crate::lines::{Lines, push_prefixed};
use crate::model::RunModel;
use crate::style::{Format, Style};
use crate::text::size;

/// Which log lines to print, and how.
#[derive(Clone, Debug, Default)]
pub struct LogsOptions {
    /// What the output can take.
    pub style: Style,
    /// For whom: people, or one JSON value a line.
    pub format: Format,
    /// Only this stage, or this `stage/step`.
    pub step: Option<String>,
    /// Only this attempt; `None` for all.
    pub attempt: Option<u32>,
    /// Wait for more while the run goes on.
    pub follow: bool,
    /// The bytes as they are: no prefix, no cleaning. Never the default, because a terminal or a CI
    /// system might take them for a command.
    pub raw: bool,
}

/// Prints what steps of a run printed. Every line begins with `stage/step | `, except those of a
/// single step on a terminal.
///
/// # Errors
///
/// [`ViewError::UnknownStep`], what the journal says, and what the output says.
pub fn logs(reader: &Reader, run: &RunSummary, options: &LogsOptions, out: &mut dyn Write) -> Result<(), ViewError> {
    let mut out = BufWriter::with_capacity(64 << 10, out);
    let mut printer = Printer::new(options);
    let read = |offset, len| reader.log_bytes(run, offset, len);
    if options.follow {
        let mut follow = reader.follow(run, 0)?;
        loop {
            // What is there is shown before waiting for more.
            let entry = match follow.try_next()? {
                Some(entry) => entry,
                None => {
                    out.flush()?;
                    let Some(entry) = follow.next() else { break };
                    entry?
                }
            };
            printer.print(&entry, &read, &mut out)?;
        }
    } else {
        for entry in reader.entries(run, 0)? {
            printer.print(&entry?, &read, &mut out)?;
        }
    }
    printer.finish(&mut out)?;
    out.flush()?;
    printer.check(&run.id)
}

/// A line as JSON.
#[derive(Serialize)]
struct Line<'a> {
    at: u64,
    path: &'a str,
    attempt: u32,
    stream: Stream,
    text: &'a str,
}

/// Prints the logs among the records.
struct Printer<'a> {
    options: &'a LogsOptions,
    model: RunModel,
    lines: Lines,
    /// The steps whose logs are wanted.
    wanted: BTreeMap<StepIndex, Arc<str>>,
    /// A stage or step of the name given was there.
    found: bool,
    missing: u64,
    text: String,
}

impl<'a> Printer<'a> {
    fn new(options: &'a LogsOptions) -> Self {
        Self {
            options,
            model: RunModel::default(),
            lines: Lines::default(),
            wanted: BTreeMap::new(),
            found: options.step.is_none(),
            missing: 0,
            text: String::new(),
        }
    }

    fn print(
        &mut self,
        entry: &Entry,
        read: &dyn Fn(u64, u64) -> Result<LogBytes, JournalError>,
        out: &mut dyn Write,
    ) -> Result<(), ViewError> {
        self.model.apply(entry);
        match &entry.record {
            Record::StageStarted { name, .. } | Record::StageEnded { name, .. } => {
                self.found |= self.options.step.as_deref() == Some(&**name);
            }
            Record::StepStarted { step, .. } => {
                let path = self.model.path(*step);
                if self.wants(&path) {
                    self.found = true;
                    self.wanted.insert(*step, path);
                }
            }
            Record::Log { step, attempt, stream, offset, len } => {
                if *step == StepIndex::HOST && self.wants("host") {
                    self.found = true;
                    self.wanted.insert(*step, self.model.path(*step));
                }
                if self.options.attempt.is_some_and(|wanted| wanted != *attempt) {
                    return Ok(());
                }
                let Some(path) = self.wanted.get(step) else { return Ok(()) };
                let log = read(*offset, *len)?;
                self.missing += log.missing;
                if self.options.raw && self.options.format == Format::Human {
                    return Ok(out.write_all(&log.bytes)?);
                }
                let (options, text) = (self.options, &mut self.text);
                self.lines.push((*step, *attempt, *stream), &log.bytes, |line| {
                    push(text, options, path, (*step, *attempt, *stream), entry.at, line);
                });
            }
            Record::StepEnded { step, attempt, .. } => {
                let Some(path) = self.wanted.get(step) else { return Ok(()) };
                let (options, text) = (self.options, &mut self.text);
                self.lines.finish(*step, *attempt, |stream, line| {
                    push(text, options, path, (*step, *attempt, stream), entry.at, line)
                });
            }
            Record::LogCut { step, limit, .. } if self.options.format == Format::Human && !self.options.raw => {
                if let Some(path) = self.wanted.get(step) {
                    self.text.push_str(&format!("{path}: the log has reached {} and is cut here\n", size(*limit)));
                }
            }
            _ => {}
        }
        self.write(out)
    }

    /// Prints the lines that have no end.
    fn finish(&mut self, out: &mut dyn Write) -> Result<(), ViewError> {
        let (options, text, wanted, at) = (self.options, &mut self.text, &self.wanted, self.model.last_at);
        self.lines.finish_all(|step, attempt, stream, line| {
            if let Some(path) = wanted.get(&step) {
                push(text, options, path, (step, attempt, stream), at, line);
            }
        });
        if self.missing > 0 && options.format == Format::Human && !options.raw {
            let missing = size(self.missing);
            self.text.push_str(&format!("note: {missing} of the log are missing: the power failed before they were on disk, or the file was removed\n"));
        }
        self.write(out)
    }

    /// Whether what was asked for was there.
    fn check(&self, run: &str) -> Result<(), ViewError> {
        if self.found {
            return Ok(());
        }
        let known = self.model.steps.values().map(|step| step.path.to_string()).collect();
        let given = self.options.step.clone().unwrap_or_default();
        Err(ViewError::UnknownStep { run: run.to_owned(), given, known })
    }

    fn wants(&self, path: &str) -> bool {
        let Some(wanted) = self.options.step.as_deref() else { return true };
        path == wanted || path.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('/'))
    }

    fn write(&mut self, out: &mut dyn Write) -> Result<(), ViewError> {
        out.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }
}

fn push(text: &mut String, options: &LogsOptions, path: &str, of: (StepIndex, u32, Stream), at: u64, line: &[u8]) {
    let (step, attempt, stream) = of;
    if options.format == Format::Json {
        let line = String::from_utf8_lossy(line);
        json::push_line(text, &Line { at, path, attempt, stream, text: &line });
    } else if options.style.live && options.step.as_deref() == Some(path) {
        clean::push_line(text, line, options.style.color);
        text.push('\n');
    } else {
        push_prefixed(text, path, step, attempt, line, options.style.color);
    }
}
