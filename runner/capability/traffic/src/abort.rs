//! The way back: the previous revision serves everything again, and the failed one nothing.
//!
//! Made of journaled calls, each of which can be made twice, so an abort that was killed half-way is simply done again.
//! It goes on over what does not work: a replica that cannot be started again must not keep the others from serving.

use windlass_gate::api::Nothing;
use windlass_gate::api::docker::{Locate, StartAgain};
use windlass_gate::api::timer::Sleep;
use windlass_gate::api::traffic::{
    Abort, Drain, Endpoint, Read, ReplicaState, Restore, RevisionState, SetEndpoints, State,
};
use windlass_gate::{CallError, Session, Stop};
use windlass_journal::Stream;

/// Between two looks at whether the previous revision is ready.
const LOOK_MS: u64 = 100;
/// How often it is looked for: a replica that was started again may take this long, and the abort goes on without it.
const LOOKS: u32 = 300;

/// Aborts the deploy of a service. Fine if none of this run is open.
pub(crate) async fn abort(session: &mut Session, args: Abort) -> Result<Nothing, Stop> {
    let Abort { service, drain_ms } = args;
    let state = match session.call(&Read { service: service.clone() }).await {
        Err(Stop::Error(CallError::NotFound(_))) => return Ok(Nothing),
        state => state?,
    };
    let run = session.gate().run().run.clone();
    let Some(deployment) = state.deployment.clone().filter(|deployment| deployment.run == run) else {
        return Ok(Nothing);
    };
    if deployment.committed {
        return Err(CallError::Unsafe(format!(
            "revision `{}` of service `{service}` is committed: `windlass rollback {service}` goes back",
            deployment.revision
        ))
        .into());
    }
    if let Some(previous) = &deployment.previous
        && let Some(revision) = revision(&state, previous)
    {
        bring_back(session, &service, revision).await?;
    }
    session.call(&Restore { service: service.clone() }).await?;
    session.call(&Drain { service, revision: deployment.revision, container: None, limit_ms: drain_ms }).await?;
    Ok(Nothing)
}

fn revision<'a>(state: &'a State, name: &str) -> Option<&'a RevisionState> {
    state.revisions.iter().find(|revision| revision.name == name)
}

/// Starts the containers of the previous revision again, where they were stopped, and vouches for them.
async fn bring_back(session: &mut Session, service: &str, previous: &RevisionState) -> Result<(), Stop> {
    // What the router has out of sight counts as gone only when nothing is there to be started.
    let away: Vec<&ReplicaState> = previous.endpoints.iter().filter(|endpoint| !endpoint.serving).collect();
    let mut endpoints = Vec::new();
    let mut started = false;
    for endpoint in &previous.endpoints {
        if !away.iter().any(|away| away.id == endpoint.id) {
            endpoints.push(standing(endpoint, endpoint.address.clone(), true));
            continue;
        }
        match find(session, endpoint).await? {
            Ok((address, again)) => {
                started |= again;
                endpoints.push(standing(endpoint, address, true));
            }
            Err(why) => {
                session.log().line(
                    Stream::Log,
                    &format!(
                        "replica `{}` of revision `{}` cannot be brought back: {why}",
                        endpoint.container, previous.name
                    ),
                );
                endpoints.push(standing(endpoint, endpoint.address.clone(), false));
            }
        }
    }
    if away.is_empty() {
        return Ok(());
    }
    let set = SetEndpoints { service: service.to_owned(), revision: previous.name.clone(), endpoints };
    match session.call(&set).await {
        Ok(_) => {}
        // Whatever the router has against it, the traffic goes back all the same.
        Err(Stop::Error(why)) => {
            session.log().line(Stream::Log, &format!("revision `{}`: {why}", previous.name));
        }
        Err(stop) => return Err(stop),
    }
    if started {
        until_ready(session, service, previous).await?;
    }
    Ok(())
}

fn standing(endpoint: &ReplicaState, address: String, ready: bool) -> Endpoint {
    Endpoint { container: endpoint.container.clone(), id: endpoint.id.clone(), port: endpoint.port, address, ready }
}

/// Where a container is reached, and whether it had to be started; or why it is not there.
async fn find(session: &mut Session, endpoint: &ReplicaState) -> Result<Result<(String, bool), CallError>, Stop> {
    let locate = Locate { container: endpoint.container.clone(), port: endpoint.port };
    let located = match session.call(&locate).await {
        Ok(located) => located,
        Err(Stop::Error(error)) => return Ok(Err(error)),
        Err(stop) => return Err(stop),
    };
    if located.running && located.id == endpoint.id {
        return Ok(Ok((located.address, false)));
    }
    match session.call(&StartAgain { container: endpoint.container.clone() }).await {
        Ok(container) if container.id != endpoint.id => {
            return Ok(Err(CallError::NotFound("another container has its name by now".to_owned())));
        }
        Ok(_) => {}
        Err(Stop::Error(error)) => return Ok(Err(error)),
        Err(stop) => return Err(stop),
    }
    match session.call(&locate).await {
        Ok(located) if located.running => Ok(Ok((located.address, true))),
        Ok(located) => Ok(Err(CallError::Other(located.state))),
        Err(Stop::Error(error)) => Ok(Err(error)),
        Err(stop) => Err(stop),
    }
}

/// Until the router's own check has found the replicas that were started, as far as it makes one; not for ever.
async fn until_ready(session: &mut Session, service: &str, previous: &RevisionState) -> Result<(), Stop> {
    for _ in 0..LOOKS {
        let state = session.call(&Read { service: service.to_owned() }).await?;
        let ready = revision(&state, &previous.name).map_or(0, |revision| revision.ready);
        if usize::try_from(ready).unwrap_or(usize::MAX) >= previous.endpoints.len() {
            return Ok(());
        }
        session.call(&Sleep { milliseconds: LOOK_MS }).await?;
    }
    Ok(())
}
