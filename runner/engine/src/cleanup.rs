//! After the last step: nothing stays that was not meant to.

use std::sync::Arc;
use std::time::Duration;

use windlass_gate::api::docker;
use windlass_gate::{Authority, Function, Mode, Playback, Session, SessionOptions};
use windlass_journal::{CallId, Record, StepIndex};

use crate::run::{Origin, Shared};

/// How long effects under way may take to come to their end after a cancel.
const SETTLE: Duration = Duration::from_secs(15);
/// What makes something that the clean-up has to find.
const MAKES: [Function; 3] = [Function::DockerCreate, Function::DockerCreateNetwork, Function::DockerCreateVolume];
/// How long the clean-up may take.
const CLEAN_UP: Duration = Duration::from_secs(60);

/// Removes what the run made; after a failure, also what was meant to stay. Says what is still there.
pub(crate) async fn clean_up(shared: &Shared, failed: bool) -> Vec<String> {
    let gate = &shared.run.gate;
    if let Origin::Offline(_) = shared.run.origin {
        // Nothing was made.
        return Vec::new();
    }
    if tokio::time::timeout(SETTLE, gate.settled()).await.is_err() {
        notice(shared, "some effects were still under way when the clean-up began".to_owned());
    }
    if !gate.has_acted("docker") {
        return Vec::new();
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
    let mut session = Session::new(Arc::clone(gate), options);
    let keep = failed && shared.run.options.keep;
    match tokio::time::timeout(CLEAN_UP, sweep(shared, &mut session, failed, keep)).await {
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
    }
}

/// A run that was cancelled and then killed may have left the daemon in the middle of making something.
async fn settle(shared: &Shared) {
    let Some(before) = shared.run.before().filter(|before| before.cancelled.is_some()) else { return };
    for (step, record) in before.steps.iter().filter(|(_, record)| record.ended.is_none()) {
        let Some((ordinal, call)) = record.tape.in_doubt() else { continue };
        if MAKES.iter().any(|function| *function.name() == *call.function) {
            let id = CallId { step: *step, attempt: record.attempt, ordinal };
            // Without the journal nothing goes on, and the end of the run says so.
            let settled = Session::settle(Arc::clone(&shared.run.gate), id, call.clone());
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
    let mut left = Vec::new();
    for leftover in leftovers {
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
