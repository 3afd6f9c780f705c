//! The containers of a revision: starting them, and whether they are fit for traffic.

use std::time::Duration;

use windlass_plugin::docker::{self, Container, ContainerState, Lifetime};
use windlass_plugin::health::{self, Target};
use windlass_plugin::traffic::Drained;
use windlass_plugin::{Failure, OrFail, Pair, ensure, info, timer, warn};
use windlass_plugin_parts::{not_made, run_or_pull};

use crate::clock;
use crate::names::{self, span};
use crate::order::Order;
use crate::present::{AT, REPLICA, REVISION, SERVICE, SERVING};
use crate::serving::{Check, Probe};
use crate::with::SmokeTest;

/// What is said of a container that has ended while its health was awaited.
pub(crate) const FELL: &str = "did not stay up";

/// A container that was started, and when, as Docker says it.
#[derive(Debug)]
pub(crate) struct Started {
    /// Its name in the pipeline.
    pub(crate) name: String,
    /// When it was started at first.
    pub(crate) at: String,
}

/// Starts a container of the new revision.
///
/// # Errors
/// It cannot be made or started.
pub(crate) fn start(order: &Order, replica: u32, at: u64) -> Result<Started, Failure> {
    let Order { service, revision, .. } = order;
    let name = names::container(service, revision, replica);
    let mut spec = order.spec.clone();
    spec.labels.extend([
        Pair::new(SERVICE, service),
        Pair::new(REVISION, revision),
        Pair::new(REPLICA, replica.to_string()),
        Pair::new(AT, at.to_string()),
        Pair::new(SERVING, order.serving.written()?),
    ]);
    if !spec.networks.is_empty() {
        spec.aliases.push(name.clone());
    }
    let started = run_or_pull(&spec.image, order.pull, || docker::start(&name, &spec, Lifetime::Kept));
    let container = started.map_err(|error| not_made(error).context(format!("start `{name}`")))?;
    info!("started {name}");
    Ok(Started { name, at: container.started })
}

/// Waits until a container is healthy: as long as its check says, and no longer than the deploy has left. One that ends
/// meanwhile is not waited for, even if Docker starts it again and again.
///
/// # Errors
/// It is not, or cannot be asked.
pub(crate) fn healthy(service: &str, started: &Started, check: &Check, left_ms: u64) -> Result<(), Failure> {
    let Started { name, at } = started;
    let target = check.probe.of(name);
    let deadline = check.deadline_ms.min(left_ms);
    let mut since = None;
    loop {
        let doing = || format!("see whether `{name}` is healthy");
        let report = health::check(&target, check.timeout_ms).or_fail_with(doing)?;
        if report.healthy {
            return Ok(());
        }
        let container = docker::inspect(name).or_fail_with(|| format!("look at `{name}`"))?;
        if let Some(ended) = ended(&container, at) {
            return Err(Failure::new(format!("`{name}` {FELL}: it {ended}")));
        }
        // By the clock, not by attempts: each may take as long as its time limit.
        let now = clock::now(service)?;
        let waited = now.saturating_sub(*since.get_or_insert(now));
        ensure!(
            waited < deadline,
            "`{name}` runs, but did not get healthy within {}; last seen: {}",
            span(deadline),
            report.last
        );
        timer::sleep(Duration::from_millis(check.interval_ms));
    }
}

/// Whether a container has ended, be it that Docker has started it again: in words.
fn ended(container: &Container, first: &str) -> Option<String> {
    let again = !first.is_empty() && container.started != first;
    match (container.state, container.exit_code) {
        _ if container.oom_killed => Some("was ended because it took too much memory".to_owned()),
        (ContainerState::Restarting, Some(code)) => {
            Some(format!("exits with code {code} and is started again and again"))
        }
        (ContainerState::Restarting, None) => Some("ends and is started again and again".to_owned()),
        (ContainerState::Running, _) if again => Some("ended and was started again".to_owned()),
        (ContainerState::Running | ContainerState::Created | ContainerState::Paused, _) => None,
        (ContainerState::Exited | ContainerState::Dead, Some(code)) => Some(format!("exited with code {code}")),
        (ContainerState::Exited | ContainerState::Dead, None) => Some("exited".to_owned()),
    }
}

/// Makes the smoke tests of a container.
///
/// # Errors
/// One fails, or cannot be made.
pub(crate) fn smoke(name: &str, port: u16, tests: &[SmokeTest]) -> Result<(), Failure> {
    for test in tests {
        let status = test.status.unwrap_or_default();
        let (path, contains) = (test.path.clone(), test.contains.clone());
        let target: Target = Probe::Http { port, path, min: status.min, max: status.max, contains }.of(name);
        let timeout = test.timeout.map_or(5_000, windlass_plugin::with::Duration::millis);
        let doing = || format!("smoke test: GET {} of `{name}`", test.path);
        let report = health::check(&target, timeout).or_fail_with(doing)?;
        ensure!(report.healthy, "{} did not pass: {}", doing(), report.last);
    }
    Ok(())
}

/// Says what was cut.
pub(crate) fn told(what: &str, drained: &Drained) {
    if drained.cut > 0 {
        warn!("{what} had not finished {} requests when the time of `drain` was over; they were cut", drained.cut);
    }
}
