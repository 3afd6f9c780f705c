//! Attempts with pauses between them, until one can be sure.

use windlass_gate::api::health::{Policy, Report, Target};
use windlass_gate::api::timer::Sleep;
use windlass_gate::{Session, Stop};
use windlass_journal::Stream;

use crate::attempt::{self, Sight};
use crate::judge::{Judge, Verdict};
use crate::policy;

/// Asks once.
pub(crate) async fn once(target: &Target, timeout_ms: u64, session: &mut Session) -> Result<Report, Stop> {
    policy::time_limit(timeout_ms)?;
    policy::target(target)?;
    let sight = attempt::make(target, timeout_ms, session).await?;
    let (healthy, last) = match sight {
        Sight::There { healthy, what } => (healthy, what),
        Sight::Gone { what } => (false, what),
    };
    note(session, target, if healthy { "healthy" } else { "unhealthy" }, &last);
    Ok(Report { healthy, attempts: 1, last })
}

/// Asks until it is healthy, or is not going to be.
///
/// A service that goes back and forth without ever reaching either row is asked until the step's
/// own time is over.
pub(crate) async fn until_sure(target: &Target, policy: &Policy, session: &mut Session) -> Result<Report, Stop> {
    policy::check(policy)?;
    policy::target(target)?;
    let mut judge = Judge::new(policy);
    let mut attempts: u32 = 0;
    loop {
        attempts = attempts.saturating_add(1);
        let starting = judge.starting();
        let (healthy, last) = match attempt::make(target, policy.timeout_ms, session).await? {
            Sight::There { healthy, what } => (healthy, what),
            Sight::Gone { what } => {
                note(session, target, &format!("attempt {attempts}: ended"), &what);
                return Ok(Report { healthy: false, attempts, last: what });
            }
        };
        let outcome = match (healthy, starting) {
            (true, _) => "healthy",
            (false, true) => "not yet healthy",
            (false, false) => "unhealthy",
        };
        note(session, target, &format!("attempt {attempts}: {outcome}"), &last);
        match judge.attempt(healthy) {
            Verdict::Undecided => {}
            verdict => return Ok(Report { healthy: verdict == Verdict::Healthy, attempts, last }),
        }
        session.call(&Sleep { milliseconds: policy.interval_ms }).await?;
        judge.pause(policy.interval_ms);
    }
}

/// One line for each attempt, so that whoever waits sees why. The full text goes into the report.
fn note(session: &Session, target: &Target, outcome: &str, what: &str) {
    let first = what.lines().next().unwrap_or_default();
    session.log().line(Stream::Log, &format!("health of {}: {outcome}: {first}", attempt::name(target)));
}
