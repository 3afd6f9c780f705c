//! Events: the records themselves, with the names and the text that a reader would have to look up.

use std::collections::HashMap;

use serde::Serialize;
use windlass_journal::{Entry, Record, StepIndex, Stream};

use super::push_line;
use crate::model::RunModel;

/// A record as a line.
#[derive(Serialize)]
struct Event<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    /// The step it is about, as `stage/step`.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    /// What was printed, for a stretch of a log.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// Turns records into lines of JSON.
pub(crate) struct EventPrinter {
    model: RunModel,
    /// The beginning of a character whose end comes with the next chunk.
    cut: HashMap<(StepIndex, u32, Stream), Vec<u8>>,
}

impl EventPrinter {
    pub(crate) fn new(before: RunModel) -> Self {
        Self { model: before, cut: HashMap::new() }
    }

    /// Appends a record; `bytes` is what a [`Record::Log`] tells of, if it is to be printed.
    pub(crate) fn print(&mut self, out: &mut String, entry: &Entry, bytes: Option<&[u8]>) {
        self.model.apply(entry);
        let text = match &entry.record {
            Record::Log { step, attempt, stream, .. } => {
                bytes.map(|bytes| self.text((*step, *attempt, *stream), bytes))
            }
            Record::StepEnded { step, attempt, .. } => {
                self.cut.retain(|(s, a, _), _| (s, a) != (step, attempt));
                None
            }
            _ => None,
        };
        let path = step_of(&entry.record).map(|step| self.model.path(step));
        push_line(out, &Event { entry, path: path.as_deref(), text });
    }

    /// The text of a chunk. A character that is cut by its end comes with the next one.
    fn text(&mut self, of: (StepIndex, u32, Stream), bytes: &[u8]) -> String {
        let whole;
        let bytes = match self.cut.remove(&of) {
            None => bytes,
            Some(mut cut) => {
                cut.extend_from_slice(bytes);
                whole = cut;
                &whole
            }
        };
        let (text, rest) = bytes.split_at(bytes.len() - unfinished(bytes));
        if !rest.is_empty() {
            self.cut.insert(of, rest.to_vec());
        }
        String::from_utf8_lossy(text).into_owned()
    }
}

/// How many bytes at the end begin a character of UTF-8 without ending it.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    let Some(lead) = tail.iter().rposition(|b| b & 0xc0 != 0x80) else { return 0 };
    let length = match tail[lead] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let there = tail.len() - lead;
    if there < length { there } else { 0 }
}

/// The step that a record is about.
fn step_of(record: &Record) -> Option<StepIndex> {
    match record {
        Record::StepStarted { step, .. }
        | Record::StepEnded { step, .. }
        | Record::Log { step, .. }
        | Record::LogCut { step, .. }
        | Record::StepInputs { step, .. } => Some(*step),
        Record::CallStarted { call, .. }
        | Record::CallEnded { call, .. }
        | Record::CallRecorded { call, .. }
        | Record::InDoubtAnswered { call, .. }
        | Record::Metric { call, .. } => Some(call.step),
        Record::Notice { step, .. } => *step,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_cut_between_chunks_come_whole() {
        let text = "aü€🚀b";
        for cut in 0..=text.len() {
            let mut printer = EventPrinter::new(RunModel::default());
            let of = (StepIndex(0), 1, Stream::Stdout);
            let (one, two) = text.as_bytes().split_at(cut);
            assert_eq!(printer.text(of, one) + &printer.text(of, two), text);
        }
    }
}
