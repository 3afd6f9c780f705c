//! The async runtime: made late, and no larger than needed. A start of the command counts in
//! fractions of a millisecond.

use tokio::runtime::{Builder, Runtime};

use crate::error::CliError;

/// A runtime on this thread alone: for one step at a time, and for everything before a run.
pub(crate) fn small() -> Result<Runtime, CliError> {
    built(Builder::new_current_thread().enable_all())
}

/// A runtime for `tasks` at a time, on as many threads as the machine has cores for.
pub(crate) fn large(tasks: usize) -> Result<Runtime, CliError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    built(Builder::new_multi_thread().worker_threads(cores.min(tasks).max(1)).enable_all())
}

fn built(builder: &mut Builder) -> Result<Runtime, CliError> {
    builder.build().map_err(|error| {
        CliError::machine(
            format!("the async runtime cannot be started: {error}"),
            "the system is short of threads or open files; raise its limits",
        )
    })
}
