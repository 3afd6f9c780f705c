//! What programs read: one JSON value a line, with names that stay.
//!
//! Names are in kebab-case, moments are microseconds since the Unix epoch, and what is not known is
//! left out. Steps are named by `path`, as `stage/step`.

mod event;
mod run;
mod safe;

pub(crate) use event::EventPrinter;
pub(crate) use run::{CallJson, RunJson, RunRow, state_word, value};
pub(crate) use safe::push_line;
