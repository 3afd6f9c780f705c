//! What the views have to know of the terminal: they do not look for themselves.

use std::io::IsTerminal as _;

use anstream::{AutoStream, ColorChoice};
use terminal_size::{Height, Width, terminal_size};
use windlass_view::Style;

use crate::args::Format;
use crate::environment;

/// The width where there is no terminal.
const WIDTH: usize = 100;

/// How to print on standard output.
pub(crate) fn style() -> Style {
    let stdout = std::io::stdout();
    let color = AutoStream::choice(&stdout) != ColorChoice::Never;
    let dumb = environment::value("TERM").is_some_and(|term| term == "dumb");
    let live = stdout.is_terminal() && !dumb;
    Style { color, width: size().map_or(WIDTH, |(columns, _)| columns), live }
}

/// Columns and rows of the terminal, if there is one.
pub(crate) fn size() -> Option<(usize, usize)> {
    terminal_size().map(|(Width(columns), Height(rows))| (columns.into(), rows.into()))
}

impl From<Format> for windlass_view::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Human => Self::Human,
            Format::Json => Self::Json,
        }
    }
}
