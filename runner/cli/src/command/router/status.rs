//! `windlass router status`.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use windlass_router::api::{Listener, Phase, RevisionState, ServiceState, State};

use super::{Place, failed};
use crate::args::{Format, FormatArg};
use crate::error::CliError;
use crate::exit::Exit;
use crate::{output, runtime};

/// Show what the router serves: revisions with their weights and shares, deployments, and what is not well
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pub(super) format: FormatArg,
}

pub(super) fn run(args: &Status) -> Result<Exit, CliError> {
    let config = args.place.config()?;
    let folder = config.folder();
    let state = runtime::small()?.block_on(config.driver().state()).map_err(|error| failed(folder, error))?;
    match args.format.format {
        Format::Json => output::json(&state)?,
        Format::Human => output::text(&human(&state, folder))?,
    }
    Ok(Exit::SUCCESS)
}

/// `0.0.0.0:443 (TLS)`.
pub(super) fn address(address: SocketAddr, listener: &Listener) -> String {
    format!("{address}{}", if listener.tls.is_some() { " (TLS)" } else { "" })
}

fn human(state: &State, folder: &Path) -> String {
    let health = &state.health;
    let up = humantime::format_duration(Duration::from_secs(health.up_ms / 1000));
    let mut text = format!("router {} (version {}), up {up}, in {}\n", health.pid, health.version, folder.display());
    let listeners: Vec<String> = state.listeners.iter().map(|(a, l)| address(*a, l)).collect();
    line(
        &mut text,
        format_args!("listens at {}", if listeners.is_empty() { "no address".into() } else { listeners.join(", ") }),
    );
    match health.phase {
        Phase::Serving => {}
        Phase::HandingOver => line(&mut text, format_args!("it is handing over to a new router")),
        Phase::Draining => line(&mut text, format_args!("it finishes what is under way, and ends")),
    }
    if health.predecessor {
        line(&mut text, format_args!("the router before it still finishes what it has under way"));
    }
    if state.services.is_empty() {
        line(&mut text, format_args!("\nno services"));
    }
    for (name, service) in &state.services {
        one(&mut text, name, service);
    }
    text
}

fn one(text: &mut String, name: &str, service: &ServiceState) {
    let owner = if service.owner.is_empty() { String::new() } else { format!(" (pipeline {})", service.owner) };
    let current = service.current.as_ref().map(|c| format!(", revision {c}")).unwrap_or_default();
    line(text, format_args!("\n{name}{owner}{current}"));
    for route in &service.declared.routes {
        let preview = route.revision.as_ref().map(|r| format!(", a preview of {r}")).unwrap_or_default();
        let listeners: Vec<String> = route.listeners.iter().map(|a| format!(" at {a}")).collect();
        let host = route.host.as_deref().unwrap_or("*");
        line(text, format_args!("  route {host}{}{}{preview}", route.path, listeners.join(",")));
    }
    if let Some(deployment) = &service.deployment {
        let strategy =
            if deployment.strategy.is_empty() { String::new() } else { format!(" ({})", deployment.strategy) };
        let previous = deployment.previous.as_ref().map(|p| format!(", after {p}")).unwrap_or_default();
        let committed = if deployment.committed { ", committed" } else { "" };
        line(
            text,
            format_args!("  run {} deploys {}{strategy}{previous}{committed}", deployment.holder, deployment.revision),
        );
    }
    if let Some(hold) = &service.hold {
        line(text, format_args!("  on hold: {} requests wait, {} ms at most", hold.waiting, hold.left_ms));
    }
    table(text, service);
    for (revision, state) in &service.revisions {
        for endpoint in &state.endpoints {
            // What has no weight is not expected to serve.
            let Some(because) = endpoint.because.as_ref().filter(|_| state.weight.as_units() > 0) else { continue };
            let called = if endpoint.name.is_empty() { &endpoint.container } else { &endpoint.name };
            line(text, format_args!("  {revision}: {called} at {} is unready: {because}", endpoint.address));
        }
    }
    if service.unserved.as_units() > 0 {
        let all = service.revisions.values().all(|r| r.weight.as_units() == 0);
        let why = if all { "no revision has a weight" } else { "no ready replica takes them" };
        line(text, format_args!("  {} % of its requests are answered 503: {why}", service.unserved));
    }
}

/// The revisions, in columns as wide as they have to be.
fn table(text: &mut String, service: &ServiceState) {
    let mut rows = vec![["revision", "weight", "share", "ready", "in flight"].map(str::to_owned).to_vec()];
    rows.extend(service.revisions.iter().map(|(name, revision)| row(name, revision, service)));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    for row in &rows {
        let _ = write!(text, "  {:<1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            let _ = write!(text, "  {cell:>width$}");
        }
        text.push('\n');
    }
}

fn row(name: &str, revision: &RevisionState, service: &ServiceState) -> Vec<String> {
    let deployed = service.deployment.as_ref().is_some_and(|d| d.revision == *name && !d.committed);
    let what = match service.current.as_deref() {
        Some(current) if current == name => " (current)",
        _ if deployed => " (new)",
        _ => "",
    };
    let ready = format!("{} of {}", revision.ready, revision.endpoints.len());
    let (weight, share) = (format!("{} %", revision.weight), format!("{} %", revision.share));
    vec![format!("{name}{what}"), weight, share, ready, revision.in_flight.to_string()]
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{what}");
}
