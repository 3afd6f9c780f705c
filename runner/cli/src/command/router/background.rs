//! A router in the background: started, waited for, and left alone.
//!
//! The child is this program again. It leaves the terminal's session, writes its log to a file, and
//! says on its standard output, which is a pipe to the parent, that it serves or why it does not.

#![allow(clippy::disallowed_methods, reason = "starts the router's process, and makes its log")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use windlass_router::api::{Health, State};

use super::{client, failed};
use crate::args::Format;
use crate::error::CliError;
use crate::exit::Exit;
use crate::{output, runtime};

/// What the router logs unless it is told otherwise.
const LOGGED: &str = "warn,windlass_router=info";
/// An old router that goes on accepting for longer is one that cannot say that it has stopped.
const HANDOVER: Duration = Duration::from_secs(10);

/// In the parent: starts it and waits until it serves.
pub(super) fn start(folder: &Path, what: &str, args: &[String], format: Format) -> Result<Exit, CliError> {
    let log = folder.join("router.log");
    let machine = |error: std::io::Error| {
        CliError::machine(format!("cannot write {}: {error}", log.display()), "--router names another folder")
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(machine)?;
    let file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&log).map_err(machine)?;
    let failed_to_start = |error: std::io::Error| {
        CliError::machine(
            format!("the router's process cannot be started: {error}"),
            "is this program still in its place?",
        )
    };
    let program = std::env::current_exe().map_err(failed_to_start)?;
    let mut command = Command::new(program);
    command.args(["--color=never", "--log", LOGGED, "router", what, "--foreground", "--detached"]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
    let mut child = command.spawn().map_err(failed_to_start)?;
    let mut said = String::new();
    if let Some(out) = child.stdout.take() {
        // A line that is cut off is as good as none.
        let _ = BufReader::new(out.take(1 << 20)).read_line(&mut said);
    }
    match serde_json::from_str::<Value>(&said) {
        Ok(said) if said.get("error").is_some() => Err(refused(&said["error"], &log)),
        Ok(_) => told(folder, what, &log, format),
        Err(_) => {
            Err(CliError::machine("the router ended before it served", format!("{} has what it said", log.display())))
        }
    }
}

/// In the child: the end of the terminal is not its own.
pub(super) fn leave_the_session() {
    // It fails for a process that leads a group already, which a terminal's end does not touch either.
    let _ = nix::unistd::setsid();
}

/// In the child: it serves.
pub(super) fn tell(health: &Health) {
    // Whoever has started it may have gone; the router serves all the same.
    let _ = output::json(health);
}

fn refused(error: &Value, log: &Path) -> CliError {
    let text = |name: &str| error[name].as_str().map(str::to_owned);
    let message = text("message").unwrap_or_else(|| format!("the router did not start; {} has more", log.display()));
    let help = text("help");
    if error["exit-code"] == Exit::USAGE.0 {
        return CliError::Usage { message, help };
    }
    CliError::Machine { message, help }
}

fn told(folder: &Path, what: &str, log: &Path, format: Format) -> Result<Exit, CliError> {
    let state = runtime::small()?.block_on(async {
        let client = client(folder);
        let began = Instant::now();
        loop {
            let state = client.state().await.map_err(|error| failed(folder, error))?;
            if !state.health.shared || began.elapsed() > HANDOVER {
                return Ok::<_, CliError>(state);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })?;
    let State { health, listeners, .. } = &state;
    if format == Format::Json {
        output::json(&json!({
            "pid": health.pid, "version": health.version, "router": folder, "log": log,
            "listeners": listeners, "predecessor": health.predecessor,
        }))?;
        return Ok(Exit::SUCCESS);
    }
    let addresses: Vec<String> = listeners.iter().map(|(a, l)| super::status::address(*a, l)).collect();
    let mut text = format!("router {}: listens at {}\n", health.pid, addresses.join(", "));
    if what == "upgrade" {
        text.push_str(if health.shared {
            "the router before it may still accept connections besides; they are served as well\n"
        } else if health.predecessor {
            "the router before it accepts no more, and finishes what it has under way\n"
        } else {
            "the router before it has ended\n"
        });
    }
    output::text(&text)?;
    Ok(Exit::SUCCESS)
}
