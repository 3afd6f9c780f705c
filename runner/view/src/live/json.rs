//! One JSON event a line, for programs.

use std::io::Write;

use windlass_journal::{Entry, LogView, Observer, Record};

use super::LiveOptions;
use super::sink::Sink;
use crate::json::EventPrinter;

/// Prints one event a line.
pub(super) struct Events {
    printer: EventPrinter,
    sink: Sink,
    text: String,
}

impl Events {
    pub(super) fn new(options: LiveOptions, out: Box<dyn Write + Send>) -> Self {
        Self { printer: EventPrinter::new(options.before), sink: Sink::new(out), text: String::new() }
    }
}

impl Observer for Events {
    fn committed(&mut self, entries: &[Entry], logs: &LogView<'_>) {
        // A reader that does not keep up still gets every event, but not the text of logs: it can
        // ask for that later, and memory stays bounded.
        let full = self.sink.is_full();
        for entry in entries {
            let bytes = match entry.record {
                Record::Log { .. } if !full => logs.of(&entry.record),
                _ => None,
            };
            self.printer.print(&mut self.text, entry, bytes);
        }
        self.sink.send(&mut self.text);
    }
}
