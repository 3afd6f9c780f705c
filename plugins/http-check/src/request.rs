//! Asking by requests of the step's own, as often as the policy says.

use std::time::{Duration, Instant};

use windlass_plugin::health::Policy;
use windlass_plugin::http::{self, Request, Response};
use windlass_plugin::{Failure, info, timer};
use windlass_plugin_parts::{Statuses, tail_of};

/// What an answer has to be.
pub(crate) struct Expected<'a> {
    pub(crate) statuses: Statuses,
    pub(crate) contains: Option<&'a str>,
}

/// What came of it.
pub(crate) struct Asked {
    pub(crate) ok: bool,
    pub(crate) attempts: u32,
    pub(crate) seen: String,
    /// The last answer, if there was one.
    pub(crate) answer: Option<Response>,
}

/// Asks until the answer is as expected, or is not going to be.
///
/// # Errors
/// The request is not granted or not acceptable, so that asking again is of no use.
pub(crate) fn ask(request: &Request, policy: &Policy, expected: &Expected<'_>) -> Result<Asked, Failure> {
    let begun = Instant::now();
    let mut count = Count::default();
    loop {
        let (answer, seen) = match http::send(request) {
            Ok(answer) => (Some(answer), None),
            Err(error @ (http::Error::Denied(_) | http::Error::Invalid(_))) => return Err(error.into()),
            Err(error) => (None, Some(Failure::from(error).message().to_owned())),
        };
        let (ok, seen) = match (&answer, seen) {
            (Some(answer), _) => expected.judge(answer),
            (None, seen) => (false, seen.unwrap_or_default()),
        };
        match count.after(ok, begun.elapsed(), policy) {
            Some(ok) => return Ok(Asked { ok, attempts: count.attempts, seen, answer }),
            None => info!("attempt {}: {seen}", count.attempts),
        }
        timer::sleep(Duration::from_millis(policy.interval_ms));
    }
}

impl Expected<'_> {
    fn judge(&self, answer: &Response) -> (bool, String) {
        let status = answer.status;
        if !self.statuses.contains(status) {
            let start: String = answer.text().chars().take(200).collect();
            let body = if start.is_empty() { String::new() } else { format!(": {start}") };
            return (false, format!("status {status} instead of {}{body}", self.statuses));
        }
        match self.contains {
            Some(text) if !answer.text().contains(text) => {
                (false, format!("status {status}, but the body does not contain `{text}`"))
            }
            _ => (true, format!("status {status}")),
        }
    }
}

/// Successes and failures so far.
#[derive(Default)]
struct Count {
    attempts: u32,
    successes: u32,
    failures: u32,
}

impl Count {
    /// Counts an attempt. Gives the verdict once there is one.
    fn after(&mut self, ok: bool, elapsed: Duration, policy: &Policy) -> Option<bool> {
        self.attempts += 1;
        if ok {
            self.failures = 0;
            self.successes += 1;
            return (self.successes >= policy.success_threshold).then_some(true);
        }
        self.successes = 0;
        if elapsed >= Duration::from_millis(policy.start_period_ms) {
            self.failures += 1;
        }
        (self.failures >= policy.retries.max(1)).then_some(false)
    }
}

/// How much of a body goes to later steps.
const BODY: usize = 16 << 10;

/// The body as an output.
pub(crate) fn body(answer: &Response) -> String {
    let text = answer.text();
    if text.len() <= BODY {
        return text.into_owned();
    }
    // The start says more than the end, and a character is not cut.
    text[..text.len() - tail_of(&text, text.len() - BODY).len()].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response {
        Response { status, headers: Vec::new(), body: body.as_bytes().to_vec(), url: String::new() }
    }

    #[test]
    fn answers_are_judged_by_status_and_text() {
        let expected = Expected { statuses: Statuses::default(), contains: Some("1.2") };
        assert_eq!(expected.judge(&answer(200, "version 1.2")), (true, "status 200".to_owned()));
        assert_eq!(
            expected.judge(&answer(200, "1.1")),
            (false, "status 200, but the body does not contain `1.2`".to_owned())
        );
        assert_eq!(expected.judge(&answer(503, "busy")), (false, "status 503 instead of 200-299: busy".to_owned()));
    }

    #[test]
    fn failures_count_in_a_row_and_after_the_start() {
        let policy = Policy { retries: 2, start_period_ms: 1_000, success_threshold: 2, ..Policy::default() };
        let (early, late) = (Duration::from_millis(10), Duration::from_secs(2));
        let mut count = Count::default();
        assert_eq!(count.after(false, early, &policy), None);
        assert_eq!(count.after(false, early, &policy), None);
        assert_eq!(count.after(false, late, &policy), None);
        assert_eq!(count.after(true, late, &policy), None);
        assert_eq!(count.after(false, late, &policy), None);
        assert_eq!(count.after(false, late, &policy), Some(false));
        let mut count = Count::default();
        assert_eq!(count.after(true, early, &policy), None);
        assert_eq!(count.after(true, early, &policy), Some(true));
    }

    #[test]
    fn long_bodies_are_cut_at_a_character() {
        assert_eq!(body(&answer(200, "short")), "short");
        let cut = body(&answer(200, &"ñ".repeat(BODY)));
        assert!(cut.len() <= BODY && cut.len() >= BODY - 1 && cut.chars().all(|c| c == 'ñ'));
    }
}
