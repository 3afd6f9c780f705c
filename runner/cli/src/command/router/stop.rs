//! `windlass router stop`.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::json;
use windlass_router::api;

use super::{Place, client, failed};
use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{output, runtime};

/// Let requests finish, and end the router
///
/// It listens no more at once, and ends when the last request has ended or the time for it is over.
#[derive(Debug, Args)]
pub(crate) struct Stop {
    /// How many seconds requests may take to finish; else what the router was started with
    #[arg(long, value_name = "SECONDS")]
    drain: Option<u64>,
    /// Do not wait for the end
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pub(super) format: FormatArg,
}

pub(super) fn run(args: &Stop) -> Result<Exit, CliError> {
    let folder = args.place.folder()?;
    let limit_ms = args.drain.map(|seconds| seconds.saturating_mul(1000));
    let health = runtime::small()?.block_on(async {
        let health = client(&folder).stop(&api::Stop { limit_ms }).await?;
        if !args.no_wait {
            ended(&folder, health.pid).await;
        }
        Ok(health)
    });
    let health = health.map_err(|error| failed(&folder, error))?;
    match args.format.format {
        Format::Json => output::json(&json!({ "pid": health.pid, "ended": !args.no_wait }))?,
        Format::Human if args.no_wait => {
            output::text(&format!("router {}: finishes what is under way, and ends\n", health.pid))?;
        }
        Format::Human => output::text(&format!("router {}: ended\n", health.pid))?,
    }
    Ok(Exit::SUCCESS)
}

/// Returns when this process serves the folder no more. It has its own limit.
async fn ended(folder: &Path, pid: u32) {
    let client = client(folder);
    while client.health().await.is_ok_and(|health| health.pid == pid) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // A moment later it has given the folder free.
    let process = Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX));
    for _ in 0..250 {
        if kill(process, None).is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
