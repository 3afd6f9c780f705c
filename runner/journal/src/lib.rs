//! The append-only record of runs, and its typed, versioned format.
//!
//! The journal alone says what happened. One process writes a run; any number of readers, in this
//! process or another, read it while it is being written and never change anything.
//!
//! A journal is a folder (`.windlass/` beside the pipeline):
//!
//! ```text
//! .windlass/
//!   .gitignore        keeps the folder out of version control
//!   journal.db        SQLite, write-ahead log, synchronous FULL: every record, every run's index row
//!   runs/<id>.log     the bytes that the steps of one run printed; records hold offsets into it
//! ```
//!
//! Writing: [`Journal::open_or_create`], [`Journal::start_run`], then [`Writer`]. Records wait in a
//! buffer that the journal's own thread takes and commits in groups: at once when somebody waits
//! for durability, else within [`WriterOptions::flush_after`]. The record is sequential, so one
//! durable record makes everything before it durable.
//!
//! Reading: [`Journal::open`] gives a [`Reader`]. Whatever has happened to the file, a reader gives
//! what was written or an error: every row has a checksum, records have numbers without gaps, and
//! SQLite looks at its own structure where that is not enough. What cannot be told is a write-ahead
//! log that was damaged: it looks like one that a power cut cut short, and the records behind the
//! damage are gone.
//!
//! Asking: [`send`] leaves a request for the process that writes a run; [`Writer::request`] takes it.
//!
//! Removing: [`prune()`].
//!
//! Who writes a run holds a lock on the run's log file. The system takes it back when the process
//! dies, so a reader can tell a running run from an interrupted one at once, and
//! [`Journal::resume_run`] goes on with the latter.
//!
//! A process that has a journal open must not open `journal.db` by other means: closing any
//! descriptor of the file drops the locks that SQLite holds on it (a rule of POSIX).

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the journal owns its folder, its thread and the wall clock of records"
)]

mod buffer;
mod check;
mod clock;
mod decode;
mod encode;
mod entries;
mod error;
mod follow;
mod format;
mod id;
mod inbox;
mod journal;
mod lease;
mod log;
mod lost;
mod outline;
mod prune;
mod reader;
mod record;
mod replayability;
mod resume;
mod row;
mod run;
mod store;
mod sum;
mod thread;
mod writer;

pub use check::Check;
pub use clock::now_micros;
pub use entries::Entries;
pub use error::JournalError;
pub use follow::Follow;
pub use format::FormatVersion;
pub use id::new_run_id;
pub use inbox::{Ask, Request, send};
pub use journal::{Journal, WriterOptions};
pub use log::{LogBytes, LogChunk, LogView};
pub use prune::{PruneOptions, Pruned, prune};
pub use reader::Reader;
pub use record::*;
pub use replayability::{Reason, Replayability, matters as version_matters};
pub use run::{RunState, RunSummary};
pub use thread::Observer;
pub use writer::Writer;
