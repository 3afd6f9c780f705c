//! The state: what the table declares, and what HAProxy makes of it.

use super::converge::share_of;
use super::seen::{Backend, Seen, Server, name, parts};
use crate::api::{
    Endpoint, EndpointState, Health, HealthCheck, Phase, Revision, RevisionState, Service, ServiceState, State, Weight,
};
use crate::table::{Table, cap};
use std::collections::BTreeMap;

/// Said of a server that is in the table alone.
const MISSING: &str = "HAProxy does not have it: `windlass router sync` adds it again after a reload";

pub(super) fn state(table: &Table, seen: &Seen, predecessor: bool) -> State {
    let none = Backend::default();
    let services = table.services().map(|(service, declared)| {
        let backend = seen.backend(service).unwrap_or(&none);
        (service.to_owned(), service_state(table, service, declared, backend))
    });
    State {
        health: Health {
            phase: Phase::Serving,
            pid: seen.pid,
            version: format!("HAProxy {}", seen.version),
            generation: table.generation(),
            up_ms: seen.up_ms,
            predecessor,
            // A HAProxy that was reloaded accepts no more from then on.
            shared: false,
        },
        listeners_generation: table.listeners_generation(),
        listeners: table.listeners().clone(),
        services: services.collect(),
    }
}

fn service_state(table: &Table, service: &str, declared: &Service, backend: &Backend) -> ServiceState {
    let mut revisions: BTreeMap<String, RevisionState> = BTreeMap::new();
    for (revision, what) in &declared.revisions {
        revisions.insert(revision.clone(), revision_state(declared, revision, what, backend));
    }
    // What has left the table stays until HAProxy has let it go.
    let gone = backend.servers.iter().filter_map(|(server, there)| Some((parts(server)?, there)));
    for ((revision, container), there) in gone {
        let in_table = |r: &Revision| r.endpoints.iter().any(|e| e.container == container);
        if declared.revisions.get(revision).is_some_and(in_table) {
            continue;
        }
        let state = revisions.entry(revision.to_owned()).or_insert_with(|| RevisionState {
            weight: Weight::ZERO,
            share: Weight::ZERO,
            cap: Weight::ZERO,
            replicas: 0,
            ready: 0,
            in_flight: 0,
            endpoints: Vec::new(),
        });
        state.in_flight += there.in_flight;
        state.endpoints.push(EndpointState {
            container: container.to_owned(),
            address: there.address.unwrap_or(std::net::SocketAddr::from(([0, 0, 0, 0], 0))),
            name: String::new(),
            port: 0,
            ready: false,
            because: Some("it has left the table".to_owned()),
            // Only when HAProxy could not be told yet.
            serving: there.weight > 0 && there.takes(),
            draining: there.draining || there.maintenance,
            in_flight: there.in_flight,
        });
    }
    let served = backend.servers.values().any(|s| s.weight > 0 && s.takes());
    let before = table.before(service).map(|before| {
        before.revisions.iter().map(|(name, revision)| (name.clone(), revision.endpoints.clone())).collect()
    });
    ServiceState {
        generation: table.service_generation(service),
        by: table.changed_by(service).unwrap_or_default().to_owned(),
        owner: table.owner(service).unwrap_or_default().to_owned(),
        current: table.current(service).map(str::to_owned),
        deployment: table.deployment(service).cloned(),
        before: before.unwrap_or_default(),
        declared: declared.clone(),
        revisions,
        // HAProxy gives the share of what is down to what is up.
        unserved: if served { Weight::ZERO } else { Weight::FULL },
        hold: None,
    }
}

fn revision_state(service: &Service, revision: &str, declared: &Revision, backend: &Backend) -> RevisionState {
    let there = |endpoint: &Endpoint| backend.servers.get(&name(revision, &endpoint.container));
    let endpoints: Vec<EndpointState> = declared
        .endpoints
        .iter()
        .map(|endpoint| {
            let because = why_unready(service.health_of(declared), endpoint, there(endpoint));
            let draining = there(endpoint).is_some_and(|t| t.draining);
            EndpointState {
                container: endpoint.container.clone(),
                address: endpoint.address,
                name: endpoint.name.clone(),
                port: endpoint.port,
                ready: because.is_none(),
                because: because.map(str::to_owned),
                serving: endpoint.ready && declared.weight > Weight::ZERO,
                draining,
                in_flight: there(endpoint).map_or(0, |t| t.in_flight),
            }
        })
        .collect();
    let ready = u32::try_from(endpoints.iter().filter(|e| e.ready).count()).unwrap_or(u32::MAX);
    let share: u32 = declared.endpoints.iter().filter_map(there).map(|s| share_of(s, backend)).sum();
    RevisionState {
        weight: declared.weight,
        share: Weight::units(u16::try_from(share).unwrap_or(10_000)),
        cap: cap(service, declared, ready),
        replicas: service.full(declared),
        ready,
        in_flight: endpoints.iter().map(|e| e.in_flight).sum(),
        endpoints,
    }
}

/// None: it is ready.
pub(super) fn why_unready(
    health: Option<&HealthCheck>,
    endpoint: &Endpoint,
    there: Option<&Server>,
) -> Option<&'static str> {
    if !endpoint.ready {
        return Some("it is not declared ready");
    }
    let Some(there) = there else { return Some(MISSING) };
    health.and_then(|health| there.why_down(health.path.is_some()))
}
