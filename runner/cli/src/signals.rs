//! Ctrl-C and SIGTERM: the first ends the run in good order, the second ends it at once.

#![allow(clippy::disallowed_methods, reason = "the second signal ends the process, whatever it is doing")]

use std::path::PathBuf;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use windlass_engine::Cancel;

use crate::error::CliError;
use crate::exit::Exit;
use crate::{left_behind, output};

/// Waits for signals on a thread of its own, so that the second one is heard whatever the run does.
pub(crate) fn watch(cancel: Cancel, run: String, state: PathBuf) -> Result<(), CliError> {
    let failed = |error: std::io::Error| {
        CliError::machine(
            format!("signals cannot be waited for: {error}"),
            "the system is short of threads or open files; raise its limits",
        )
    };
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let wait = move || {
        for signal in &mut signals {
            if cancel.is_cancelled() {
                give_up(&run, &state);
            }
            cancel.cancel(if signal == SIGTERM { "SIGTERM" } else { "SIGINT" });
            output::say("stopping: what the run made is being cleaned up; once more to end at once");
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map_err(failed)?;
    Ok(())
}

/// Ends at once, and says what nobody cleans up any more.
fn give_up(run: &str, state: &std::path::Path) -> ! {
    output::warning(format_args!("run {run} was ended before it was cleaned up"));
    for container in left_behind::containers(state, run) {
        output::say(format_args!("  left behind: container {container}"));
    }
    output::help(format_args!(
        "whatever it left in Docker: docker ps -a --filter label=windlass.run={run}; docker network ls and docker volume ls with the same filter"
    ));
    std::process::exit(i32::from(Exit::INTERRUPTED.0));
}
