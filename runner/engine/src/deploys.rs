//! Deploys that a step has left open: whatever became of it, the previous revision serves again.
//!
//! A strategy aborts its own deploys when something goes wrong. This is for the rest: a plugin that trapped, ran out of
//! time or was cancelled, and one that simply forgot.

use std::sync::Arc;
use std::time::Duration;

use windlass_gate::api::traffic::{Abort, Finish, Open, OpenService, Placed};
use windlass_gate::{Authority, Session, SessionOptions};
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
}

/// After a step that has not succeeded: ends at once what it had begun. If the run dies meanwhile, what is left is done at
/// its end.
pub(crate) async fn after_step(shared: &Shared, step: StepIndex) {
    if !may_be_open(shared) {
        return;
    }
    let options = SessionOptions {
        step: StepIndex::HOST,
        attempt: AFTER_FIRST.saturating_add(step.0),
        authority: Authority::Host,
        max_calls: u64::MAX,
        max_log: 1 << 20,
        playback: None,
        repeat_in_doubt: false,
    };
    let mut session = Session::new(Arc::clone(&shared.run.gate), options);
    let work = async {
        for service in open(shared, &mut session).await.unwrap_or_default() {
            if service.step == step.0 {
                // What could not be done is tried again, and told, at the end of the run.
                let _ = end(shared, &mut session, &service).await;
            }
        }
    };
    let _ = tokio::time::timeout(LONGEST, work).await;
}

/// At the end of the run: ends whatever is still open.
pub(crate) async fn after_all(shared: &Shared, session: &mut Session) -> Ends {
    let mut ends = Ends::default();
    if !may_be_open(shared) {
        return ends;
    }
    let Some(services) = open(shared, session).await else {
        ends.left.push("deploys that may still be open, since the router cannot be asked".to_owned());
        return ends;
    };
    for service in services {
        let name = service.service.clone();
        match tokio::time::timeout(LONGEST, end(shared, session, &service)).await {
            Ok(true) if !service.committed => ends.uncommitted.push(name),
            Ok(true) => {}
            Ok(false) => ends.left.push(format!("the deploy of service {name}")),
            Err(_) => {
                notice(shared, format!("ending the deploy of service {name} took more than {LONGEST:?}"));
                ends.left.push(format!("the deploy of service {name}"));
            }
        }
    }
    session.set_environment(None);
    ends
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

async fn open(shared: &Shared, session: &mut Session) -> Option<Vec<OpenService>> {
    session
        .call(&Open {})
        .await
        .map_err(|why| notice(shared, format!("which deploys are still open cannot be found out: {why}")))
        .ok()
}

/// What is committed stays, everything else goes back. Whether that worked.
async fn end(shared: &Shared, session: &mut Session, open: &OpenService) -> bool {
    let OpenService { service, environment, committed, .. } = open;
    session.set_environment(environment.clone());
    let ended = if *committed {
        session.call(&Finish { service: service.clone() }).await
    } else {
        session.call(&Abort { service: service.clone(), drain_ms: DRAIN_MS }).await
    };
    match ended {
        Ok(_) if *committed => true,
        Ok(_) => {
            notice(shared, format!("the deploy of service {service} was aborted: the previous revision serves"));
            true
        }
        Err(why) => {
            notice(shared, format!("the deploy of service {service} could not be ended: {why}"));
            false
        }
    }
}

fn notice(shared: &Shared, message: String) {
    shared.run.gate.journal().append(Record::Notice { step: None, message });
}
