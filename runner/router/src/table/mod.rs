//! The routing table: a value that is right or is not there.
//!
//! Its fields are private, and it changes only by [`Table::apply`], which checks the whole of what
//! comes out. A table that is read from disk passes the same checks. So there is no way to hold one
//! whose weights are more than its ready replicas carry.

mod check;
mod deploy;
mod entry;

pub(crate) use check::prefix;

use crate::api::{Applied, Apply, Change, Deployment, Endpoint, Listener, Refusal, Revision, Service, Weight};
use entry::Entry;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

/// Identities that are remembered, so that a repeated call finds what it had done.
const REMEMBERED: usize = 512;

/// Listeners and services, and who made them so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    generation: u64,
    listeners: Stamped<BTreeMap<SocketAddr, Listener>>,
    services: BTreeMap<String, Stamped<Entry>>,
    applied: VecDeque<Done>,
}

/// With the generation in which it changed last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stamped<T> {
    generation: u64,
    by: String,
    value: T,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    by: String,
    change: Change,
    generation: u64,
}

/// Which endpoints are ready now, as the router sees them.
pub trait Readiness {
    /// Is this container of this service ready, if its owner vouches for it?
    fn is_ready(&self, service: &str, health_check: bool, endpoint: &Endpoint) -> bool;
}

impl<F: Fn(&str, bool, &Endpoint) -> bool> Readiness for F {
    fn is_ready(&self, service: &str, health_check: bool, endpoint: &Endpoint) -> bool {
        self(service, health_check, endpoint)
    }
}

impl Table {
    /// Makes the table that the change leads to. The second value is the answer; when it says
    /// `repeated`, the table is the same as before.
    pub fn apply(&self, apply: &Apply, ready: &dyn Readiness) -> Result<(Self, Applied), Refusal> {
        if apply.by.is_empty() || apply.by.len() > 512 {
            return Err(invalid("by", "an identity of 1 to 512 bytes is needed"));
        }
        if let Some(done) = self.applied.iter().find(|done| done.by == apply.by) {
            if done.change != apply.change {
                return Err(Refusal::IdentityReused { by: apply.by.clone() });
            }
            return Ok((self.clone(), Applied { generation: done.generation, repeated: true }));
        }
        if self.has_begun(apply) {
            let generation = apply.change.service().map_or(0, |name| self.service_generation(name));
            return Ok((self.clone(), Applied { generation, repeated: true }));
        }
        let mut next = self.clone();
        next.generation += 1;
        next.change(apply, ready)?;
        next.check()?;
        let done = Done { by: apply.by.clone(), change: apply.change.clone(), generation: next.generation };
        next.applied.push_back(done);
        while next.applied.len() > REMEMBERED {
            next.applied.pop_front();
        }
        Ok((next.clone(), Applied { generation: next.generation, repeated: false }))
    }

    fn change(&mut self, apply: &Apply, ready: &dyn Readiness) -> Result<(), Refusal> {
        self.admit(apply)?;
        let (generation, by) = (self.generation, apply.by.clone());
        match &apply.change {
            Change::Listeners { listeners } => {
                expect("the listeners", apply.expect, self.listeners.generation)?;
                self.listeners = Stamped { generation, by, value: listeners.clone() };
            }
            Change::RemoveService { name } => {
                expect(&format!("service {name}"), apply.expect, self.service_generation(name))?;
                self.services.remove(name).ok_or_else(|| unknown(name))?;
            }
            Change::Service { name, service } => {
                expect(&format!("service {name}"), apply.expect, self.service_generation(name))?;
                let value = Entry::new(name, (**service).clone(), self.services.get(name).map(|s| &s.value), ready);
                self.services.insert(name.clone(), Stamped { generation, by, value });
            }
            Change::Weights { name, weights } => {
                expect(&format!("service {name}"), apply.expect, self.service_generation(name))?;
                let old = self.services.get(name).ok_or_else(|| unknown(name))?;
                let value = deploy::weigh(name, weights, &old.value, ready)?;
                self.services.insert(name.clone(), Stamped { generation, by, value });
            }
            Change::Begin { .. }
            | Change::Endpoints { .. }
            | Change::Commit { .. }
            | Change::Abort { .. }
            | Change::Retire { .. }
            | Change::Finish { .. }
            | Change::Addresses { .. } => self.deploy(apply, ready)?,
        }
        Ok(())
    }

    /// The newest change.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The newest change of the listeners.
    #[must_use]
    pub fn listeners_generation(&self) -> u64 {
        self.listeners.generation
    }

    /// The newest change of a service; 0 when there is none.
    #[must_use]
    pub fn service_generation(&self, name: &str) -> u64 {
        self.services.get(name).map_or(0, |s| s.generation)
    }

    /// Who changed a service last.
    #[must_use]
    pub fn changed_by(&self, name: &str) -> Option<&str> {
        self.services.get(name).map(|s| s.by.as_str())
    }

    /// What to listen at.
    #[must_use]
    pub fn listeners(&self) -> &BTreeMap<SocketAddr, Listener> {
        &self.listeners.value
    }

    /// One service.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.get(name).map(|s| &s.value.service)
    }

    /// All services, by name.
    pub fn services(&self) -> impl Iterator<Item = (&str, &Service)> {
        self.services.iter().map(|(name, s)| (name.as_str(), &s.value.service))
    }

    /// How many ready replicas stood behind a revision's weight when it was given.
    #[must_use]
    pub fn behind(&self, service: &str, revision: &str) -> u32 {
        let behind = self.services.get(service).and_then(|s| s.value.behind.get(revision));
        behind.map_or(0, |containers| u32::try_from(containers.len()).unwrap_or(u32::MAX))
    }

    /// The pipeline that a service belongs to, if one has it.
    #[must_use]
    pub fn owner(&self, service: &str) -> Option<&str> {
        self.entry(service).map(|e| e.owner.as_str()).filter(|owner| !owner.is_empty())
    }

    /// The revision of a service that was committed last.
    #[must_use]
    pub fn current(&self, service: &str) -> Option<&str> {
        self.entry(service)?.current.as_deref()
    }

    /// The deployment of a service that is under way.
    #[must_use]
    pub fn deployment(&self, service: &str) -> Option<&Deployment> {
        self.entry(service)?.reserved.as_ref().map(|r| &r.deployment)
    }

    /// What an abort of the deployment that is under way goes back to.
    #[must_use]
    pub fn before(&self, service: &str) -> Option<&Service> {
        self.entry(service)?.reserved.as_ref()?.before.as_ref().map(|entry| &entry.service)
    }

    fn entry(&self, service: &str) -> Option<&Entry> {
        self.services.get(service).map(|s| &s.value)
    }

    /// Everything that must hold, whatever led here.
    pub fn check(&self) -> Result<(), Refusal> {
        check::listeners(&self.listeners.value)?;
        for (name, stamped) in &self.services {
            check::entry(name, &stamped.value)?;
        }
        let now = self.services().map(|(name, service)| (name, service.routes.as_slice()));
        // What an abort brings back has to have its place still, and so has what a commit brings.
        let kept = self.services.iter().flat_map(|(name, stamped)| {
            let reserved = stamped.value.reserved.as_ref();
            let before = reserved.and_then(|r| r.before.as_ref()).map(|before| before.service.routes.as_slice());
            let later = reserved.and_then(|r| r.routes.as_deref());
            before.into_iter().chain(later).map(|routes| (name.as_str(), routes))
        });
        check::routes(now, kept)
    }
}

/// The highest weight that so many ready replicas of a revision carry.
pub(crate) fn cap(service: &Service, revision: &Revision, ready: u32) -> Weight {
    Weight::cap(ready, service.full(revision))
}

fn expect(what: &str, expected: u64, current: u64) -> Result<(), Refusal> {
    if expected == current {
        return Ok(());
    }
    Err(Refusal::Stale { what: what.to_owned(), expected, current })
}

fn unknown(service: &str) -> Refusal {
    Refusal::UnknownService { service: service.to_owned() }
}

fn invalid(place: impl Into<String>, why: impl Into<String>) -> Refusal {
    Refusal::Invalid { place: place.into(), why: why.into() }
}
