//! What must hold of every table.

use super::entry::Entry;
use super::invalid;
use crate::api::{Listener, Refusal, Route, Service, Weight};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// Revisions of one service; the wheel has a byte for them.
const REVISIONS: usize = 200;
/// Replicas that a service can declare for full traffic.
const REPLICAS: u32 = 10_000;
/// Bytes that a strategy can leave in the table.
const DETAILS: usize = 64 << 10;

pub(super) fn listeners(listeners: &BTreeMap<SocketAddr, Listener>) -> Result<(), Refusal> {
    if listeners.len() > crate::process::SOCKETS {
        return Err(invalid("listeners", format!("more than {} of them", crate::process::SOCKETS)));
    }
    for (address, listener) in listeners {
        if address.port() == 0 {
            return Err(invalid(format!("listener {address}"), "port 0 is no address that a client could know"));
        }
        if listener.tls.as_ref().is_some_and(|tls| tls.certificates.is_empty()) {
            return Err(invalid(format!("listener {address}"), "TLS needs at least one certificate"));
        }
    }
    Ok(())
}

pub(super) fn entry(name: &str, entry: &Entry) -> Result<(), Refusal> {
    service(name, &entry.service)?;
    weights(name, entry)?;
    let place = format!("service {name}");
    if let Some(current) = entry.current.as_ref().filter(|r| !entry.service.revisions.contains_key(*r)) {
        return Err(invalid(place, format!("its current revision {current} is not there")));
    }
    let Some(reserved) = &entry.reserved else { return Ok(()) };
    let deployment = &reserved.deployment;
    for (what, text) in [("owner", &entry.owner), ("holder", &deployment.holder)] {
        if text.is_empty() || text.len() > 512 || text.chars().any(char::is_control) {
            return Err(invalid(&place, format!("the {what} {text:?} of its deployment is no name")));
        }
    }
    if !entry.service.revisions.contains_key(&deployment.revision) {
        return Err(invalid(place, format!("revision {} is being deployed, and is not there", deployment.revision)));
    }
    let details: usize = deployment.details.iter().map(|(k, v)| k.len() + v.len()).sum();
    if deployment.strategy.len() + details > DETAILS {
        return Err(invalid(place, format!("more than {DETAILS} bytes of details of its deployment")));
    }
    match &reserved.before {
        Some(_) if deployment.committed => Err(invalid(place, "its deployment is committed and could be aborted")),
        Some(before) if before.reserved.is_some() => Err(invalid(place, "it has two deployments")),
        Some(before) => self::entry(name, before),
        None => Ok(()),
    }
}

fn service(name: &str, service: &Service) -> Result<(), Refusal> {
    let place = format!("service {name}");
    is_name(&place, name)?;
    if !(1..=REPLICAS).contains(&service.replicas) {
        return Err(invalid(&place, format!("`replicas` must be from 1 to {REPLICAS}")));
    }
    if service.revisions.len() > REVISIONS {
        return Err(invalid(&place, format!("more than {REVISIONS} revisions")));
    }
    let mut containers = BTreeSet::new();
    for (revision, declared) in &service.revisions {
        is_name(&format!("{place}, revision"), revision)?;
        if declared.replicas.is_some_and(|replicas| !(1..=REPLICAS).contains(&replicas)) {
            let place = format!("{place}, revision {revision}");
            return Err(invalid(place, format!("`replicas` must be from 1 to {REPLICAS}")));
        }
        for endpoint in &declared.endpoints {
            let place = format!("{place}, revision {revision}, container {}", endpoint.container);
            is_name(&place, &endpoint.container)?;
            if endpoint.address.port() == 0 {
                return Err(invalid(place, "its address has port 0"));
            }
            if !containers.insert(&endpoint.container) {
                return Err(invalid(place, "the container is named twice: it would count as two replicas"));
            }
        }
    }
    for route in &service.routes {
        is_route(&place, route, service)?;
    }
    if let Some(header) = &service.override_header {
        let name = http::HeaderName::try_from(header.as_str())
            .map_err(|_| invalid(&place, format!("`override_header`: {header:?} is no name of a header")))?;
        if is_everybodys(name.as_str()) {
            let why =
                format!("`override_header`: {header} comes with ordinary requests: testers need one of their own");
            return Err(invalid(&place, why));
        }
    }
    if let Some(sticky) = &service.sticky {
        is_name(&format!("{place}, cookie"), &sticky.cookie)?;
    }
    let own = service.revisions.values().filter_map(|revision| revision.care.as_ref()?.health.as_ref());
    for health in service.health.iter().chain(own) {
        let place = format!("{place}, health");
        if health.interval_ms < 10 || health.timeout_ms < 1 || health.up_after < 1 || health.down_after < 1 {
            return Err(invalid(place, "`interval_ms` is at least 10, the others at least 1"));
        }
        if health.path.as_ref().is_some_and(|p| !p.starts_with('/') || http::Uri::try_from(p.as_str()).is_err()) {
            return Err(invalid(place, "`path` must begin with / and be a path of a URL"));
        }
    }
    Ok(())
}

/// Does a header come with requests of whoever has no revision in mind? (In lower case.)
fn is_everybodys(header: &str) -> bool {
    const NAMES: [&str; 27] = [
        "accept",
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "from",
        "host",
        "http2-settings",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "keep-alive",
        "origin",
        "pragma",
        "range",
        "referer",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    ];
    const FAMILIES: [&str; 5] = ["accept-", "proxy-", "sec-", "upgrade-", "x-forwarded-"];
    NAMES.contains(&header) || FAMILIES.iter().any(|family| header.starts_with(family))
}

/// Interlock: no weight above what its ready replicas carry, and all of them together all or nothing.
fn weights(name: &str, entry: &Entry) -> Result<(), Refusal> {
    let Entry { service, behind, lapsed, .. } = entry;
    let mut sum: u32 = 0;
    for (revision, declared) in &service.revisions {
        // Only containers that are declared ready count, whatever a file says.
        let vouched = declared.endpoints.iter().filter(|e| e.ready || lapsed.contains(&e.container));
        let ready = vouched.filter(|e| behind.get(revision).is_some_and(|b| b.contains(&e.container))).count();
        let ready = u32::try_from(ready).unwrap_or(u32::MAX);
        let cap = super::cap(service, declared, ready);
        if declared.weight > cap {
            return Err(Refusal::OverCapacity {
                service: name.to_owned(),
                revision: revision.clone(),
                weight: declared.weight,
                cap,
                ready,
                replicas: service.full(declared),
            });
        }
        sum += u32::from(declared.weight.as_units());
    }
    if sum != 0 && sum != u32::from(Weight::FULL.as_units()) {
        return Err(Refusal::WeightSum { service: name.to_owned(), sum: f64::from(sum) / 100.0 });
    }
    Ok(())
}

/// No two routes claim the same requests. `kept` are those of a service that an abort or a commit brings: they are
/// claimed against others.
pub(super) fn routes<'a>(
    services: impl Iterator<Item = (&'a str, &'a [Route])>,
    kept: impl Iterator<Item = (&'a str, &'a [Route])>,
) -> Result<(), Refusal> {
    let mut claimed: BTreeMap<(String, &str), Vec<(&str, &Route)>> = BTreeMap::new();
    let services = services.map(|(name, routes)| (name, routes, false));
    for (name, routes, kept) in services.chain(kept.map(|(name, routes)| (name, routes, true))) {
        for route in routes {
            let host = route.host.as_deref().unwrap_or("").to_ascii_lowercase();
            let others = claimed.entry((host, prefix(&route.path))).or_default();
            let clash = others.iter().filter(|(other, _)| !kept || *other != name).find(|(_, other)| {
                let (a, b) = (&route.listeners, &other.listeners);
                a.is_empty() || b.is_empty() || a.iter().any(|address| b.contains(address))
            });
            if let Some((first, _)) = clash {
                return Err(Refusal::RouteConflict {
                    first: (*first).to_owned(),
                    second: name.to_owned(),
                    route: format!("{}{}", route.host.as_deref().unwrap_or("*"), route.path),
                });
            }
            others.push((name, route));
        }
    }
    Ok(())
}

/// Without the slash at its end; the root is empty.
pub(crate) fn prefix(path: &str) -> &str {
    path.trim_end_matches('/')
}

fn is_route(place: &str, route: &Route, service: &Service) -> Result<(), Refusal> {
    if !route.path.starts_with('/') || http::uri::PathAndQuery::try_from(route.path.as_str()).is_err() {
        return Err(invalid(place, format!("the route {:?} must begin with / and be a path", route.path)));
    }
    if route.path.contains(['?', '#']) {
        return Err(invalid(place, format!("the route {:?} has a query: only paths are matched", route.path)));
    }
    if let Some(host) = &route.host
        && (host.is_empty() || http::uri::Authority::try_from(host.as_str()).is_err() || host.contains(['@', '*']))
    {
        return Err(invalid(place, format!("{host:?} is no host")));
    }
    if route.host.as_ref().is_some_and(|h| crate::run::bare_host(h) != h) {
        return Err(invalid(place, "a route's host has no port: `listeners` tells addresses apart"));
    }
    if let Some(revision) = route.revision.as_ref().filter(|r| !service.revisions.contains_key(*r)) {
        return Err(invalid(place, format!("its route previews revision {revision}, which it does not have")));
    }
    Ok(())
}

/// Names go into headers, cookies and messages.
fn is_name(place: &str, name: &str) -> Result<(), Refusal> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=128).contains(&name.len()) && name.chars().all(fine) {
        return Ok(());
    }
    Err(invalid(place, format!("{name:?} is no name: 1 to 128 letters, digits, '-', '_' and '.'")))
}
