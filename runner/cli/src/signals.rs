//! Ctrl-C and SIGTERM: the first ends the run in good order, a second one, somewhat later, ends it at once.

#![allow(clippy::disallowed_methods, reason = "the second signal ends the process, whatever it is doing")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use windlass_engine::Cancel;

use crate::error::CliError;
use crate::exit::Exit;
use crate::{left_behind, output};

/// Signals so soon after the first are the same request: `timeout` sends its signal to the process and to its group.
const SAME_REQUEST: Duration = Duration::from_millis(500);

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
        let mut first: Option<Instant> = None;
        for signal in &mut signals {
            if first.is_some_and(|first| first.elapsed() < SAME_REQUEST) {
                continue;
            }
            if cancel.is_cancelled() {
                give_up(&run, &state);
            }
            first = Some(Instant::now());
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
