//! Choosing a revision and one of its endpoints for a request.

use super::endpoint::OUT;
use super::service::{Revision, Service};
use super::{Endpoint, Flight, Traffic};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// What is known of a request when an endpoint is chosen for it.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// A tester, or a preview route, names the revision: this one or none.
    pub(crate) chosen: Option<&'a str>,
    /// Its cookie names the revision that it saw before, which is taken while that has a share.
    pub(crate) sticky: Option<&'a str>,
    /// Endpoints that could not be reached.
    pub(crate) tried: &'a [Arc<Endpoint>],
    /// When it came.
    pub(crate) since: Instant,
}

/// Nobody can take the request; why, for the client.
#[derive(Debug, PartialEq)]
pub(crate) struct Unserved(pub(crate) String);

impl Service {
    /// Chooses; the name of the revision comes with it.
    pub(crate) fn pick(&self, asked: &Asked<'_>) -> Result<(String, Flight), Unserved> {
        let none = |why: String| Unserved(why);
        if let Some(name) = asked.chosen {
            let revision = self.revisions.iter().find(|r| r.name == name);
            let revision = revision.ok_or_else(|| none(format!("service {} has no revision {name}", self.name)))?;
            let flight = self.take(revision, asked);
            return flight
                .map(|f| (name.to_owned(), f))
                .ok_or_else(|| none(format!("revision {name} of service {} has no ready replica", self.name)));
        }
        let wheel = self.wheel.load();
        let stuck = asked.sticky.and_then(|name| self.revisions.iter().position(|r| r.name == name));
        let stuck = stuck.filter(|at| wheel.shares().get(*at).is_some_and(|share| *share > 0));
        if let Some(revision) = stuck.and_then(|at| self.revisions.get(at))
            && let Some(flight) = self.take(revision, asked)
        {
            return Ok((revision.name.clone(), flight));
        }
        let Some(turn) = wheel.next() else {
            return Err(none(format!("nothing serves {} at the moment", self.name)));
        };
        // The one whose turn it is; if all of its endpoints refuse connections, those that have a share.
        let first = self.revisions.get(turn).into_iter();
        let others =
            self.revisions.iter().enumerate().filter(|(at, _)| *at != turn && wheel.shares().get(*at) > Some(&0));
        for revision in first.chain(others.map(|(_, r)| r)) {
            if let Some(flight) = self.take(revision, asked) {
                return Ok((revision.name.clone(), flight));
            }
        }
        Err(none(format!("no replica of {} can be reached", self.name)))
    }

    /// The next ready endpoint of a revision, in turn.
    fn take(&self, revision: &Revision, asked: &Asked<'_>) -> Option<Flight> {
        let members = &revision.members;
        let start = revision.next.fetch_add(1, Ordering::Relaxed);
        (0..members.len())
            .filter_map(|i| members.get(start.wrapping_add(i) % members.len()))
            .filter(|m| m.is_ready(revision.checked) && !asked.tried.iter().any(|t| Arc::ptr_eq(t, &m.endpoint)))
            .find_map(|m| m.endpoint.begin(asked.chosen.is_some(), asked.since))
    }
}

impl Traffic {
    /// An endpoint could not be reached: remembers it, and takes the endpoint out if that was often.
    pub(crate) fn unreachable(self: &Arc<Self>, service: &str, endpoint: &Arc<Endpoint>) {
        if !endpoint.unreachable() {
            return;
        }
        self.refresh(service);
        // When its time is over it counts again; its own check, if it has one, may say otherwise.
        let (traffic, service) = (Arc::downgrade(self), service.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(OUT + std::time::Duration::from_millis(20)).await;
            if let Some(traffic) = traffic.upgrade() {
                traffic.refresh(&service);
            }
        });
    }
}
