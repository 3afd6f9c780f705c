//! After the commit: the previous revision finishes what it does and is kept, stopped; what is older goes. There is no way
//! back any more, so that what cannot be done is told and passed over: the next deploy does it.

use windlass_plugin::traffic::{self, Replica, State};
use windlass_plugin::{Failure, OrFail, docker, info, warn};

use crate::order::End;
use crate::present::{self, Mine};
use crate::replicas;

/// Ends a deploy that is committed.
///
/// # Errors
/// The reservation cannot be given back.
pub(crate) fn finish(service: &str, state: &State, last: Option<&str>, end: End) -> Result<(), Failure> {
    match present::containers(service, &state.revisions) {
        Ok(containers) => tidy(service, state, &containers, last, end),
        Err(failure) => warn!("old revisions of {service} stay as they are: {failure}"),
    }
    traffic::finish(service).or_fail_with(|| format!("end the deploy of `{service}`, which is committed"))
}

fn tidy(service: &str, state: &State, containers: &[Mine], last: Option<&str>, end: End) {
    let Some(serves) = state.current.as_deref() else { return };
    for (at, (revision, containers)) in present::old(containers, &state.revisions, serves, last).into_iter().enumerate()
    {
        if let Err(failure) = quiet(service, state, revision, end) {
            warn!("{revision} may still have requests: {failure}");
        }
        for container in containers.iter().filter(|container| container.up) {
            match docker::stop(&container.name, end.grace_ms) {
                Ok(()) => info!("stopped {}", container.name),
                Err(error) => warn!("cannot stop `{}`: {}", container.name, Failure::from(error)),
            }
        }
        if at < end.keep {
            continue;
        }
        let mut gone = true;
        for container in &containers {
            // By force: Docker's own restart may have come between.
            if let Err(error) = docker::remove(&container.name, true) {
                warn!("cannot remove `{}`: {}", container.name, Failure::from(error));
                gone = false;
            }
        }
        if gone && state.revision(revision).is_some() {
            match traffic::retire(service, revision) {
                Ok(_) => info!("{revision} is gone"),
                Err(error) => warn!("the router keeps {revision}: {}", Failure::from(error)),
            }
        }
    }
}

/// No new requests for a revision, and time for those that are under way.
fn quiet(service: &str, state: &State, revision: &str, end: End) -> Result<(), Failure> {
    let Some(seen) = state.revision(revision) else { return Ok(()) };
    let named = seen.endpoints.iter().filter(|endpoint| !endpoint.container.is_empty());
    let replicas: Vec<_> = named
        .map(|endpoint| Replica { container: endpoint.container.clone(), port: endpoint.port, ready: false })
        .collect();
    if !seen.endpoints.iter().any(|endpoint| endpoint.ready || endpoint.in_flight > 0) {
        return Ok(());
    }
    traffic::set_replicas(service, revision, &replicas)?;
    let drained = traffic::drain(service, revision, None, end.drain_ms)?;
    replicas::told(revision, &drained);
    Ok(())
}
