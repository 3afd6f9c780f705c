//! Whether a container came up, why it did not, and how it goes.

use std::time::Duration;

use windlass_plugin::docker::{self, Container, ContainerState, LogQuery};
use windlass_plugin::{Failure, timer, warn};

use crate::last_lines;

/// Without a health check, a service that does not exit at once is taken to be up. Says whether it is, and what was seen.
///
/// # Errors
/// It cannot be looked at.
pub fn settle(name: &str) -> Result<(bool, String), Failure> {
    for _ in 0..3 {
        timer::sleep(Duration::from_millis(100));
        let container = docker::inspect(name)?;
        if container.state != ContainerState::Running {
            return Ok((false, state(&container)));
        }
    }
    Ok((true, "it runs".to_owned()))
}

/// Why it did not get healthy, as far as Docker knows: its state, its exit code, the end of its log.
pub fn not_up(name: &str, seen: &str) -> Failure {
    let found = docker::inspect(name).inspect_err(|error| warn!("cannot look at `{name}`: {}", words(error))).ok();
    let log = docker::logs(&LogQuery::last(name, 50))
        .inspect_err(|error| warn!("cannot read the log of `{name}`: {}", words(error)))
        .ok();
    explain(name, found.as_ref(), log.as_ref(), seen)
}

/// Stops a container and removes it. Says whether there was one.
///
/// # Errors
/// It cannot be stopped or removed.
pub fn remove(name: &str, grace_ms: u64) -> Result<bool, docker::Error> {
    match docker::stop(name, grace_ms) {
        Ok(()) => {}
        Err(docker::Error::NotFound(_)) => return Ok(false),
        Err(error) => return Err(error),
    }
    // By force: Docker's own restart may have come between.
    docker::remove(name, true)?;
    Ok(true)
}

/// An error as people read it.
pub fn words(error: &docker::Error) -> String {
    Failure::from(error.clone()).to_string()
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
}
