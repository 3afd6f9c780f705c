//! Rendering a run while it goes on.
//!
//! The journal's thread hands over what it has committed and must not be held up: it only folds
//! records and appends text to a buffer. Another thread writes, so that a terminal that is paused,
//! or a reader that does not read, holds up neither the journal nor a deploy.

mod json;
mod plain;
mod sink;
mod terminal;

use std::io::Write;

use windlass_journal::{Entry, LogView, Observer};

use crate::model::RunModel;
use crate::style::{Format, Style};

/// Tells a terminal's columns and rows, if it has them.
pub type TerminalSize = fn() -> Option<(usize, usize)>;

/// How to render a run while it goes on.
#[derive(Debug, Default)]
pub struct LiveOptions {
    /// What the output can take.
    pub style: Style,
    /// For whom: people, or one JSON event a line.
    pub format: Format,
    /// Print nothing at all.
    pub quiet: bool,
    /// Print every log line on a terminal too. Plain lines always have them.
    pub verbose: bool,
    /// The terminal's columns and rows now, asked before each redraw, so that a resized window is
    /// drawn right; `None` keeps to the style's width and 24 rows.
    pub size: Option<TerminalSize>,
    /// What a resumed run has recorded so far ([`RunModel::read`]); empty for a new run.
    pub before: RunModel,
}

/// Renders a run while it goes on; hangs on the journal's writer
/// ([`WriterOptions::observer`](windlass_journal::WriterOptions)).
///
/// How the run ended is not among it: [`summary`](crate::summary()) says that. Everything is written
/// when the observer is dropped, and that is before `Writer::close` returns. An output that fails is
/// not written to any more; the run goes on.
pub fn live(options: LiveOptions, out: Box<dyn Write + Send>) -> Box<dyn Observer> {
    match options.format {
        _ if options.quiet => Box::new(Nothing),
        Format::Json => Box::new(json::Events::new(options, out)),
        Format::Human if options.style.live => Box::new(terminal::Terminal::new(options, out)),
        Format::Human => Box::new(plain::Plain::new(options, out)),
    }
}

/// Prints nothing.
struct Nothing;

impl Observer for Nothing {
    fn committed(&mut self, _: &[Entry], _: &LogView<'_>) {}
}

/// The block that a terminal would show after these records.
#[cfg(test)]
pub(crate) fn block_of(entries: &[Entry], log: &[u8], columns: usize, rows: usize, now: u64) -> String {
    let style = Style { live: true, width: columns, color: false };
    let mut screen = terminal::Screen::new(RunModel::default(), style, false);
    let chunks = [windlass_journal::LogChunk { offset: 0, bytes: log.to_vec() }];
    entries.iter().for_each(|entry| screen.take(entry, &LogView::new(&chunks)));
    screen.block(columns, rows, now, 0)
}
