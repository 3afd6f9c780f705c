//! `windlass router`: the traffic router, a process of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use windlass_router::api::{Certificate, Listener, Stop, Tls};
use windlass_router::{Client, ClientError, Options, ServeError, serve};

use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{output, runtime};

/// Run the traffic router, and look at it
#[derive(Debug, Args)]
pub(crate) struct Router {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run the router here, until SIGTERM, `stop` or `upgrade`
    Start(Start),
    /// Run a new router here that takes over from the one that runs, without refusing a connection
    Upgrade(Start),
    /// Show services, revisions and their shares
    Status(Status),
    /// Let requests finish, and end the router
    Stop(End),
}

#[derive(Debug, Args)]
struct Place {
    /// The router's folder: its table and its sockets
    #[arg(long, value_name = "FOLDER", default_value = ".windlass/router")]
    folder: PathBuf,
}

#[derive(Debug, Args)]
struct Start {
    #[command(flatten)]
    place: Place,
    /// Listen here, as in 0.0.0.0:80, besides what the table says
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// Listen here with TLS, HTTP/2 and HTTP/1.1; needs --certificate and --key
    #[arg(long, value_name = "ADDRESS", requires = "certificate", requires = "key")]
    listen_tls: Vec<SocketAddr>,
    /// The certificate and its chain, PEM
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// How long requests may take to finish when the router ends
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain: u64,
    /// Write a JSON line for each request to this file
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Status {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    format: FormatArg,
}

#[derive(Debug, Args)]
struct End {
    #[command(flatten)]
    place: Place,
    /// How long requests may take to finish; as the router was started if it is not given
    #[arg(long, value_name = "SECONDS")]
    drain: Option<u64>,
}

impl Router {
    /// Whom errors are for.
    pub(crate) fn format(&self) -> Format {
        match &self.what {
            What::Status(args) => args.format.format,
            _ => Format::Human,
        }
    }
}

/// Does it.
pub(crate) fn run(args: &Router) -> Result<Exit, CliError> {
    match &args.what {
        What::Start(args) => start(args, false),
        What::Upgrade(args) => start(args, true),
        What::Status(args) => status(args),
        What::Stop(args) => stop(args),
    }
}

fn start(args: &Start, upgrade: bool) -> Result<Exit, CliError> {
    let mut listen: BTreeMap<SocketAddr, Listener> = args.listen.iter().map(|a| (*a, Listener::default())).collect();
    if let (Some(chain), Some(key)) = (&args.certificate, &args.key) {
        let certificate = Certificate { hosts: Vec::new(), chain: chain.clone(), key: key.clone() };
        let tls = Some(Tls { certificates: vec![certificate] });
        listen.extend(args.listen_tls.iter().map(|a| (*a, Listener { tls: tls.clone() })));
    }
    let options = Options {
        listen,
        drain_limit: Duration::from_secs(args.drain),
        access_log: args.access_log.clone(),
        upgrade,
        ready: Some(|health| output::say(format_args!("the router serves (process {})", health.pid))),
        ..Options::new(&args.place.folder)
    };
    serve(&options).map_err(|error| match error {
        ServeError::Refused(_) => {
            CliError::usage(error.to_string(), "`windlass router start --help` shows what it takes")
        }
        other => CliError::Machine { message: other.to_string(), help: None },
    })?;
    Ok(Exit::SUCCESS)
}

fn status(args: &Status) -> Result<Exit, CliError> {
    let state = runtime::small()?.block_on(client(&args.place.folder).state()).map_err(failed)?;
    if args.format.format == Format::Json {
        output::json(&state)?;
        return Ok(Exit::SUCCESS);
    }
    let mut text =
        format!("router {} (process {}), table {}\n", state.health.version, state.health.pid, state.health.generation);
    for (address, listener) in &state.listeners {
        text.push_str(&format!("listens at {address}{}\n", if listener.tls.is_some() { " with TLS" } else { "" }));
    }
    for (name, service) in &state.services {
        text.push_str(&format!("{name}, changed by {}\n", service.by));
        for (revision, r) in &service.revisions {
            text.push_str(&format!(
                "  {revision}: weight {} %, gets {} %, {} ready of {}, {} under way\n",
                r.weight,
                r.share,
                r.ready,
                r.endpoints.len(),
                r.in_flight
            ));
        }
    }
    output::text(&text)?;
    Ok(Exit::SUCCESS)
}

fn stop(args: &End) -> Result<Exit, CliError> {
    let stop = Stop { limit_ms: args.drain.map(|seconds| seconds.saturating_mul(1000)) };
    let health = runtime::small()?.block_on(client(&args.place.folder).stop(&stop)).map_err(failed)?;
    output::say(format_args!("the router (process {}) finishes what is under way, and ends", health.pid));
    Ok(Exit::SUCCESS)
}

fn client(folder: &Path) -> Client {
    Client::new(folder)
}

fn failed(error: ClientError) -> CliError {
    CliError::Machine { message: error.to_string(), help: None }
}
