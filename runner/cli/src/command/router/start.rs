//! `windlass router start` and `upgrade`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use windlass_router::api::{Certificate, Listener, Refusal, Tls};
use windlass_router::{ClientError, Options, ServeError, serve};

use super::{Place, addresses, background, client, not_running};
use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{output, runtime};

/// Where a router listens that nobody has told.
const FIRST: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Start the router in the background, and wait until it serves
///
/// It outlives the shell and every run, and writes what it has to say to `router.log` in its folder. A router that was
/// killed comes back with the table that it had.
#[derive(Debug, Args)]
pub(crate) struct Start {
    #[command(flatten)]
    how: How,
}

/// Replace the router that runs by this version of it, without refusing a connection
///
/// The new one takes over the listening sockets and accepts; then the old one finishes what it has under way, WebSockets
/// too, and ends. If the new one cannot begin, the old one goes on.
#[derive(Debug, Args)]
pub(crate) struct Upgrade {
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
struct How {
    /// Listen here, as in 0.0.0.0:80; may be given more than once. Without it, where it listened
    /// before, at first 127.0.0.1:8080
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// Listen here with TLS, HTTP/2 and HTTP/1.1
    #[arg(long, value_name = "ADDRESS", requires = "certificate")]
    listen_tls: Vec<SocketAddr>,
    /// The certificate for it and its chain, PEM; as HOST=FILE for one host of several
    #[arg(long, value_name = "[HOST=]FILE", requires = "key", requires = "listen_tls")]
    certificate: Vec<String>,
    /// The private key of each certificate, PEM, in the same order
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Vec<PathBuf>,
    /// How many seconds requests may take to finish when the router ends or is replaced [default: 30,
    /// or as the router has it that is replaced]
    #[arg(long, value_name = "SECONDS")]
    drain: Option<u64>,
    /// Write a JSON line for each request to this file; one that is replaced need not be told again
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,
    /// Worker threads; else one for each processor
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Stay in the foreground, and end with Ctrl-C
    #[arg(long)]
    foreground: bool,
    /// How a router in the background is told what it is.
    #[arg(long, hide = true, requires = "foreground")]
    detached: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    format: FormatArg,
}

impl Start {
    pub(super) fn format(&self) -> Format {
        self.how.format()
    }
}

impl Upgrade {
    pub(super) fn format(&self) -> Format {
        self.how.format()
    }
}

impl How {
    fn format(&self) -> Format {
        // Whoever started it in the background reads what went wrong.
        if self.detached { Format::Json } else { self.format.format }
    }

    /// As arguments of another process, which may have another working folder.
    fn again(&self, folder: &Path) -> Result<Vec<String>, CliError> {
        let mut args = vec![format!("--router={}", text(folder)?)];
        args.extend(self.drain.map(|seconds| format!("--drain={seconds}")));
        args.extend(self.listen.iter().map(|address| format!("--listen={address}")));
        args.extend(self.listen_tls.iter().map(|address| format!("--listen-tls={address}")));
        args.extend(self.certificate.iter().map(|certificate| format!("--certificate={certificate}")));
        for key in &self.key {
            args.push(format!("--key={}", text(key)?));
        }
        if let Some(log) = &self.access_log {
            args.push(format!("--access-log={}", text(log)?));
        }
        args.extend(self.threads.map(|threads| format!("--threads={threads}")));
        Ok(args)
    }

    /// The listeners that are asked for.
    fn listeners(&self) -> Result<BTreeMap<SocketAddr, Listener>, CliError> {
        let mut listeners: BTreeMap<_, _> = self.listen.iter().map(|a| (*a, Listener::default())).collect();
        if self.certificate.len() != self.key.len() {
            return Err(CliError::usage(
                format!("{} certificates and {} keys do not go together", self.certificate.len(), self.key.len()),
                "give --key once for each --certificate, in the same order",
            ));
        }
        let certificates = self.certificate.iter().zip(&self.key).map(|(certificate, key)| {
            let (hosts, chain) = match certificate.split_once('=') {
                Some((host, chain)) => (vec![host.to_owned()], Path::new(chain)),
                None => (Vec::new(), Path::new(certificate)),
            };
            // The table keeps them, and the next router may be started elsewhere.
            Ok(Certificate { hosts, chain: absolute(chain)?, key: absolute(key)? })
        });
        let tls = Tls { certificates: certificates.collect::<Result<_, CliError>>()? };
        for address in &self.listen_tls {
            if listeners.insert(*address, Listener { tls: Some(tls.clone()) }).is_some() {
                return Err(CliError::usage(
                    format!("{address} cannot be listened at with TLS and without"),
                    "give it to --listen or to --listen-tls",
                ));
            }
        }
        Ok(listeners)
    }
}

pub(super) fn start(args: &Start) -> Result<Exit, CliError> {
    let folder = args.how.place.folder()?;
    if args.how.foreground {
        return here(&args.how, &folder, false);
    }
    // Mistakes are told before a process is started.
    args.how.listeners()?;
    background::start(&folder, "start", &args.how.again(&folder)?, args.how.format.format)
}

pub(super) fn upgrade(args: &Upgrade) -> Result<Exit, CliError> {
    let folder = args.how.place.folder()?;
    args.how.listeners()?;
    if args.how.foreground {
        return here(&args.how, &folder, true);
    }
    match runtime::small()?.block_on(client(&folder).health()) {
        Ok(_) => {}
        Err(error @ ClientError::Unreachable { .. }) => return Err(super::failed(&folder, error)),
        Err(_) => return Err(not_running(&folder)),
    }
    background::start(&folder, "upgrade", &args.how.again(&folder)?, args.how.format.format)
}

/// Is the router, until it ends.
fn here(how: &How, folder: &Path, upgrade: bool) -> Result<Exit, CliError> {
    if how.detached {
        background::leave_the_session();
    }
    let mut listen = how.listeners()?;
    let asked = !listen.is_empty();
    let stored = windlass_router::load(folder).map_err(|why| failed(&why.into()))?;
    if !asked && stored.listeners().is_empty() {
        listen.insert(FIRST, Listener::default());
    }
    let options = Options {
        listen,
        listen_only: asked,
        drain_limit: how.drain.map(Duration::from_secs),
        access_log: how.access_log.as_deref().map(absolute).transpose()?,
        threads: how.threads,
        upgrade,
        ready: Some(if how.detached { background::tell } else { say }),
        ..Options::new(folder)
    };
    addresses::keep(folder);
    serve(&options).map_err(|error| failed(&error))?;
    Ok(Exit::SUCCESS)
}

fn say(health: &windlass_router::api::Health) {
    output::say(format_args!("router {} serves", health.pid));
}

fn failed(error: &ServeError) -> CliError {
    let message = error.to_string();
    match error {
        ServeError::AlreadyRunning(folder) => CliError::usage(
            format!("a router runs in {} already", folder.display()),
            "`windlass router upgrade` replaces it, `windlass router stop` ends it, --router names another folder",
        ),
        ServeError::Refused(Refusal::Listen { .. }) => CliError::machine(
            message,
            "`--listen ADDRESS` listens elsewhere, and only there; ports below 1024 are for root, as a rule",
        ),
        ServeError::Refused(_) => CliError::usage(message, "`windlass router start --help` shows what it takes"),
        ServeError::Folder { .. } => CliError::machine(
            message,
            "the folder has to be yours to write, on a local disk, with a path of some 80 letters at most; --router names \
             another",
        ),
        _ => CliError::Machine { message, help: None },
    }
}

fn absolute(path: &Path) -> Result<PathBuf, CliError> {
    std::path::absolute(path).map_err(|error| CliError::file(path, &error, None))
}

fn text(path: &Path) -> Result<&str, CliError> {
    path.to_str().ok_or_else(|| CliError::usage(format!("{} is not UTF-8", path.display()), "name it otherwise"))
}
