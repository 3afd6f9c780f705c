//! After the last step: nothing stays that was not meant to.

use std::sync::Arc;
use std::time::Duration;

use windlass_gate::api::docker;
use windlass_gate::{Authority, Function, Mode, Playback, Session, SessionOptions};
use windlass_journal::{CallId, Record, StepIndex};

use crate::deploys::{self, Ends};
use crate::run::{Origin, Shared};

/// How long effects under way may take to come to their end after a cancel.
const SETTLE: Duration = Duration::from_secs(15);
/// What makes something that the clean-up has to find.
const MAKES: [Function; 3] = [Function::DockerCreate, Function::DockerCreateNetwork, Function::DockerCreateVolume];
/// How long the clean-up may take.
const CLEAN_UP: Duration = Duration::from_secs(60);

/// What is left of a run.
#[derive(Default)]
pub(crate) struct CleanedUp {
    /// What is still there, in words.
    pub(crate) left: Vec<String>,
    /// The services whose deploy nobody had committed. They were aborted, and the run has failed.
    pub(crate) uncommitted: Vec<String>,
    /// Why the router could not be told to end a deploy. Nothing was removed: the run is not over.
    pub(crate) unreachable: Option<String>,
}

/// Ends deploys that are still open, and removes what the run made; after a failure, also what was meant to stay.
pub(crate) async fn clean_up(shared: &Shared, failed: bool) -> CleanedUp {
    let gate = &shared.run.gate;
    if let Origin::Offline(_) = shared.run.origin {
        // Nothing was made.
        return CleanedUp::default();
    }
    if tokio::time::timeout(SETTLE, gate.settled()).await.is_err() {
        notice(shared, "some effects were still under way when the clean-up began".to_owned());
    }
    if !gate.has_acted("docker") && !gate.has_acted("traffic") {
        return CleanedUp::default();
    }
    settle(shared).await;
    let options = SessionOptions {
        step: StepIndex::HOST,
        attempt: 1,
        authority: Authority::Host,
        max_calls: u64::MAX,
        max_log: 1 << 20,
        playback: shared.run.before().map(|recording| Playback::new(recording.host.clone(), Mode::Resume)),
        repeat_in_doubt: false,
    };
    let Ends { mut left, uncommitted, unreachable } = deploys::after_all(shared).await;
    if unreachable.is_some() || !gate.has_acted("docker") {
        return CleanedUp { left, uncommitted, unreachable };
    }
    let mut session = Session::new(Arc::clone(gate), options);
    let failed = failed || !uncommitted.is_empty();
    let keep = failed && shared.run.options.keep;
    let swept = match tokio::time::timeout(CLEAN_UP, sweep(shared, &mut session, failed, keep)).await {
        Ok(left) => left,
        Err(_) => {
            let left = format!(
                "the clean-up took more than {} s; what is left: docker ps -a --filter label=windlass.run={}",
                CLEAN_UP.as_secs(),
                shared.run_id
            );
            notice(shared, left.clone());
            vec![left]
        }
    };
    left.extend(swept);
    CleanedUp { left, uncommitted, unreachable }
}

/// A run that was cancelled and then killed may have left the daemon in the middle of making something.
async fn settle(shared: &Shared) {
    let Some(before) = shared.run.before().filter(|before| before.cancelled.is_some()) else { return };
    for (step, record) in before.steps.iter().filter(|(_, record)| record.ended.is_none()) {
        let Some((ordinal, call)) = record.tape.in_doubt() else { continue };
        if MAKES.iter().any(|function| *function.name() == *call.function) {
            let id = CallId { step: *step, attempt: record.attempt, ordinal };
            // Without the journal nothing goes on, and the end of the run says so.
            let stage = shared.run.plan.stages.get(record.stage.0 as usize);
            let environment = stage.and_then(|stage| stage.environment.clone());
            let settled = Session::settle(Arc::clone(&shared.run.gate), id, environment, call.clone());
            let _ = tokio::time::timeout(SETTLE, settled).await;
        }
    }
}

async fn sweep(shared: &Shared, session: &mut Session, failed: bool, keep: bool) -> Vec<String> {
    let leftovers = match session.call(&docker::Leftovers { kept_too: failed, of_attempt: None }).await {
        Ok(leftovers) => leftovers,
        Err(error) => {
            let left = format!(
                "what the run made could not be listed: {error}; when Docker is back: docker ps -a --filter label=windlass.run={}",
                shared.run_id
            );
            notice(shared, left.clone());
            return vec![left];
        }
    };
    // A service that was deployed before something else failed goes on serving, with what it stands on.
    let placed = deploys::placed(shared, session).await;
    let serves = leftovers.iter().any(|leftover| placed.contains(&leftover.id));
    let mut left = Vec::new();
    for leftover in leftovers {
        if placed.contains(&leftover.id) || (serves && leftover.kind != docker::LeftoverKind::Container) {
            continue;
        }
        let name = format!("{} {}", kind(&leftover.kind), leftover.name);
        if keep {
            notice(shared, format!("kept {name}"));
            left.push(name);
            continue;
        }
        if let Err(error) = session.call(&docker::Sweep { leftover }).await {
            notice(shared, format!("{name} could not be removed: {error}"));
            left.push(name);
        } else if failed {
            notice(shared, format!("removed {name}"));
        }
    }
    left
}

fn kind(kind: &docker::LeftoverKind) -> &'static str {
    match kind {
        docker::LeftoverKind::Container => "container",
        docker::LeftoverKind::Network => "network",
        docker::LeftoverKind::Volume => "volume",
    }
}

fn notice(shared: &Shared, message: String) {
    shared.run.gate.journal().append(Record::Notice { step: None, message });
}
