//! `windlass router`: the traffic router, a process of its own.

mod background;
mod start;
mod status;
mod stop;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use windlass_router::{Client, ClientError};

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
    /// The folder, from the root.
    fn folder(&self) -> Result<PathBuf, CliError> {
        let named = self.router.clone().or_else(|| environment::value("WINDLASS_ROUTER").map(PathBuf::from));
        let folder = match named.filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => folder,
            None => files::state(self.journal.within.as_deref())?.join(files::ROUTER),
        };
        std::path::absolute(&folder).map_err(|error| CliError::file(&folder, &error, None))
    }
}

impl Router {
    /// Whom errors are for.
    pub(crate) fn format(&self) -> Format {
        match &self.what {
            What::Start(args) => args.format(),
            What::Upgrade(args) => args.format(),
            What::Status(args) => args.format.format,
            What::Stop(args) => args.format.format,
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
    }
}

/// What a router did not do, for the person who asked.
fn failed(folder: &Path, error: ClientError) -> CliError {
    match error {
        ClientError::Unreachable { .. } => not_running(folder),
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
