//! `windlass router sync`.

use clap::Args;
use serde_json::json;
use windlass_capability_docker::Docker;
use windlass_router::{ClientError, DriverConfig, Haproxy};

use super::{Place, addresses, failed};
use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{output, runtime, world};

/// Bring a HAProxy in line with the table again, after it or Docker was started anew
///
/// A HAProxy forgets the servers that Windlass has added when it reads its configuration again, and containers have other
/// addresses when Docker's daemon was started again. This gives HAProxy its servers back, where they are now, with
/// their weights. Every deploy does so, too; between deploys it belongs into what reloads HAProxy, or runs with --watch.
#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// Stay, and do so whenever it is needed, until Ctrl-C
    #[arg(long)]
    watch: bool,
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
    let haproxy = Haproxy::new(&socket, &folder);
    let docker = Docker::new(world::docker_config());
    runtime::small()?.block_on(async {
        let told = sync(&haproxy, &docker).await.map_err(|error| failed(&folder, error))?;
        tell(told, args.format.format)?;
        if !args.watch {
            return Ok(Exit::SUCCESS);
        }
        loop {
            tokio::time::sleep(addresses::PAUSE).await;
            match sync(&haproxy, &docker).await {
                Ok(0) => {}
                Ok(told) => tell(told, args.format.format)?,
                // It may be on its way back.
                Err(why) => tracing::warn!("HAProxy cannot be brought in line: {why}"),
            }
        }
    })
}

/// Returns how many commands it took.
async fn sync(haproxy: &Haproxy, docker: &Docker) -> Result<usize, ClientError> {
    // First the servers that it has forgotten, so that somebody serves; then where they are.
    let told = haproxy.sync().await?;
    addresses::look(haproxy, docker).await?;
    Ok(told + haproxy.sync().await?)
}

fn tell(told: usize, format: Format) -> Result<(), CliError> {
    match format {
        Format::Json => output::json(&json!({ "commands": told }))?,
        Format::Human if told == 0 => output::text("HAProxy was in line with the table\n")?,
        Format::Human => output::text(&format!("HAProxy is in line with the table again ({told} commands)\n"))?,
    }
    Ok(())
}
