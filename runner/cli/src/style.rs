//! The styles of human output. Where nobody can see them, `output` takes them out.

use anstyle::{AnsiColor, Style};

/// The word `error`.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The word `warning`.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// The word `help`.
pub(crate) const HELP: Style = AnsiColor::Cyan.on_default().bold();
/// What is in order.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Names, headings.
pub(crate) const BOLD: Style = Style::new().bold();
/// Places and other small print.
pub(crate) const DIM: Style = Style::new().dimmed();
