//! From what is declared and what HAProxy has to the commands between them.

use super::seen::{Backend, Seen, Server, name, parts};
use super::spread::{Shares, nearest, roughly, spread};
use crate::api::{Endpoint, HealthCheck, Refusal, Service, Weight};
use std::collections::BTreeMap;

/// What HAProxy says when it has done what it was told.
pub(super) const FINE: [&str; 4] =
    ["New server registered.", "Server deleted.", "no need to change the addr", "IP changed from"];

/// Servers that are added get none of the defaults of those in the configuration: without these two,
/// HAProxy makes a new connection for every request.
const KEEP_ALIVE: &str = "pool-max-conn -1 pool-purge-delay 5s";

/// In the order in which they are done; nothing in it takes a request away from anybody.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    /// Servers that are missing, with weight 0, and addresses and checks of those that are there.
    pub(super) prepare: Vec<String>,
    /// Weights: first those that rise, then those that fall.
    pub(super) weigh: Vec<String>,
    /// Servers that have left the table, as `BACKEND/SERVER`: nothing new comes to them.
    pub(super) retire: Vec<String>,
    /// Those of them on which nothing is under way any more.
    pub(super) delete: Vec<String>,
}

impl Steps {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Can HAProxy do what is declared?
pub(super) fn check(service_name: &str, seen: &Seen) -> Result<(), Refusal> {
    let backend = seen.backend(service_name).ok_or_else(|| Refusal::Unsupported {
        what: format!("HAProxy has no backend {service_name}"),
        instead: format!("add `backend {service_name}` with `balance roundrobin` to its configuration, and reload it"),
    })?;
    let unsupported = |what: String, instead: &str| Err(Refusal::Unsupported { what, instead: instead.to_owned() });
    if !matches!(backend.algorithm.as_str(), "" | "roundrobin") {
        let what = format!("backend {service_name} has `balance {}`, which does not go by weights", backend.algorithm);
        return unsupported(what, "give it `balance roundrobin`");
    }
    if backend.mode == "tcp" {
        let what = format!("backend {service_name} has `mode tcp`, in which weights count connections");
        return unsupported(what, "give it `mode http`");
    }
    if let Some(server) = backend.strangers().next() {
        let what = format!(
            "server {server} of backend {service_name} takes a share that no revision has, and Windlass did not add it"
        );
        return unsupported(what, "take it out of the configuration, or make it a `backup`");
    }
    Ok(())
}

/// Are there weights for the split?
pub(super) fn check_split(service_name: &str, service: &Service) -> Result<(), Refusal> {
    let shares = shares(service);
    if spread(&shares).is_some() {
        return Ok(());
    }
    let asked = shares.iter().map(|(revision, (weight, _))| (revision.clone(), *weight)).collect();
    Err(Refusal::Inexpressible {
        service: service_name.to_owned(),
        asked: words(&asked),
        nearest: nearest(&shares).iter().map(words).collect::<Vec<_>>().join(" and "),
    })
}

fn words(split: &BTreeMap<String, Weight>) -> String {
    split.iter().map(|(revision, weight)| format!("{revision} {weight}")).collect::<Vec<_>>().join(", ")
}

fn shares(service: &Service) -> Shares {
    let vouched = |endpoints: &[Endpoint]| u32::try_from(endpoints.iter().filter(|e| e.ready).count()).unwrap_or(0);
    service.revisions.iter().map(|(name, r)| (name.clone(), (r.weight, vouched(&r.endpoints)))).collect()
}

/// What is between a service and its backend. Without a service everything of ours is to go.
pub(super) fn steps(service_name: &str, service: Option<&Service>, backend: &Backend) -> Steps {
    let mut steps = Steps::default();
    let mut weights: Vec<(&str, u32, u32)> = Vec::new();
    let wanted = service.map(wanted).unwrap_or_default();
    for (server, Wanted { endpoint, weight, health }) in &wanted {
        let at = format!("{service_name}/{server}");
        let there = backend.servers.get(server);
        match there {
            None => {
                let check = health.map_or_else(String::new, |h| {
                    format!(
                        " check inter {}ms fastinter {}ms downinter {}ms rise {} fall {}",
                        h.interval_ms, h.interval_ms, h.interval_ms, h.up_after, h.down_after
                    )
                });
                steps.prepare.push(format!("add server {at} {} weight 0 {KEEP_ALIVE}{check}", endpoint.address));
                steps.prepare.push(format!("enable server {at}"));
                if health.is_some() {
                    steps.prepare.push(format!("enable health {at}"));
                }
            }
            Some(there) => {
                if there.address != Some(endpoint.address) {
                    let (ip, port) = (endpoint.address.ip(), endpoint.address.port());
                    steps.prepare.push(format!("set server {at} addr {ip} port {port}"));
                }
                if health.is_none() && !there.check.is_empty() && there.status != "no check" {
                    // Nobody asks any more; what the check said last must not keep it down.
                    steps.prepare.push(format!("disable health {at}"));
                    steps.prepare.push(format!("set server {at} health up"));
                }
                // A drain goes on until there is weight again.
                if there.maintenance || (there.draining && *weight > 0) {
                    steps.prepare.push(format!("set server {at} state ready"));
                }
            }
        }
        weights.push((server.as_str(), there.map_or(0, |t| t.weight), *weight));
    }
    for (server, there) in backend.servers.iter().filter(|(s, _)| parts(s).is_some() && !wanted.contains_key(*s)) {
        let at = format!("{service_name}/{server}");
        weights.push((server.as_str(), there.weight, 0));
        if !there.maintenance && !there.draining {
            steps.retire.push(at.clone());
        }
        if there.in_flight == 0 {
            steps.delete.push(at);
        }
    }
    // The largest first up, the smallest first down: in between no revision gets more than it had or will have.
    weights.sort_by_key(|(_, _, to)| std::cmp::Reverse(*to));
    let rising = weights.iter().filter(|(_, from, to)| to > from);
    let falling = weights.iter().rev().filter(|(_, from, to)| to < from);
    let set = |(server, _, to): &(&str, u32, u32)| format!("set server {service_name}/{server} weight {to}");
    steps.weigh = rising.chain(falling).map(set).collect();
    steps
}

/// A server that is to be there.
struct Wanted<'a> {
    endpoint: &'a Endpoint,
    weight: u32,
    health: Option<&'a HealthCheck>,
}

/// The servers that are to be there.
fn wanted(service: &Service) -> BTreeMap<String, Wanted<'_>> {
    let spread = roughly(&shares(service));
    let mut wanted = BTreeMap::new();
    for (revision, declared) in &service.revisions {
        let mut weights = spread.get(revision).into_iter().flatten().copied();
        for endpoint in &declared.endpoints {
            let weight = if endpoint.ready { weights.next().unwrap_or(0) } else { 0 };
            let health = service.health_of(declared);
            wanted.insert(name(revision, &endpoint.container), Wanted { endpoint, weight, health });
        }
    }
    wanted
}

/// Is a server that the table has not in HAProxy? Then it has been reloaded or restarted.
pub(super) fn is_missing(service_name: &str, service: &Service, seen: &Seen) -> bool {
    let Some(backend) = seen.backend(service_name) else { return false };
    let there = |revision: &str, e: &Endpoint| backend.servers.contains_key(&name(revision, &e.container));
    service.revisions.iter().any(|(revision, r)| r.endpoints.iter().any(|e| !there(revision, e)))
}

/// Has HAProxy a server that is not in the table any more, and that nothing uses?
pub(super) fn has_left(service: Option<&Service>, backend: &Backend) -> bool {
    let in_table = |revision: &str, container: &str| {
        let revision = service.and_then(|s| s.revisions.get(revision));
        revision.is_some_and(|r| r.endpoints.iter().any(|e| e.container == container))
    };
    backend.servers.iter().any(|(server, there)| {
        there.in_flight == 0 && parts(server).is_some_and(|(revision, container)| !in_table(revision, container))
    })
}

/// Of a service's requests, how many of 10,000 each server gets now.
pub(super) fn share_of(server: &Server, backend: &Backend) -> u32 {
    let all: u32 = backend.servers.values().filter(|s| !s.backup && s.takes()).map(|s| s.weight).sum();
    if all == 0 || !server.takes() { 0 } else { server.weight * 10_000 / all }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{HealthCheck, Revision, Timeouts};

    /// A revision: its name, weight, and containers, of which some are ready.
    type Given<'a> = (&'a str, u8, &'a [(&'a str, bool)]);

    fn service(revisions: &[Given<'_>]) -> Service {
        let revisions = revisions.iter().map(|(name, weight, endpoints)| {
            let endpoints = endpoints.iter().enumerate().map(|(at, (container, ready))| Endpoint {
                container: (*container).to_owned(),
                address: std::net::SocketAddr::from(([10, 0, 0, u8::try_from(at).unwrap_or(0)], 80)),
                ready: *ready,
                name: String::new(),
                port: 0,
            });
            let revision =
                Revision { weight: Weight::percent(*weight), endpoints: endpoints.collect(), ..Revision::default() };
            ((*name).to_owned(), revision)
        });
        Service {
            routes: Vec::new(),
            replicas: 1,
            revisions: revisions.collect(),
            sticky: None,
            override_header: None,
            health: None,
            timeouts: Timeouts::default(),
        }
    }

    fn there(weight: u32, address: u8) -> Server {
        Server {
            address: Some(std::net::SocketAddr::from(([10, 0, 0, address], 80))),
            weight,
            status: "no check".to_owned(),
            ..Server::default()
        }
    }

    #[test]
    fn what_rises_comes_before_what_falls() {
        let shop = service(&[("v1", 5, &[("a", true)]), ("v2", 95, &[("b", true)])]);
        let servers = [("wl:v1:a", there(1, 0)), ("wl:v2:b", there(0, 0))].map(|(n, s)| (n.to_owned(), s));
        let backend = Backend { servers: servers.into(), ..Backend::default() };
        assert_eq!(steps("shop", Some(&shop), &backend).weigh, ["set server shop/wl:v2:b weight 19"]);
        let back = service(&[("v1", 100, &[("a", true)]), ("v2", 0, &[("b", true)])]);
        let servers = [("wl:v1:a", there(0, 0)), ("wl:v2:b", there(19, 0))].map(|(n, s)| (n.to_owned(), s));
        let backend = Backend { servers: servers.into(), ..Backend::default() };
        let weigh = steps("shop", Some(&back), &backend).weigh;
        assert_eq!(weigh, ["set server shop/wl:v1:a weight 1", "set server shop/wl:v2:b weight 0"]);
    }

    #[test]
    fn what_is_missing_is_added_without_weight_and_what_has_left_goes() {
        let mut shop = service(&[("v1", 100, &[("a", true), ("sick", false)])]);
        shop.health = Some(HealthCheck::default());
        let gone = [("wl:v0:x".to_owned(), Server { in_flight: 1, ..there(3, 7) }), ("theirs".to_owned(), there(1, 8))];
        let backend = Backend { servers: gone.into(), ..Backend::default() };
        let steps = steps("shop", Some(&shop), &backend);
        let add = format!(
            "add server shop/wl:v1:a 10.0.0.0:80 weight 0 {KEEP_ALIVE} check inter 1000ms fastinter 1000ms downinter 1000ms rise 1 fall 3"
        );
        assert_eq!(steps.prepare[..3], [add.as_str(), "enable server shop/wl:v1:a", "enable health shop/wl:v1:a"]);
        assert_eq!(steps.weigh, ["set server shop/wl:v1:a weight 1", "set server shop/wl:v0:x weight 0"]);
        assert_eq!((steps.retire, steps.delete), (vec!["shop/wl:v0:x".to_owned()], vec![]));
    }

    #[test]
    fn nothing_is_done_where_all_is_well() {
        let shop = service(&[("v1", 100, &[("a", true)])]);
        let backend = Backend { servers: [("wl:v1:a".to_owned(), there(1, 0))].into(), ..Backend::default() };
        assert!(steps("shop", Some(&shop), &backend).is_empty());
    }
}
