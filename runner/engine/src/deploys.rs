//! Deploys that a step has left open: whatever became of it, the previous revision serves again.
//!
//! A strategy aborts its own deploys when something goes wrong. This is for the rest: a plugin that trapped, ran out of
//! time or was cancelled, and one that simply forgot.

use std::sync::Arc;
use std::time::Duration;

use windlass_gate::api::traffic::{Abort, Finish, Open, OpenService, Placed};
use windlass_gate::{Authority, CallError, Session, SessionOptions, Stop};
use windlass_journal::{Record, StepIndex};

use crate::run::{Origin, Shared};

/// How long requests to a failed revision may take to finish.
const DRAIN_MS: u64 = 10_000;
/// How long the whole may take: stopped replicas start again, and requests finish.
const LONGEST: Duration = Duration::from_secs(120);
/// The host's first session is that of the clean-up.
const AFTER_FIRST: u32 = 2;

/// What was found open at the end of a run.
#[derive(Default)]
pub(crate) struct Ends {
    /// What could not be ended, in words.
    pub(crate) left: Vec<String>,
    /// The services whose deploy nobody had committed.
    pub(crate) uncommitted: Vec<String>,
    /// Why the router could not be told, if that is what went wrong: whoever resumes the run tells it.
    pub(crate) unreachable: Option<String>,
}

/// How the end of one deploy went.
enum End {
    Done,
    /// Nobody there to be told.
    Unreachable(String),
    Failed,
}

/// After a step that has not succeeded: ends at once what it had begun. If the run dies meanwhile, what is left is done at
/// its end.
pub(crate) async fn after_step(shared: &Shared, step: StepIndex) {
    if !may_be_open(shared) {
        return;
    }
    let mut session = session(shared, AFTER_FIRST.saturating_add(step.0));
    let work = async {
        for service in open(shared, &mut session).await.into_iter().flatten() {
            if service.step == step.0 {
                // What could not be done is tried again, and told, at the end of the run.
                let _ = end(shared, &mut session, &service).await;
            }
        }
    };
    let _ = tokio::time::timeout(LONGEST, work).await;
}

/// At the end of the run: ends whatever is still open.
pub(crate) async fn after_all(shared: &Shared) -> Ends {
    let mut ends = Ends::default();
    if !may_be_open(shared) {
        return ends;
    }
    // Asked anew by each process that comes so far: that the router was away is no answer for the next one. Everything that
    // is done here can be done twice.
    let before = shared.run.before().map_or(0, |before| before.resumed + 1);
    let session = &mut session(shared, u32::MAX - before);
    let services = match open(shared, session).await {
        Ok(services) => services,
        Err(CallError::Unavailable(why)) => {
            ends.unreachable = Some(why);
            return ends;
        }
        Err(_) => {
            ends.left.push("deploys that may still be open, since the router cannot be asked".to_owned());
            return ends;
        }
    };
    for service in services {
        let name = service.service.clone();
        match tokio::time::timeout(LONGEST, end(shared, session, &service)).await {
            Ok(End::Done) if !service.committed => ends.uncommitted.push(name),
            Ok(End::Done) => {}
            Ok(End::Unreachable(why)) => {
                ends.left.push(format!("the deploy of service {name}"));
                ends.unreachable = Some(why);
            }
            Ok(End::Failed) => ends.left.push(format!("the deploy of service {name}")),
            Err(_) => {
                notice(shared, format!("ending the deploy of service {name} took more than {LONGEST:?}"));
                ends.left.push(format!("the deploy of service {name}"));
            }
        }
    }
    ends
}

fn session(shared: &Shared, attempt: u32) -> Session {
    let options = SessionOptions {
        step: StepIndex::HOST,
        attempt,
        authority: Authority::Host,
        max_calls: u64::MAX,
        max_log: 1 << 20,
        playback: None,
        repeat_in_doubt: false,
    };
    Session::new(Arc::clone(&shared.run.gate), options)
}

/// The containers that the router's table names: they are none of the clean-up's.
pub(crate) async fn placed(shared: &Shared, session: &mut Session) -> Vec<String> {
    if !may_be_open(shared) {
        return Vec::new();
    }
    // If the router cannot be asked, the guard still keeps what serves.
    session.call(&Placed {}).await.unwrap_or_default()
}

/// Whether this run has moved traffic, or may have.
pub(crate) fn may_be_open(shared: &Shared) -> bool {
    !matches!(shared.run.origin, Origin::Offline(_)) && shared.run.gate.has_acted("traffic")
}

async fn open(shared: &Shared, session: &mut Session) -> Result<Vec<OpenService>, CallError> {
    session.call(&Open {}).await.map_err(|why| {
        notice(shared, format!("which deploys are still open cannot be found out: {why}"));
        match why {
            Stop::Error(error) => error,
            Stop::Interrupt(interrupt) => CallError::Other(interrupt.to_string()),
        }
    })
}

/// What is committed stays, everything else goes back.
async fn end(shared: &Shared, session: &mut Session, open: &OpenService) -> End {
    let OpenService { service, environment, committed, .. } = open;
    session.set_environment(environment.clone());
    let ended = if *committed {
        session.call(&Finish { service: service.clone() }).await
    } else {
        session.call(&Abort { service: service.clone(), drain_ms: DRAIN_MS }).await
    };
    match ended {
        Ok(_) if *committed => End::Done,
        Ok(_) => {
            notice(shared, format!("the deploy of service {service} was aborted: the previous revision serves"));
            End::Done
        }
        Err(why) => {
            notice(shared, format!("the deploy of service {service} could not be ended: {why}"));
            match why {
                Stop::Error(CallError::Unavailable(why)) => End::Unreachable(why),
                _ => End::Failed,
            }
        }
    }
}

fn notice(shared: &Shared, message: String) {
    shared.run.gate.journal().append(Record::Notice { step: None, message });
}
