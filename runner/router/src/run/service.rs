//! A service as requests see it: made anew by each of its changes, around the same endpoints.

use super::health::Checking;
use super::hold::Gate;
use super::wheel::{Stand, Wheel, shares};
use super::{Endpoint, Traffic};
use crate::api;
use crate::stats::Recorder;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) generation: u64,
    pub(crate) declared: api::Service,
    pub(crate) gate: Arc<Gate>,
    pub(crate) unserved: Arc<Recorder>,
    /// A tester names a revision in it.
    pub(crate) override_header: Option<http::HeaderName>,
    pub(super) revisions: Vec<Revision>,
    pub(super) wheel: ArcSwap<Wheel>,
}

#[derive(Debug)]
pub(crate) struct Revision {
    pub(crate) name: String,
    pub(crate) weight: api::Weight,
    replicas: Option<u32>,
    /// The router asks its replicas whether they are well.
    pub(crate) checked: bool,
    pub(crate) members: Vec<Member>,
    pub(super) next: AtomicUsize,
}

/// An endpoint in its revision.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) endpoint: Arc<Endpoint>,
    /// Its owner vouches for it.
    pub(crate) vouched: bool,
    /// What it is called elsewhere.
    pub(crate) called: (String, u16),
}

impl Service {
    pub(super) fn new(
        name: &str,
        declared: &api::Service,
        generation: u64,
        old: Option<&Self>,
        traffic: &Arc<Traffic>,
    ) -> Arc<Self> {
        let revisions: Vec<Revision> = declared
            .revisions
            .iter()
            .map(|(revision, r)| {
                let members = r.endpoints.iter().map(|endpoint| {
                    let member = member(name, declared, revision, r, endpoint, old, traffic);
                    if r.weight > api::Weight::ZERO && endpoint.ready {
                        member.endpoint.undrain();
                    }
                    member
                });
                Revision {
                    name: revision.clone(),
                    weight: r.weight,
                    replicas: r.replicas,
                    checked: declared.health_of(r).is_some(),
                    members: members.collect(),
                    next: AtomicUsize::new(0),
                }
            })
            .collect();
        let service = Self {
            name: name.to_owned(),
            generation,
            declared: declared.clone(),
            gate: old.map_or_else(|| Arc::new(Gate::new()), |old| Arc::clone(&old.gate)),
            unserved: traffic.books.recorder(name, "", ""),
            override_header: declared.override_header.as_ref().and_then(|h| h.parse().ok()),
            wheel: ArcSwap::from_pointee(Wheel::new(Vec::new())),
            revisions,
        };
        match old.filter(|old| old.names().eq(service.names()) && old.wheel.load().shares() == service.shares_now()) {
            // The same wheel turns on: what has changed does not touch the split.
            Some(old) => service.wheel.store(old.wheel.load_full()),
            None => service.refresh(),
        }
        Arc::new(service)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.revisions.iter().map(|r| r.name.as_str())
    }

    pub(crate) fn endpoints(&self) -> impl Iterator<Item = (&str, &Arc<Endpoint>)> {
        self.revisions.iter().flat_map(|r| r.members.iter().map(|m| (r.name.as_str(), &m.endpoint)))
    }

    pub(crate) fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    pub(crate) fn ready(&self, revision: &Revision) -> u32 {
        u32::try_from(revision.members.iter().filter(|m| m.is_ready(revision.checked)).count()).unwrap_or(u32::MAX)
    }

    /// How many ready replicas carry all traffic when it is this revision's.
    pub(crate) fn full(&self, revision: &Revision) -> u32 {
        revision.replicas.unwrap_or(self.declared.replicas)
    }

    pub(crate) fn cap(&self, revision: &Revision, ready: u32) -> api::Weight {
        api::Weight::cap(ready, self.full(revision))
    }

    /// What each revision gets now, in the order of the revisions.
    pub(crate) fn shares(&self) -> Vec<u16> {
        self.wheel.load().shares().to_vec()
    }

    fn shares_now(&self) -> Vec<u16> {
        let stands = self
            .revisions
            .iter()
            .map(|r| Stand { weight: r.weight.as_units(), cap: self.cap(r, self.ready(r)).as_units() });
        shares(&stands.collect::<Vec<_>>())
    }

    /// Works the shares out again, after the readiness of an endpoint has changed.
    pub(super) fn refresh(&self) {
        let shares = self.shares_now();
        if self.wheel.load().shares() != shares {
            self.wheel.store(Arc::new(Wheel::new(shares)));
        }
    }
}

impl Member {
    pub(crate) fn is_ready(&self, checked: bool) -> bool {
        self.vouched && self.endpoint.is_up(checked)
    }
}

fn member(
    service: &str,
    declared: &api::Service,
    revision: &str,
    r: &api::Revision,
    endpoint: &api::Endpoint,
    old: Option<&Service>,
    traffic: &Arc<Traffic>,
) -> Member {
    // New time limits take a new endpoint; but then nothing may be lost that is known of the old one.
    let waited = |old: &api::Service| old.revisions.get(revision).map(|r| old.timeouts_of(r).clone());
    let same = old.filter(|old| waited(&old.declared).as_ref() == Some(declared.timeouts_of(r)));
    let known = same.into_iter().flat_map(Service::endpoints).find(|(rev, e)| *rev == revision && e.is(endpoint));
    let is = known.map_or_else(
        || {
            let books = &traffic.books;
            let recorder = books.recorder(service, revision, &endpoint.container);
            // The table let it have weight, so it was ready when the table was made.
            let trusted = declared.health_of(r).is_none() || (endpoint.ready && r.weight > api::Weight::ZERO);
            Endpoint::new(endpoint, declared.timeouts_of(r), trusted, recorder, books.clock)
        },
        |(_, endpoint)| Arc::clone(endpoint),
    );
    match declared.health_of(r) {
        None => is.stop_checking(),
        Some(health) if is.checks(health) => {}
        Some(health) => is.check_with(Some(Checking::begin(health, service, &is, traffic))),
    }
    Member { endpoint: is, vouched: endpoint.ready, called: (endpoint.name.clone(), endpoint.port) }
}
