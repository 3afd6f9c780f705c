//! Which containers a revision consists of: found by their names, then told to the router.

use windlass_gate::api::docker::Locate;
use windlass_gate::api::traffic::Read;
use windlass_gate::api::traffic::{Endpoint, ReplicaState, SetEndpoints, SetReplicas, State};
use windlass_gate::{CallError, Session, Stop};

/// Finds each container, and tells the router.
pub(crate) async fn set(session: &mut Session, args: SetReplicas) -> Result<State, Stop> {
    let mut endpoints = Vec::with_capacity(args.replicas.len());
    let mut known: Option<Vec<ReplicaState>> = None;
    for replica in &args.replicas {
        let located = session.call(&Locate { container: replica.container.clone(), port: replica.port }).await?;
        let running = located.running && !located.address.is_empty() && !located.id.is_empty();
        let (id, address) = if running {
            (located.id, located.address)
        } else if replica.ready {
            return Err(CallError::Unsafe(format!(
                "container `{}` cannot take requests: {}",
                replica.container, located.state
            ))
            .into());
        } else {
            // One that is not vouched for may have ended: it stays where it was.
            if known.is_none() {
                let state = session.call(&Read { service: args.service.clone() }).await?;
                let revision = state.revisions.into_iter().find(|revision| revision.name == args.revision);
                known = Some(revision.map(|revision| revision.endpoints).unwrap_or_default());
            }
            match known.iter().flatten().find(|endpoint| endpoint.container == replica.container) {
                Some(endpoint) => (endpoint.id.clone(), endpoint.address.clone()),
                None => continue,
            }
        };
        endpoints.push(Endpoint {
            container: replica.container.clone(),
            id,
            port: replica.port,
            address,
            ready: replica.ready,
        });
    }
    session.call(&SetEndpoints { service: args.service, revision: args.revision, endpoints }).await
}
