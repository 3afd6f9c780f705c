//! The journal's behaviour, from outside.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "the tests damage files, start and kill processes, and fail where they stand"
)]

mod commit;
mod crash;
mod damage;
mod files;
mod format;
mod inbox;
mod logs;
mod outline;
mod prune;
mod readers;
mod records;
mod resume;
mod tools;
