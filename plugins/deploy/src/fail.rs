//! When a deploy fails before its commit: everything goes back, and somebody is told why.

use windlass_plugin::docker::{self, Container, ContainerState, LogQuery};
use windlass_plugin::{Failure, info, traffic, warn};
use windlass_plugin_parts::last_lines;

use crate::deploying::Deploying;
use crate::order::End;
use crate::replicas;

/// Of so many containers the log is told.
const TOLD: usize = 3;
/// How many lines of a log are read.
const LINES: u32 = 50;

/// Gives everything back that is open, and removes what was made for it. `open` are the services of one deploy, the last
/// of which `tell` concerns. Gives the failure in full.
pub(crate) fn abort(open: &mut [Deploying], why: Failure, tell: Tell) -> Failure {
    // The traffic of all first: each abort waits until its requests have finished.
    if open.len() > 1 {
        open.iter_mut().for_each(Deploying::step_back);
    }
    let mut why = why;
    for (at, deploying) in open.iter_mut().rev().enumerate() {
        why = abort_one(deploying, why, if at == 0 { tell } else { Tell::Nothing });
    }
    why
}

fn abort_one(deploying: &mut Deploying, why: Failure, tell: Tell) -> Failure {
    deploying.end_watch();
    let failed = Failed {
        service: deploying.order.service.clone(),
        revision: deploying.order.revision.clone(),
        previous: deploying.previous.as_ref().map(|previous| previous.revision.clone()),
        containers: deploying.started.clone(),
        culprit: deploying.culprit.clone(),
        end: deploying.order.end,
        tell,
    };
    give_back(&failed, why, remove)
}

/// What of the new containers is worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    /// Their state and the end of their logs.
    Containers,
    /// Nothing: they are not to blame.
    Nothing,
}

/// A revision that failed.
pub(crate) struct Failed {
    pub(crate) service: String,
    pub(crate) revision: String,
    /// What served before.
    pub(crate) previous: Option<String>,
    /// Its containers.
    pub(crate) containers: Vec<String>,
    /// The one over which it failed, if it was one.
    pub(crate) culprit: Option<String>,
    pub(crate) end: End,
    pub(crate) tell: Tell,
}

/// Gives the previous revision everything back, and does away with the containers of the one that failed.
pub(crate) fn give_back(failed: &Failed, why: Failure, away: impl Fn(&[String], u64)) -> Failure {
    let Failed { service, revision, previous, containers, end, .. } = failed;
    let first = why.message().lines().next().unwrap_or_default();
    warn!("{service}: {revision} is aborted: {first}");
    // The traffic first: every second counts, and the rest is tidying up.
    let aborted = traffic::abort(service, end.drain_ms);
    let found = if failed.tell == Tell::Containers { found(containers, failed.culprit.as_ref()) } else { Vec::new() };
    away(containers, end.grace_ms);
    let end = match (aborted, previous) {
        (Ok(()), Some(previous)) => format!("revision {previous} serves {service} as before"),
        (Ok(()), None) => format!("nothing served {service} before, and nothing does now"),
        (Err(error), _) => format!(
            "{service} could not be given back at once: {}; the end of the run tries it again",
            Failure::from(error)
        ),
    };
    info!("{end}");
    explain(&why, &found, &end)
}

/// A container of the revision that failed, as it was found, and the end of its log.
struct Found {
    name: String,
    container: Option<Container>,
    log: Option<docker::Output>,
}

/// What is known of the new containers: of the one that failed if it is known, else of the first ones.
fn found(containers: &[String], culprit: Option<&String>) -> Vec<Found> {
    let names: Vec<&String> = match culprit {
        Some(culprit) => vec![culprit],
        None => containers.iter().take(TOLD).collect(),
    };
    let words = |error: docker::Error| Failure::from(error).to_string();
    let each = |name: &String| {
        let container =
            docker::inspect(name).inspect_err(|error| warn!("cannot look at `{name}`: {}", words(error.clone()))).ok();
        let log = docker::logs(&LogQuery::last(name, LINES))
            .inspect_err(|error| warn!("cannot read the log of `{name}`: {}", words(error.clone())))
            .ok();
        Found { name: name.clone(), container, log }
    };
    names.into_iter().map(each).collect()
}

/// Stops and removes containers. What cannot be removed is told; a run that fails takes it along.
fn remove(names: &[String], grace_ms: u64) {
    for name in names {
        if let Err(error) = windlass_plugin_parts::remove(name, grace_ms) {
            warn!("cannot remove `{name}`: {}", Failure::from(error));
        }
    }
}

fn explain(why: &Failure, found: &[Found], end: &str) -> Failure {
    let mut message = why.message().to_owned();
    for Found { name, container, log } in found {
        if let Some(container) = container {
            // Docker has started it again; that it runs at this moment is no excuse.
            let again = container.state == ContainerState::Running && why.message().contains(replicas::FELL);
            let state = match again {
                true => "runs again at present, since Docker restarts it".to_owned(),
                false => state(container),
            };
            message.push_str(&format!("\n`{name}` {state}"));
        }
        if let Some(log) = log {
            let lines = last_lines(&log.stderr_tail, &log.stdout_tail);
            message.push_str(if lines.is_empty() { "\nit logged nothing" } else { &lines });
        }
    }
    message.push('\n');
    message.push_str(end);
    let memory = found.iter().any(|found| found.container.as_ref().is_some_and(|container| container.oom_killed));
    let failure = Failure::new(message);
    match why.what_next() {
        Some(hint) => failure.hint(hint),
        None if memory => failure.hint("give it more memory: `memory = \"2GiB\"`"),
        None => failure,
    }
}

fn state(container: &Container) -> String {
    match (container.state, container.exit_code) {
        (_, Some(code)) if container.oom_killed => format!("took too much memory (exit code {code})"),
        (ContainerState::Exited | ContainerState::Dead, Some(code)) => format!("has exited with code {code}"),
        (ContainerState::Restarting, Some(code)) => format!("exits with code {code} and is started again and again"),
        (ContainerState::Exited | ContainerState::Dead, None) => "has exited".to_owned(),
        (ContainerState::Restarting, None) => "is started again and again".to_owned(),
        (ContainerState::Running, _) => "runs".to_owned(),
        (ContainerState::Created, _) => "was made but never ran".to_owned(),
        (ContainerState::Paused, _) => "is paused".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(state: ContainerState, exit_code: Option<i64>) -> Container {
        Container {
            name: "shop-v2-1".to_owned(),
            id: "c".to_owned(),
            image: "i".to_owned(),
            image_id: "i".to_owned(),
            state,
            health: docker::HealthState::None,
            exit_code,
            oom_killed: false,
            ports: Vec::new(),
            addresses: Vec::new(),
            labels: Vec::new(),
            run: "r".to_owned(),
            started: String::new(),
        }
    }

    #[test]
    fn a_container_that_docker_starts_again_and_again_is_not_said_to_run() {
        let container = Some(container(ContainerState::Running, None));
        let found = Found { name: "shop-v2-1".to_owned(), container, log: None };
        let why = Failure::new(format!("`shop-v2-1` {}: it ended and was started again", replicas::FELL));
        let failure = explain(&why, &[found], "revision v1 serves shop as before");
        assert!(failure.message().contains("`shop-v2-1` runs again at present, since Docker restarts it"), "{failure}");
    }

    #[test]
    fn the_failure_says_why_what_was_logged_and_who_serves() {
        let log = docker::Output { stdout_tail: String::new(), stderr_tail: "no database\n".to_owned() };
        let found = Found {
            name: "shop-v2-1".to_owned(),
            container: Some(container(ContainerState::Exited, Some(3))),
            log: Some(log),
        };
        let failure = explain(&Failure::new("not healthy"), &[found], "revision v1 serves shop as before");
        assert_eq!(
            failure.message(),
            "not healthy\n`shop-v2-1` has exited with code 3\nthe last of its standard error:\n  no database\nrevision \
             v1 serves shop as before"
        );
    }
}
