//! What is there: the router's word for what serves, Docker's for the containers. No file says so, for a file drifts.

use std::collections::BTreeMap;

use windlass_plugin::docker::{self, Container};
use windlass_plugin::traffic::{self, Replica, RevisionState, State};
use windlass_plugin::{Failure, OrFail, Pair};

use crate::plan::Before;

/// The labels by which this plugin knows its containers again.
pub(crate) const SERVICE: &str = "deploy.service";
pub(crate) const REVISION: &str = "deploy.revision";
pub(crate) const REPLICA: &str = "deploy.replica";
/// When the deploy began, by the router's clock, in milliseconds.
pub(crate) const AT: &str = "deploy.at";
/// How the revision is served.
pub(crate) const SERVING: &str = "deploy.serving";

/// The host's own label; it shows it only of a container that was made behind another router than this run's.
const ROUTER: &str = "windlass.router";

/// A container of a service that this plugin made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mine {
    /// Its name in the pipeline.
    pub(crate) name: String,
    /// The revision.
    pub(crate) revision: String,
    /// Which of its replicas.
    pub(crate) replica: u32,
    /// When its deploy began.
    pub(crate) at: u64,
    /// It runs.
    pub(crate) up: bool,
    /// How its revision is served, as it was written down.
    pub(crate) serving: Option<String>,
    /// The router whose it is, if it is another than this run's: the service has a life of its own there.
    pub(crate) elsewhere: Option<String>,
}

/// What serves before a deploy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Previous {
    /// The revision.
    pub(crate) revision: String,
    /// Its containers, as they are vouched for now, those that are not ready first.
    pub(crate) replicas: Vec<Replica>,
    /// For the plan.
    pub(crate) before: Before,
}

/// How the service stands; none if it was never deployed.
///
/// # Errors
/// The router cannot be asked.
pub(crate) fn state(service: &str) -> Result<Option<State>, Failure> {
    match traffic::read(service) {
        Ok(state) => Ok(Some(state)),
        Err(traffic::Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error).or_fail_with(|| format!("ask how `{service}` stands")),
    }
}

/// The containers of a service behind this run's router, by revision and replica. `revisions` are those that it knows.
///
/// # Errors
/// Docker cannot be asked.
pub(crate) fn containers(service: &str, revisions: &[RevisionState]) -> Result<Vec<Mine>, Failure> {
    let mut all = everywhere(service, revisions)?;
    all.retain(|container| container.elsewhere.is_none());
    Ok(all)
}

/// The same, with those behind other routers.
///
/// # Errors
/// Docker cannot be asked.
pub(crate) fn everywhere(service: &str, revisions: &[RevisionState]) -> Result<Vec<Mine>, Failure> {
    let all = docker::list().or_fail_with(|| format!("look for the containers of `{service}`"))?;
    let mut mine: Vec<_> = all.iter().filter_map(|container| mine(container, service, revisions)).collect();
    mine.sort_by(|a, b| (&a.revision, a.replica).cmp(&(&b.revision, b.replica)));
    Ok(mine)
}

fn mine(container: &Container, service: &str, revisions: &[RevisionState]) -> Option<Mine> {
    // One that this run's router knows is its own, whatever it was called: its folder may have been moved.
    let known = || revisions.iter().flat_map(|revision| &revision.endpoints).any(|e| e.id == container.id);
    let label = |name: &str| container.labels.iter().find(|label| label.name == name).map(|Pair { value, .. }| value);
    if label(SERVICE)? != service || container.name.is_empty() {
        return None;
    }
    Some(Mine {
        name: container.name.clone(),
        revision: label(REVISION)?.clone(),
        replica: label(REPLICA).and_then(|number| number.parse().ok()).unwrap_or_default(),
        at: label(AT).and_then(|millis| millis.parse().ok()).unwrap_or_default(),
        up: container.is_up(),
        serving: label(SERVING).cloned(),
        elsewhere: label(ROUTER).filter(|_| !known()).cloned(),
    })
}

/// What serves now: the revision that was committed last, or the one that has the most of the traffic.
pub(crate) fn previous(state: &State, new: &str) -> Option<Previous> {
    let current = state.current.as_ref().and_then(|name| state.revision(name));
    let serving = || state.revisions.iter().filter(|r| r.weight > 0).max_by_key(|r| r.weight);
    let revision = current.or_else(serving).filter(|revision| revision.name != new)?;
    let mut endpoints: Vec<_> = revision.endpoints.iter().filter(|e| !e.container.is_empty()).collect();
    endpoints.sort_by_key(|endpoint| endpoint.ready);
    let replicas =
        endpoints.iter().map(|e| Replica { container: e.container.clone(), port: e.port, ready: true }).collect();
    let ready = endpoints.iter().filter(|endpoint| endpoint.ready).count();
    let before = Before { ready: u32::try_from(ready).unwrap_or(u32::MAX), carry: revision.replicas.max(1) };
    Some(Previous { revision: revision.name.clone(), replicas, before })
}

/// The revisions other than the one that serves, with their containers: `last` first, then the younger before the older.
pub(crate) fn old<'a>(
    containers: &'a [Mine],
    revisions: &'a [RevisionState],
    serves: &str,
    last: Option<&str>,
) -> Vec<(&'a str, Vec<&'a Mine>)> {
    let mut by_revision: BTreeMap<&str, Vec<&Mine>> = BTreeMap::new();
    for revision in revisions {
        by_revision.entry(&revision.name).or_default();
    }
    for container in containers {
        by_revision.entry(&container.revision).or_default().push(container);
    }
    by_revision.remove(serves);
    let mut old: Vec<_> = by_revision.into_iter().collect();
    let at = |containers: &[&Mine]| containers.iter().map(|container| container.at).max().unwrap_or_default();
    old.sort_by_key(|(name, containers)| (Some(*name) != last, std::cmp::Reverse(at(containers))));
    old
}

/// Where the service can be reached.
pub(crate) fn url(state: &State, wanted: &[String]) -> Option<String> {
    let address = wanted.first().or_else(|| state.listeners.first())?;
    // All addresses are no address to connect to.
    let address = address.replacen("0.0.0.0:", "127.0.0.1:", 1).replacen("[::]:", "[::1]:", 1);
    Some(format!("http://{address}"))
}

#[cfg(test)]
mod tests;
