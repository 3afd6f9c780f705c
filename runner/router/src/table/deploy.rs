//! Deployments: a service is reserved for one run, from `begin` to `abort` or `finish`.
//!
//! What was there at the beginning is kept until the new revision is committed, so that an abort
//! needs nobody to remember anything, and is possible from wherever the deployment stands.

use super::entry::{Entry, Reserved};
use super::{Readiness, Stamped, Table, expect, invalid, unknown};
use crate::api::{Apply, Care, Change, Deployment, Endpoint, Intent, Refusal, Revision, Route, Service, Weight};
use std::collections::BTreeMap;

impl Table {
    /// Has this run begun this deployment already? Then there is nothing to do, whoever asks again.
    pub(super) fn has_begun(&self, apply: &Apply) -> bool {
        let Change::Begin { name, owner, deployment: intent, .. } = &apply.change else { return false };
        let entry = self.services.get(name).map(|s| &s.value).filter(|entry| entry.owner == *owner);
        entry.and_then(|entry| entry.reserved.as_ref()).is_some_and(|reserved| {
            apply.holder.as_ref() == Some(&reserved.deployment.holder)
                && reserved.deployment.revision == intent.revision
        })
    }

    /// May whoever asks change this service in this way, now?
    pub(super) fn admit(&self, apply: &Apply) -> Result<(), Refusal> {
        let Some(name) = apply.change.service() else { return Ok(()) };
        if let Change::Addresses { .. } = &apply.change {
            // It takes nothing from anybody.
            return Ok(());
        }
        let Some(entry) = self.services.get(name).map(|s| &s.value) else { return Ok(()) };
        if let Change::Begin { owner, .. } = &apply.change
            && !entry.owner.is_empty()
            && entry.owner != *owner
        {
            return Err(Refusal::Owned { service: name.into(), owner: entry.owner.clone(), asked: owner.clone() });
        }
        let Some(Reserved { deployment, .. }) = &entry.reserved else { return Ok(()) };
        let Deployment { holder, revision, .. } = deployment;
        if apply.holder.as_ref() != Some(holder) {
            let (service, holder, revision) = (name.into(), holder.clone(), revision.clone());
            return Err(Refusal::Reserved { service, holder, revision });
        }
        match &apply.change {
            Change::Begin { .. } => Err(out_of_turn(
                name,
                format!(
                    "run {holder} deploys revision {revision} of it: abort or finish that before another one begins"
                ),
            )),
            Change::Service { .. } | Change::RemoveService { .. } => Err(out_of_turn(
                name,
                "while it is being deployed it can neither be declared anew nor be removed: abort or finish the \
                 deployment",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn deploy(&mut self, apply: &Apply, ready: &dyn Readiness) -> Result<(), Refusal> {
        let Some(name) = apply.change.service() else { return Ok(()) };
        expect(&format!("service {name}"), apply.expect, self.service_generation(name))?;
        let old = self.services.get(name).map(|s| &s.value);
        let next = match &apply.change {
            Change::Begin { owner, deployment, service, .. } => {
                let holder = apply.holder.as_deref().unwrap_or_default();
                Some(begin(name, holder, owner, deployment, service, old, ready)?)
            }
            Change::Addresses { addresses, .. } => Some(old.ok_or_else(|| unknown(name))?.moved(addresses)),
            Change::Retire { revision, .. } => Some(retire(name, revision, old.ok_or_else(|| unknown(name))?, ready)?),
            change => {
                let old = old.ok_or_else(|| unknown(name))?;
                let reserved = old.reserved.as_ref().ok_or_else(|| Refusal::NotBegun { service: name.to_owned() })?;
                in_deployment(name, change, old, reserved, ready)?
            }
        };
        match next {
            Some(value) => {
                let stamped = Stamped { generation: self.generation, by: apply.by.clone(), value };
                self.services.insert(name.to_owned(), stamped);
            }
            None => {
                self.services.remove(name);
            }
        }
        Ok(())
    }
}

fn begin(
    name: &str,
    holder: &str,
    owner: &str,
    intent: &Intent,
    service: &Service,
    old: Option<&Entry>,
    ready: &dyn Readiness,
) -> Result<Entry, Refusal> {
    if holder.is_empty() {
        return Err(invalid("holder", "a deployment needs the run that holds it"));
    }
    if owner.is_empty() {
        return Err(invalid("owner", "a deployment needs the pipeline that the service belongs to"));
    }
    if !service.revisions.is_empty() {
        return Err(invalid(
            format!("service {name}"),
            "a deployment begins without `revisions`: those that are there stay, and `endpoints` gives it new ones",
        ));
    }
    let mut service = service.clone();
    let mut routes = None;
    if let Some(old) = old.map(|old| &old.service) {
        service.revisions = old.revisions.clone();
        for revision in service.revisions.values_mut() {
            revision.replicas = Some(old.full(revision));
            let care = Care { health: old.health_of(revision).cloned(), timeouts: old.timeouts_of(revision).clone() };
            revision.care = Some(care);
        }
        if old.serves() {
            routes = Some(keep_routes(name, &mut service, old)?);
        }
    }
    service.revisions.entry(intent.revision.clone()).or_default();
    let mut entry = Entry::new(name, service, old, ready);
    // A service that was declared by hand has no current revision, but one may have all of its traffic.
    let previous = old.and_then(|old| old.current.as_ref().or_else(|| old.serving_alone())).cloned();
    entry.owner = owner.to_owned();
    entry.reserved = Some(Reserved {
        deployment: Deployment::new(holder, intent, previous),
        before: old.map(|old| Box::new(old.clone())),
        routes,
    });
    Ok(entry)
}

/// Requests come as they did, and by the new previews, until the new revision is committed. Returns the routes that
/// count then.
fn keep_routes(name: &str, service: &mut Service, old: &Service) -> Result<Vec<Route>, Refusal> {
    let is_plain = |route: &&Route| route.revision.is_none();
    let later: Vec<Route> = service.routes.iter().filter(is_plain).cloned().collect();
    let now: Vec<Route> = old.routes.iter().filter(is_plain).cloned().collect();
    if later.is_empty() && !now.is_empty() {
        let why = "it has routes, and would have none: nobody could reach it";
        return Err(invalid(format!("service {name}"), why));
    }
    service.routes.retain(|route| route.revision.is_some());
    service.routes.extend(now);
    Ok(later)
}

/// What the holder of a deployment does in it; none: the service goes away.
fn in_deployment(
    name: &str,
    change: &Change,
    old: &Entry,
    reserved: &Reserved,
    ready: &dyn Readiness,
) -> Result<Option<Entry>, Refusal> {
    let Deployment { revision, committed, .. } = &reserved.deployment;
    Ok(match change {
        Change::Endpoints { revision, replicas, endpoints, .. } => {
            Some(set_endpoints(name, revision, *replicas, endpoints, old, ready)?)
        }
        Change::Commit { .. } => Some(commit(name, revision, old)?),
        Change::Abort { .. } if *committed => {
            let why = format!("revision {revision} is committed: `windlass rollback` goes back to another one");
            return Err(out_of_turn(name, why));
        }
        Change::Abort { .. } => reserved.before.as_ref().map(|before| before.restored(old)),
        Change::Finish { .. } if !*committed => {
            return Err(out_of_turn(name, format!("revision {revision} is not committed yet: commit or abort it")));
        }
        Change::Finish { .. } => Some(Entry { reserved: None, ..old.clone() }),
        // The others are no part of a deployment.
        _ => Some(old.clone()),
    })
}

fn set_endpoints(
    name: &str,
    revision: &str,
    replicas: Option<u32>,
    endpoints: &[Endpoint],
    old: &Entry,
    ready: &dyn Readiness,
) -> Result<Entry, Refusal> {
    let mut service = old.service.clone();
    let before = old.reserved.as_ref().and_then(|reserved| reserved.before.as_ref());
    let served = before.and_then(|before| before.service.revisions.get(revision)).filter(|r| r.weight > Weight::ZERO);
    if let Some(served) = served {
        let known = |e: &Endpoint| served.endpoints.iter().any(|s| s.container == e.container && s.port == e.port);
        if let Some(other) = endpoints.iter().find(|e| !known(e)) {
            let Endpoint { container, port, .. } = other;
            let why = format!(
                "revision {revision} served when the deployment began, not by port {port} of container {container}: \
                 until another one is committed it keeps its containers and their ports, since an abort goes back to them"
            );
            return Err(out_of_turn(name, why));
        }
    }
    let is_deployed = old.reserved.as_ref().is_some_and(|reserved| reserved.deployment.revision == revision);
    let revision = service.revisions.entry(revision.to_owned()).or_default();
    // A revision that is deployed again, by other containers than before, has the settings of this deployment.
    let is_there = |e: &Endpoint| revision.endpoints.iter().any(|there| there.container == e.container);
    if is_deployed && !endpoints.is_empty() && !endpoints.iter().any(is_there) {
        revision.care = None;
    }
    *revision = Revision { replicas, endpoints: endpoints.to_vec(), ..std::mem::take(revision) };
    Ok(Entry::new(name, service, Some(old), ready))
}

fn commit(name: &str, revision: &str, old: &Entry) -> Result<Entry, Refusal> {
    let weight = old.service.revisions.get(revision).map(|r| r.weight).unwrap_or_default();
    if weight != Weight::FULL {
        let why = format!("revision {revision} has {weight} % of the traffic: it takes all of it to be committed");
        return Err(out_of_turn(name, why));
    }
    let mut next = old.clone();
    next.service.routes.retain(|route| route.revision.is_none());
    next.current = Some(revision.to_owned());
    if let Some(reserved) = &mut next.reserved {
        reserved.deployment.committed = true;
        reserved.before = None;
        if let Some(routes) = reserved.routes.take() {
            next.service.routes = routes;
        }
    }
    Ok(next)
}

fn retire(name: &str, revision: &str, old: &Entry, ready: &dyn Readiness) -> Result<Entry, Refusal> {
    if let Some(Reserved { deployment, .. }) = old.reserved.as_ref().filter(|r| !r.deployment.committed) {
        let why = format!(
            "revision {} is not committed yet, and an abort would need what is there: commit or abort it first",
            deployment.revision
        );
        return Err(out_of_turn(name, why));
    }
    if old.current.as_deref() == Some(revision) {
        return Err(out_of_turn(name, format!("revision {revision} is its current one")));
    }
    let mut service = old.service.clone();
    let retired = service
        .revisions
        .remove(revision)
        .ok_or_else(|| Refusal::UnknownRevision { service: name.to_owned(), revision: revision.to_owned() })?;
    if retired.weight > Weight::ZERO {
        let what = format!("revision {revision} of service {name}");
        return Err(Refusal::Serving { what, why: format!("it has weight {}", retired.weight) });
    }
    Ok(Entry::new(name, service, Some(old), ready))
}

/// New weights; a revision that is not named gets 0.
pub(super) fn weigh(
    name: &str,
    weights: &BTreeMap<String, Weight>,
    old: &Entry,
    ready: &dyn Readiness,
) -> Result<Entry, Refusal> {
    let mut service = old.service.clone();
    if let Some(revision) = weights.keys().find(|r| !service.revisions.contains_key(*r)) {
        return Err(Refusal::UnknownRevision { service: name.to_owned(), revision: revision.clone() });
    }
    for (revision, declared) in &mut service.revisions {
        declared.weight = weights.get(revision).copied().unwrap_or_default();
    }
    if let Some(Reserved { deployment, .. }) = &old.reserved {
        if !deployment.downtime && old.service.serves() && !service.serves() {
            return Err(Refusal::Downtime { service: name.to_owned() });
        }
        let weight = service.revisions.get(&deployment.revision).map(|r| r.weight).unwrap_or_default();
        if deployment.committed && weight != Weight::FULL {
            let why = format!(
                "revision {} is committed, so it keeps all of the traffic: going back takes another deployment",
                deployment.revision
            );
            return Err(out_of_turn(name, why));
        }
    }
    Ok(Entry::new(name, service, Some(old), ready))
}

fn out_of_turn(service: &str, why: impl Into<String>) -> Refusal {
    Refusal::OutOfTurn { service: service.to_owned(), why: why.into() }
}
