//! What a check may ask for.

use windlass_gate::CallError;
use windlass_gate::api::health::{Policy, Target};

/// Pauses below this would be a load test, and fill the journal.
const SHORTEST_INTERVAL_MS: u64 = 10;

/// Refuses a policy that cannot be meant.
pub(crate) fn check(policy: &Policy) -> Result<(), CallError> {
    time_limit(policy.timeout_ms)?;
    let fault = if policy.interval_ms < SHORTEST_INTERVAL_MS {
        format!("`interval-ms` is {}; {SHORTEST_INTERVAL_MS} is the least", policy.interval_ms)
    } else if policy.retries == 0 {
        "`retries` is 0, so nothing could ever fail; 1 is the least".to_owned()
    } else if policy.success_threshold == 0 {
        "`success-threshold` is 0, so anything would be healthy; 1 is the least".to_owned()
    } else {
        return Ok(());
    };
    Err(CallError::Invalid(fault))
}

/// Refuses attempts without any time.
pub(crate) fn time_limit(timeout_ms: u64) -> Result<(), CallError> {
    if timeout_ms == 0 {
        return Err(CallError::Invalid("`timeout-ms` is 0, so no attempt could succeed; 1 is the least".to_owned()));
    }
    Ok(())
}

/// Refuses targets that no attempt could reach, before the first one.
pub(crate) fn target(target: &Target) -> Result<(), CallError> {
    let fault = match target {
        Target::ContainerHttp(at) if !is_path(&at.path) => {
            format!("`{}` is not a path; write it like `/health`, without spaces", at.path)
        }
        Target::Command(command) if command.command.is_empty() => "the command is empty; name a program".to_owned(),
        _ => return Ok(()),
    };
    Err(CallError::Invalid(fault))
}

/// A path goes behind an address that the host has chosen, and must not change it.
fn is_path(path: &str) -> bool {
    path.starts_with('/') && !path.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Policy =
        Policy { interval_ms: 10, timeout_ms: 1, retries: 1, start_period_ms: 0, success_threshold: 1 };

    #[test]
    fn the_least_is_enough() {
        assert_eq!(check(&GOOD), Ok(()));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for bad in [
            Policy { interval_ms: 9, ..GOOD },
            Policy { timeout_ms: 0, ..GOOD },
            Policy { retries: 0, ..GOOD },
            Policy { success_threshold: 0, ..GOOD },
        ] {
            assert!(matches!(check(&bad), Err(CallError::Invalid(_))), "{bad:?}");
        }
    }

    #[test]
    fn paths() {
        assert!(is_path("/") && is_path("/a?b=c") && is_path("//x"));
        assert!(
            !is_path("")
                && !is_path("a")
                && !is_path("@evil/")
                && !is_path("/a b")
                && !is_path("/\n")
                && !is_path(r"/\x")
        );
    }
}
