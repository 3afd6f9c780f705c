//! The only place of the command line that prints.
//!
//! What a command answers goes to standard output, everything else to standard error. Colours are
//! written always and taken out where nobody can see them: in a pipe, with `NO_COLOR`, with
//! `--color never`.

use std::fmt::Display;
use std::io::{self, BufWriter, Write};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use crate::style;

/// Decides about colours, for this process.
pub(crate) fn set_color(choice: ColorChoice) {
    choice.write_global();
}

/// Standard output, buffered; flush it.
pub(crate) fn stdout() -> BufWriter<AutoStream<io::StdoutLock<'static>>> {
    BufWriter::with_capacity(64 << 10, AutoStream::auto(io::stdout().lock()))
}

/// Standard output for bytes that are not ours to change.
pub(crate) fn raw() -> BufWriter<io::StdoutLock<'static>> {
    BufWriter::with_capacity(64 << 10, io::stdout().lock())
}

/// Standard output for a thread of its own.
pub(crate) fn shared() -> Box<dyn Write + Send> {
    Box::new(io::stdout())
}

/// Prints text as it is.
pub(crate) fn text(text: &str) -> io::Result<()> {
    let mut out = stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints one JSON value as one line.
pub(crate) fn json(value: &impl Serialize) -> io::Result<()> {
    let mut out = raw();
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Says something on standard error. That it cannot be said is nothing that could be said either.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// `error: ...` on standard error.
pub(crate) fn error(message: impl Display) {
    say(format_args!("{0}error{0:#}: {message}", style::ERROR));
}

/// `warning: ...` on standard error.
pub(crate) fn warning(message: impl Display) {
    say(format_args!("{0}warning{0:#}: {message}", style::WARNING));
}

/// `help: ...` on standard error.
pub(crate) fn help(message: impl Display) {
    say(format_args!("{0}help{0:#}: {message}", style::HELP));
}
