//! A service in the table: what was declared, what stands behind it, and who has it.

use crate::api::{Deployment, Endpoint, Route, Service};
use crate::table::Readiness;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// A service, and how many replicas stand behind the weight of each revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) service: Service,
    /// The containers that stood ready when a revision's weight was given.
    pub(super) behind: BTreeMap<String, BTreeSet<String>>,
    /// Those of them that an abort brought back unready. Like one that falls ill, they take no weight
    /// away, and are no reason to give more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) lapsed: BTreeSet<String>,
    /// The pipeline that it belongs to; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) owner: String,
    /// The revision that was committed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) current: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reserved: Option<Reserved>,
}

/// A deployment under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reserved {
    pub(super) deployment: Deployment,
    /// What an abort goes back to; none: there was no such service, or there is no abort any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<Box<Entry>>,
    /// The routes that count once it is committed, when until then those do that the service had; none: no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) routes: Option<Vec<Route>>,
}

impl Entry {
    /// The service as it is declared now; `old` is what it was until now.
    pub(super) fn new(name: &str, service: Service, old: Option<&Self>, ready: &dyn Readiness) -> Self {
        let mut behind = BTreeMap::new();
        let mut lapsed = BTreeSet::new();
        for (revision, declared) in &service.revisions {
            let checked = service.health_of(declared).is_some();
            // A weight that is not raised stays allowed when replicas have fallen ill since: what is
            // left of them serves, and the service can still be changed. Raising it takes ready ones,
            // and so does everything that makes the same weight harder to carry.
            let before = old.and_then(|old| Some((old, old.service.revisions.get(revision)?)));
            let before = before
                .filter(|(old, r)| declared.weight <= r.weight && service.full(declared) <= old.service.full(r))
                .and_then(|(old, r)| Some((old, old.behind.get(revision)?, r)));
            let mut stand = BTreeSet::new();
            for endpoint in &declared.endpoints {
                let kept = before.filter(|(_, behind, r)| {
                    behind.contains(&endpoint.container) && r.endpoints.iter().any(|e| same(e, endpoint))
                });
                if endpoint.ready && (kept.is_some() || ready.is_ready(name, checked, endpoint)) {
                    stand.insert(endpoint.container.clone());
                } else if !endpoint.ready && kept.is_some_and(|(old, ..)| old.lapsed.contains(&endpoint.container)) {
                    stand.insert(endpoint.container.clone());
                    lapsed.insert(endpoint.container.clone());
                }
            }
            behind.insert(revision.clone(), stand);
        }
        let current = old.and_then(|old| old.current.clone()).filter(|c| service.revisions.contains_key(c));
        Self {
            behind,
            lapsed,
            owner: old.map(|old| old.owner.clone()).unwrap_or_default(),
            current,
            reserved: old.and_then(|old| old.reserved.clone()),
            service,
        }
    }

    /// The same, with containers that are reached elsewhere by now. They stand behind their weights as before: whether
    /// they answer there is for the router to see.
    pub(super) fn moved(&self, addresses: &BTreeMap<String, SocketAddr>) -> Self {
        let mut moved = self.clone();
        for endpoint in moved.service.revisions.values_mut().flat_map(|revision| &mut revision.endpoints) {
            if let Some(address) = addresses.get(&endpoint.container) {
                endpoint.address = *address;
            }
        }
        if let Some(before) = moved.reserved.as_mut().and_then(|reserved| reserved.before.as_mut()) {
            **before = before.moved(addresses);
        }
        moved
    }

    /// This entry again, after `now`: a container that has another address by now keeps it, since
    /// nothing listens at the old one, and is as ready as it is said to be there.
    pub(super) fn restored(&self, now: &Self) -> Self {
        let mut again = self.clone();
        for (revision, declared) in &mut again.service.revisions {
            for endpoint in &mut declared.endpoints {
                let mut all = now.service.revisions.values().flat_map(|r| &r.endpoints);
                let Some(newer) = all.find(|e| e.container == endpoint.container && e.address != endpoint.address)
                else {
                    continue;
                };
                *endpoint = newer.clone();
                if !newer.ready && again.behind.get(revision).is_some_and(|b| b.contains(&newer.container)) {
                    again.lapsed.insert(newer.container.clone());
                }
            }
        }
        again
    }

    /// The revision that gets everything, if one does.
    pub(super) fn serving_alone(&self) -> Option<&String> {
        let mut all = self.service.revisions.iter();
        all.find(|(_, r)| r.weight == crate::api::Weight::FULL).map(|(name, _)| name)
    }
}

fn same(one: &Endpoint, other: &Endpoint) -> bool {
    one.container == other.container && one.address == other.address
}
