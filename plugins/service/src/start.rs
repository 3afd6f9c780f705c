//! Starting a service, and telling why it does not come up.

use std::time::Duration;

use windlass_plugin::docker::{self, Container, ContainerSpec, ContainerState, Lifetime, LogQuery, Restart};
use windlass_plugin::{Failure, OrFail, health, info, named, pairs, timer, warn};
use windlass_plugin_parts::{cpu_millis, create_volumes, join_networks, last_lines, not_made, run_or_pull};

use crate::remove;
use crate::with::{self, With};

/// Starts it, and gives it once it is healthy. One that does not get healthy is removed again.
///
/// # Errors
/// It cannot be started, or does not get healthy; with its state and the end of its log.
pub(crate) fn start(with: &With) -> Result<Container, Failure> {
    let image = with.image.as_deref().or_fail("`image` is missing")?;
    let check = with.health.as_ref().map(|health| health.check(&with.name)).transpose()?;
    let spec = spec(with, image)?;
    let lifetime = if with.keep { Lifetime::Kept } else { Lifetime::Run };

    join_networks(&with.networks, lifetime)?;
    create_volumes(&with.mounts, lifetime)?;
    if with.replace && remove(&with.name, with.grace_ms()).or_fail_with(|| format!("replace `{}`", with.name))? {
        info!("removed the `{}` that was there", with.name);
    }
    let started = run_or_pull(image, with.pull, || docker::start(&with.name, &spec, lifetime));
    let started = started.map_err(|error| not_started(error, &with.name))?;
    info!("started `{}` as {}", with.name, started.id.get(..12).unwrap_or(&started.id));

    let healthy = match check {
        Some((target, policy)) => {
            health::wait(&target, policy).map(|report| (report.healthy, report.last)).map_err(Failure::from)
        }
        None => settle(&with.name),
    };
    match healthy {
        // What is published, and where, is only certain of a container that has come up.
        Ok((true, seen)) => {
            info!("`{}` is healthy: {seen}", with.name);
            Ok(docker::inspect(&with.name)?)
        }
        Ok((false, seen)) => Err(gave_up(with, &seen)),
        Err(failure) => {
            clean_up(with);
            Err(failure.context(format!("`{}` was started, but whether it is healthy cannot be told", with.name)))
        }
    }
}

fn not_started(error: docker::Error, name: &str) -> Failure {
    let failure = match error {
        docker::Error::Conflict(_) => Failure::from(error).hint("`replace = true` removes the one that is there first"),
        error => not_made(error),
    };
    failure.context(format!("start `{name}`"))
}

fn spec(with: &With, image: &str) -> Result<ContainerSpec, Failure> {
    let mut aliases = with.aliases.clone();
    if !with.networks.is_empty() && !aliases.contains(&with.name) {
        aliases.push(with.name.clone());
    }
    Ok(ContainerSpec {
        command: with.command.clone(),
        entrypoint: with.entrypoint.clone(),
        env: named(with.env.clone()),
        user: with.user.clone(),
        working_directory: with.working_directory.clone(),
        labels: pairs(with.labels.clone()),
        ports: with.ports.iter().map(|port| port.0.clone()).collect(),
        mounts: with.mounts.iter().map(|mount| mount.of_contract()).collect::<Result<_, _>>()?,
        networks: with.networks.clone(),
        aliases,
        memory: with.memory.map(|size| size.bytes()),
        cpu_millis: with.cpu.map(cpu_millis).transpose()?,
        processes: with.processes,
        read_only_root: with.read_only_root,
        restart: match with.restart {
            with::Restart::No => Restart::No,
            with::Restart::OnFailure => Restart::OnFailure(0),
            with::Restart::UnlessStopped => Restart::UnlessStopped,
            with::Restart::Always => Restart::Always,
        },
        ..ContainerSpec::new(image)
    })
}

/// Without a health check, a service that does not exit at once is taken to be up.
fn settle(name: &str) -> Result<(bool, String), Failure> {
    for _ in 0..3 {
        timer::sleep(Duration::from_millis(100));
        let container = docker::inspect(name)?;
        if container.state != ContainerState::Running {
            return Ok((false, state(&container)));
        }
    }
    Ok((true, "it runs".to_owned()))
}

/// Why it did not get healthy, as far as Docker knows; and then it goes.
fn gave_up(with: &With, seen: &str) -> Failure {
    let found =
        docker::inspect(&with.name).inspect_err(|error| warn!("cannot look at `{}`: {}", with.name, words(error))).ok();
    let log = docker::logs(&LogQuery::last(&with.name, 50))
        .inspect_err(|error| warn!("cannot read the log of `{}`: {}", with.name, words(error)))
        .ok();
    clean_up(with);
    explain(&with.name, found.as_ref(), log.as_ref(), seen)
}

fn explain(name: &str, found: Option<&Container>, log: Option<&docker::Output>, seen: &str) -> Failure {
    let mut message = match found {
        Some(container) if container.state == ContainerState::Running => {
            format!("`{name}` runs, but does not get healthy; last seen: {seen}")
        }
        // That it has ended is all that a check saw of it, in other words.
        Some(container) => format!("`{name}` did not stay up: it {}", state(container)),
        None => format!("`{name}` did not get healthy; last seen: {seen}"),
    };
    match log {
        Some(log) => {
            let lines = last_lines(&log.stderr_tail, &log.stdout_tail);
            message.push_str(if lines.is_empty() { "\nit logged nothing" } else { &lines });
        }
        None => message.push_str("\nits log cannot be read"),
    }
    let failure = Failure::new(message);
    match found {
        Some(container) if container.oom_killed => failure.hint("give it more memory: `memory = \"2GiB\"`"),
        _ => failure,
    }
}

fn state(container: &Container) -> String {
    match (container.state, container.exit_code) {
        (_, Some(code)) if container.oom_killed => {
            format!("was ended because it took too much memory (exit code {code})")
        }
        (ContainerState::Exited, Some(code)) => format!("exited with code {code}"),
        (ContainerState::Restarting, Some(code)) => format!("exits with code {code} and is started again and again"),
        (ContainerState::Exited, None) => "exited".to_owned(),
        (ContainerState::Running, _) => "runs".to_owned(),
        (ContainerState::Restarting, None) => "is started again and again".to_owned(),
        (ContainerState::Created, _) => "was made but never ran".to_owned(),
        (ContainerState::Paused, _) => "is paused".to_owned(),
        (ContainerState::Dead, _) => "is dead".to_owned(),
    }
}

/// An error as people read it.
fn words(error: &docker::Error) -> String {
    Failure::from(error.clone()).to_string()
}

/// What cannot be removed here, the host removes at the end of the run.
fn clean_up(with: &With) {
    if let Err(error) = remove(&with.name, with.grace_ms()) {
        warn!("cannot remove `{}`: {}", with.name, words(&error));
    }
}

#[cfg(test)]
mod tests {
    use windlass_plugin::docker::{HealthState, Output};

    use super::*;

    fn container(state: ContainerState, exit_code: Option<i64>, oom_killed: bool) -> Container {
        Container {
            name: "web".to_owned(),
            id: "c".to_owned(),
            image: "i".to_owned(),
            image_id: "sha256:i".to_owned(),
            state,
            health: HealthState::None,
            exit_code,
            oom_killed,
            ports: Vec::new(),
            addresses: Vec::new(),
            labels: Vec::new(),
            run: "r".to_owned(),
            started: String::new(),
        }
    }

    #[test]
    fn errors_in_the_log_are_words() {
        assert_eq!(words(&docker::Error::Unavailable("cannot reach it".to_owned())), "cannot reach it");
    }

    #[test]
    fn a_service_that_exits_tells_its_code_and_its_log() {
        let log = Output { stdout_tail: "starting\n".to_owned(), stderr_tail: "no configuration\n".to_owned() };
        let failure =
            explain("web", Some(&container(ContainerState::Exited, Some(3), false)), Some(&log), "connection refused");
        assert_eq!(
            failure.message(),
            "`web` did not stay up: it exited with code 3\nthe last of its standard error:\n  no configuration"
        );
        let silent = Output { stdout_tail: String::new(), stderr_tail: String::new() };
        let failure = explain("web", Some(&container(ContainerState::Running, None, false)), Some(&silent), "503");
        assert_eq!(failure.message(), "`web` runs, but does not get healthy; last seen: 503\nit logged nothing");
    }

    #[test]
    fn too_little_memory_gets_a_hint() {
        let failure = explain("web", Some(&container(ContainerState::Exited, Some(137), true)), None, "gone");
        assert!(
            failure
                .message()
                .starts_with("`web` did not stay up: it was ended because it took too much memory (exit code 137)")
        );
        assert!(failure.what_next().is_some());
    }

    #[test]
    fn the_name_is_an_alias_on_networks() {
        let with: With = serde_json::from_str(
            r#"{"name":"web","image":"i","networks":["backend"],"ports":[80],"cpu":0.5,"memory":"64MiB"}"#,
        )
        .unwrap();
        let spec = spec(&with, "i").unwrap();
        assert_eq!((spec.aliases, spec.cpu_millis, spec.memory), (vec!["web".to_owned()], Some(500), Some(64 << 20)));
        let alone: With = serde_json::from_str(r#"{"name":"web","image":"i","cpu":0}"#).unwrap();
        assert!(self::spec(&alone, "i").is_err());
    }
}
