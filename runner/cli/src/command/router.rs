//! `windlass router`: the traffic router, a process of its own.

mod addresses;
mod background;
mod start;
mod status;
mod stop;
mod sync;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use windlass_router::{Client, ClientError, DriverConfig};

use crate::args::{Format, JournalArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{environment, files};

/// Run the traffic router, and look at it
///
/// It is a process of its own, so that neither the end of a run nor that of a shell touches traffic. What it serves is said
/// by deployments; docs/router.md has the rest.
#[derive(Debug, Args)]
pub(crate) struct Router {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Start(start::Start),
    Status(status::Status),
    Stop(stop::Stop),
    Sync(sync::Sync),
    Upgrade(start::Upgrade),
}

/// Where the router's table and sockets are.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// The router's folder; else what WINDLASS_ROUTER says, else `router` in the nearest .windlass
    #[arg(long, value_name = "FOLDER")]
    router: Option<PathBuf>,
    #[command(flatten)]
    journal: JournalArg,
}

impl Place {
    /// What carries the traffic: a router in a folder, or a HAProxy.
    fn config(&self) -> Result<DriverConfig, CliError> {
        let named = self.router.clone().or_else(|| environment::value("WINDLASS_ROUTER").map(PathBuf::from));
        let named = match named.filter(|folder| !folder.as_os_str().is_empty()) {
            Some(named) => named,
            None => files::state(self.journal.within.as_deref())?.join(files::ROUTER),
        };
        if named.to_string_lossy().starts_with(HAPROXY) {
            return named.to_string_lossy().parse().map_err(|error: windlass_router::BadDriver| {
                CliError::usage(error.to_string(), "`windlass router status --help` shows where it is looked for")
            });
        }
        let folder = std::path::absolute(&named).map_err(|error| CliError::file(&named, &error, None))?;
        Ok(DriverConfig::Router { folder })
    }

    /// The folder of a router that is started and ended here, from the root.
    fn folder(&self) -> Result<PathBuf, CliError> {
        match self.config()? {
            DriverConfig::Router { folder } => Ok(folder),
            DriverConfig::Haproxy { socket, .. } => Err(CliError::usage(
                format!("HAProxy at {} is nobody's to start, replace or end but its own service's", socket.display()),
                "`windlass router status` and `sync` work with it; --router FOLDER names a router of Windlass",
            )),
        }
    }
}

/// What a HAProxy's name begins with.
const HAPROXY: &str = "haproxy:";

impl Router {
    /// Whom errors are for.
    pub(crate) fn format(&self) -> Format {
        match &self.what {
            What::Start(args) => args.format(),
            What::Upgrade(args) => args.format(),
            What::Status(args) => args.format.format,
            What::Stop(args) => args.format.format,
            What::Sync(args) => args.format.format,
        }
    }
}

/// Does it.
pub(crate) fn run(args: &Router) -> Result<Exit, CliError> {
    match &args.what {
        What::Start(args) => start::start(args),
        What::Upgrade(args) => start::upgrade(args),
        What::Status(args) => status::run(args),
        What::Stop(args) => stop::run(args),
        What::Sync(args) => sync::run(args),
    }
}

/// What a router did not do, for the person who asked.
fn failed(folder: &Path, error: ClientError) -> CliError {
    match error {
        ClientError::Unreachable { why, .. } if why.kind() == std::io::ErrorKind::PermissionDenied => {
            CliError::machine(
                format!("this user may not talk to the router in {}: {why}", folder.display()),
                "only the user who started it may; ask with that user, or let --router name a router of your own",
            )
        }
        ClientError::Unreachable { .. } => not_running(folder),
        ClientError::NoHaproxy { .. } => CliError::Machine { message: error.to_string(), help: None },
        other => CliError::Machine { message: other.to_string(), help: None },
    }
}

fn not_running(folder: &Path) -> CliError {
    CliError::machine(
        format!("no router runs in {}", folder.display()),
        "`windlass router start` starts one; --router names another folder",
    )
}

fn client(folder: &Path) -> Client {
    Client::new(folder)
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn a_router_of_somebody_else_is_not_said_to_be_away() {
        let unreachable = |kind| ClientError::Unreachable { socket: "/r/control.sock".into(), why: Error::from(kind) };
        let said = |error| failed(Path::new("/r"), error).to_string();
        assert!(said(unreachable(ErrorKind::PermissionDenied)).contains("may not talk to the router in /r"));
        assert_eq!(said(unreachable(ErrorKind::NotFound)), "no router runs in /r");
        assert_eq!(said(unreachable(ErrorKind::ConnectionRefused)), "no router runs in /r");
    }

    #[test]
    fn who_runs_haproxy_is_not_told_to_start_a_router() {
        let (socket, why) = ("/run/haproxy.sock".into(), Error::from(ErrorKind::ConnectionRefused));
        let error = failed(Path::new("/r"), ClientError::NoHaproxy { socket, why });
        assert!(error.to_string().contains("HAProxy does not answer"), "{error}");
        assert!(matches!(error, CliError::Machine { help: None, message } if !message.contains("router start")));
    }
}
