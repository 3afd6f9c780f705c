//! Draining: nothing new comes to a server, what is under way finishes, or is cut at the limit.
//!
//! The limit is kept in the folder. It is looked at by every operation, and by a drain that waits;
//! when no runner runs, nobody cuts.

use super::ledger::Draining;
use super::seen::{Backend, parts};
use super::turn::Turn;
use super::{Place, now_ms};
use crate::ClientError;
use crate::api::{Drain, DrainAnswer, Refusal, Service, Weight};
use std::time::{Duration, Instant};

/// How often HAProxy is asked how many are left.
const POLL: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(600);

pub(super) async fn drain(place: &Place, drain: &Drain) -> Result<DrainAnswer, ClientError> {
    let began = Instant::now();
    let wait = Duration::from_millis(drain.wait_ms).min(LONGEST_WAIT);
    begin(place, drain).await?;
    loop {
        // A turn each time: it cuts what is over its limit, and the lock is free in between.
        let mut turn = Turn::begin(place, false).await?;
        let answer = answer(&turn, drain);
        if answer.drained || began.elapsed() >= wait {
            // Servers that have left the table can go now.
            if answer.in_flight == 0 {
                turn.converge(&drain.service).await?;
            }
            return Ok(answer);
        }
        drop(turn);
        tokio::time::sleep(POLL.min(wait.saturating_sub(began.elapsed()))).await;
    }
}

/// Nothing new comes from now on, and there is a limit.
async fn begin(place: &Place, drain: &Drain) -> Result<(), ClientError> {
    let mut turn = Turn::begin(place, true).await?;
    turn.rebuild().await;
    let service = turn.table.service(&drain.service);
    let service = service.ok_or_else(|| Refusal::UnknownService { service: drain.service.clone() })?;
    may_drain(service, drain)?;
    let until_ms = now_ms().saturating_add(drain.limit_ms);
    let servers = turn.seen.backend(&drain.service).map_or_else(Vec::new, |backend| meant(backend, drain));
    let keys: Vec<String> = servers.into_iter().map(|server| format!("{}/{server}", drain.service)).collect();
    for key in &keys {
        // The first limit counts.
        turn.ledger.drains.entry(key.clone()).or_insert(Draining { until_ms, cut: 0 });
    }
    turn.save()?;
    let commands: Vec<String> = keys.iter().map(|key| format!("set server {key} state drain")).collect();
    turn.tell_all(&commands).await
}

fn may_drain(service: &Service, drain: &Drain) -> Result<(), Refusal> {
    let Some(revision) = service.revisions.get(&drain.revision) else { return Ok(()) };
    let serves = |container: &str| revision.endpoints.iter().any(|e| e.ready && e.container == container);
    if revision.weight == Weight::ZERO || drain.container.as_deref().is_some_and(|c| !serves(c)) {
        return Ok(());
    }
    Err(Refusal::Serving {
        what: drain.container.as_ref().map_or("the revision".to_owned(), |c| format!("container {c}")),
        why: format!("revision {} has weight {}", drain.revision, revision.weight),
    })
}

/// Also those that have left the table.
fn meant(backend: &Backend, drain: &Drain) -> Vec<String> {
    let is_meant = |name: &str| {
        parts(name).is_some_and(|(revision, container)| {
            revision == drain.revision && drain.container.as_ref().is_none_or(|c| c == container)
        })
    };
    backend.servers.keys().filter(|name| is_meant(name)).cloned().collect()
}

fn answer(turn: &Turn<'_>, drain: &Drain) -> DrainAnswer {
    let backend = turn.seen.backend(&drain.service);
    let servers = backend.map_or_else(Vec::new, |backend| meant(backend, drain));
    let there = servers.iter().filter_map(|s| backend?.servers.get(s));
    let in_flight = there.map(|s| s.in_flight).sum();
    let key = |server: &String| format!("{}/{server}", drain.service);
    let cut = servers.iter().filter_map(|s| turn.ledger.drains.get(&key(s))).map(|d| d.cut).sum();
    let predecessor = turn.ledger.predecessors();
    DrainAnswer { drained: in_flight == 0 && !predecessor, in_flight, cut, predecessor }
}
