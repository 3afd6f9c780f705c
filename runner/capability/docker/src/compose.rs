//! The composites: a plugin asks for one thing, the journal sees the primitives that it is made of.

use windlass_gate::api::docker::{
    Container, Create, Created, Exec, ExecCreate, ExecStart, Exit, Inspect, Lifetime, RemoveCreated, Run, Start,
    StartCreated, Wait,
};
use windlass_gate::{CallError, Function, Session, Stop};

/// Runs a container to its end and removes it; with `keep_failed`, one that has failed is left for a person to look at.
pub(crate) async fn run(session: &mut Session, args: Run, keep_failed: bool) -> Result<Exit, Stop> {
    let Run { spec, timeout_ms } = args;
    let create = Create { name: String::new(), spec, lifetime: Lifetime::Run };
    let Created { id } = created_and_started(session, &create).await?;
    let exit = session.call(&Wait { id: id.clone(), timeout_ms }).await;
    match exit {
        Err(Stop::Interrupt(interrupt)) => Err(interrupt.into()),
        Err(Stop::Error(error)) => {
            discard(session, id).await?;
            Err(error.into())
        }
        Ok(exit) => {
            // A replay does what the record says, whatever it was told.
            let recorded = session.is_recorded_next(Function::DockerRemoveCreated);
            if recorded.unwrap_or(exit.code == 0 || !keep_failed) {
                session.call(&RemoveCreated { id }).await?;
            }
            Ok(exit)
        }
    }
}

/// Makes and starts a container that goes on.
pub(crate) async fn start(session: &mut Session, args: Start) -> Result<Container, Stop> {
    let Start { name, spec, lifetime } = args;
    if name.is_empty() {
        return Err(
            CallError::Invalid("a container that goes on needs a name, by which it is found again".to_owned()).into()
        );
    }
    let create = Create { name: name.clone(), spec, lifetime };
    created_and_started(session, &create).await?;
    session.call(&Inspect { container: name }).await
}

/// Runs a command in a container.
pub(crate) async fn exec(session: &mut Session, args: Exec) -> Result<Exit, Stop> {
    let Exec { spec } = args;
    let container = spec.container.clone();
    let timeout_ms = spec.timeout_ms;
    let Created { id } = session.call(&ExecCreate { spec }).await?;
    session.call(&ExecStart { id, container, timeout_ms }).await
}

async fn created_and_started(session: &mut Session, create: &Create) -> Result<Created, Stop> {
    let mut made_again = false;
    loop {
        let created = session.call(create).await?;
        match session.call(&StartCreated { id: created.id.clone() }).await {
            Ok(_) => return Ok(created),
            // After a crash a container can be listed that the daemon then gives up: make it anew, once.
            Err(Stop::Error(CallError::NotFound(why))) if !made_again && why.contains("No such container") => {
                made_again = true
            }
            Err(Stop::Error(error)) => {
                discard(session, created.id).await?;
                return Err(error.into());
            }
            Err(Stop::Interrupt(interrupt)) => return Err(interrupt.into()),
        }
    }
}

/// Removes what is of no use any more. The error that made it so is the one to tell.
async fn discard(session: &mut Session, id: String) -> Result<(), Stop> {
    match session.call(&RemoveCreated { id }).await {
        Err(Stop::Interrupt(interrupt)) => Err(interrupt.into()),
        Ok(_) | Err(Stop::Error(_)) => Ok(()),
    }
}
