//! `windlass router sync`.

use clap::Args;
use serde_json::json;
use windlass_router::{DriverConfig, Haproxy};

use super::{Place, failed};
use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{output, runtime};

/// Bring a HAProxy in line with the table again, after it was reloaded or started anew
///
/// A HAProxy forgets the servers that Windlass has added when it reads its configuration again. This gives them back, with
/// their weights. Every deploy does so, too; between deploys it belongs into what reloads HAProxy.
#[derive(Debug, Args)]
pub(crate) struct Sync {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pub(super) format: FormatArg,
}

pub(super) fn run(args: &Sync) -> Result<Exit, CliError> {
    let DriverConfig::Haproxy { socket, folder } = args.place.config()? else {
        return Err(CliError::usage(
            "the router of Windlass keeps its table by itself: there is nothing to bring in line",
            "for HAProxy: windlass router sync --router 'haproxy:/path/to/admin.sock?folder=/path'",
        ));
    };
    let synced = runtime::small()?.block_on(Haproxy::new(&socket, &folder).sync());
    let told = synced.map_err(|error| failed(&folder, error))?;
    match args.format.format {
        Format::Json => output::json(&json!({ "commands": told }))?,
        Format::Human if told == 0 => output::text("HAProxy was in line with the table\n")?,
        Format::Human => output::text(&format!("HAProxy is in line with the table again ({told} commands)\n"))?,
    }
    Ok(Exit::SUCCESS)
}
