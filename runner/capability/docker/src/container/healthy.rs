//! Waits for Docker's own health check.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerInspectResponse, ContainerState as DockerState};
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt as _;
use tokio::time::{Instant, MissedTickBehavior};
use windlass_gate::api::docker::{Container, ContainerState, HealthState, WaitHealthy};
use windlass_gate::{Call, CallError};

use super::find::find_existing;
use super::inspect::{describe, health_of};
use super::logs::last_log_lines;
use crate::connect::Engine;
use crate::tail::last_lines;

/// How often the container is looked at although no event came: events may be lost.
const LOOK: Duration = Duration::from_secs(1);

/// Lines of a log in an error message.
const LINES: u32 = 20;

/// Waits until it is healthy, or never will be.
pub(crate) async fn wait_healthy(engine: &Engine, call: &Call, args: &WaitHealthy) -> Result<Container, CallError> {
    let name = &args.container;
    let id = find_existing(engine, call, name).await?.id;
    let deadline = Instant::now() + Duration::from_millis(args.timeout_ms).saturating_sub(call.began_before);
    // Subscribed before the first look, so that nothing falls between.
    let filters = HashMap::from([
        ("container".to_owned(), vec![id.clone()]),
        ("event".to_owned(), ["health_status", "die", "destroy"].map(str::to_owned).to_vec()),
    ]);
    let mut events = engine.api.events(Some(EventsOptionsBuilder::default().filters(&filters).build()));
    let mut listening = true;
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            // Looked at before the time is over, even when none is left after a crash.
            biased;
            event = events.next(), if listening => listening = matches!(event, Some(Ok(_))),
            _ = looks.tick() => {}
            () = tokio::time::sleep_until(deadline) => {
                let found = look(engine, name, &id).await?;
                let said = said(found.state.as_ref());
                return Err(CallError::TimedOut(format!("container `{name}` was not healthy within {:?}; {said}", Duration::from_millis(args.timeout_ms))));
            }
        }
        let found = look(engine, name, &id).await?;
        let state = found.state.clone().unwrap_or_default();
        let seen = describe(engine, call, found);
        match (&seen.state, health_of(&state)) {
            (ContainerState::Exited | ContainerState::Dead, _) => {
                return Err(CallError::Other(ended(engine, name, &seen).await));
            }
            (ContainerState::Created, _) => {
                return Err(CallError::Conflict(format!("container `{name}` was never started")));
            }
            (ContainerState::Running, HealthState::Healthy) => return Ok(seen),
            (_, HealthState::Unhealthy) => {
                return Err(CallError::Other(format!("container `{name}` is unhealthy; {}", said(Some(&state)))));
            }
            (ContainerState::Running, HealthState::None) => {
                return Err(CallError::Invalid(format!(
                    "container `{name}` has no health check to wait for; give `docker.start` a `healthcheck`, or use a health check of the `health` capability"
                )));
            }
            _ => {}
        }
    }
}

async fn look(engine: &Engine, name: &str, id: &str) -> Result<ContainerInspectResponse, CallError> {
    engine
        .api
        .inspect_container(id, None)
        .await
        .map_err(|error| engine.fault(format_args!("cannot look at container `{name}`"), error))
}

/// What the last health check printed.
fn said(state: Option<&DockerState>) -> String {
    match state
        .and_then(|state| state.health.as_ref())
        .and_then(|health| health.log.as_ref())
        .and_then(|log| log.last())
    {
        Some(last) => {
            let output = last_lines(last.output.as_deref().unwrap_or_default(), LINES as usize);
            let output = if output.is_empty() { "printed nothing".to_owned() } else { format!("printed:\n{output}") };
            format!("its last health check ended with exit code {} and {output}", last.exit_code.unwrap_or_default())
        }
        None => "its health check has not been made yet".to_owned(),
    }
}

/// That a container has ended, with its exit code and its last lines.
pub(crate) async fn ended(engine: &Engine, name: &str, seen: &Container) -> String {
    let lines = last_log_lines(engine, &seen.id, LINES).await;
    let lines = if lines.is_empty() { "it printed nothing".to_owned() } else { format!("its last lines:\n{lines}") };
    let why = if seen.oom_killed { " because it took too much memory" } else { "" };
    format!("container `{name}` has ended with exit code {}{why}; {lines}", seen.exit_code.unwrap_or_default())
}
