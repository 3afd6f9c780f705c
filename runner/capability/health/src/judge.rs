//! When attempts are enough to be sure: successes and failures in a row.

use windlass_gate::api::health::Policy;

/// What the attempts so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Enough successes in a row.
    Healthy,
    /// Enough failures in a row.
    Unhealthy,
    /// Too early to say.
    Undecided,
}

/// Counts attempts.
///
/// Its time is the sum of the pauses between the attempts and nothing else, because the pauses are
/// in the journal and a clock would say something different at a replay. The attempts themselves
/// take time, too, so a start period is never shorter than it says, and longer when attempts are slow.
#[derive(Clone, Debug)]
pub struct Judge {
    retries: u32,
    success_threshold: u32,
    start_period_ms: u64,
    paused_ms: u64,
    successes: u32,
    failures: u32,
}

impl Judge {
    /// A judge who has seen nothing yet.
    pub fn new(policy: &Policy) -> Self {
        let Policy { retries, success_threshold, start_period_ms, .. } = *policy;
        Self { retries, success_threshold, start_period_ms, paused_ms: 0, successes: 0, failures: 0 }
    }

    /// Takes note of an attempt. A failure ends a row of successes even in the start period, in
    /// which it does not count against the service.
    pub fn attempt(&mut self, healthy: bool) -> Verdict {
        if healthy {
            self.failures = 0;
            self.successes += 1;
            if self.successes >= self.success_threshold {
                return Verdict::Healthy;
            }
        } else {
            self.successes = 0;
            if !self.starting() {
                self.failures += 1;
            }
            if self.failures >= self.retries {
                return Verdict::Unhealthy;
            }
        }
        Verdict::Undecided
    }

    /// Takes note of a pause.
    pub fn pause(&mut self, millis: u64) {
        self.paused_ms = self.paused_ms.saturating_add(millis);
    }

    /// Whether failures do not count yet.
    pub fn starting(&self) -> bool {
        self.paused_ms < self.start_period_ms
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(retries: u32, success_threshold: u32, start_period_ms: u64) -> Policy {
        Policy { interval_ms: 10, timeout_ms: 1, retries, start_period_ms, success_threshold }
    }

    /// The verdict, and after how many attempts it came.
    fn judged(policy: &Policy, attempts: &[bool]) -> (Verdict, usize) {
        let mut judge = Judge::new(policy);
        for (index, healthy) in attempts.iter().enumerate() {
            let verdict = judge.attempt(*healthy);
            if verdict != Verdict::Undecided {
                return (verdict, index + 1);
            }
            judge.pause(policy.interval_ms);
        }
        (Verdict::Undecided, attempts.len())
    }

    /// The length of the row of `value` that ends at `end`, counting only attempts from `from` on.
    fn row(attempts: &[bool], from: usize, end: usize, value: bool) -> usize {
        attempts[..end].iter().enumerate().rev().take_while(|(index, seen)| *index >= from && **seen == value).count()
    }

    #[test]
    fn one_failure_in_the_start_period_does_not_count() {
        assert_eq!(judged(&policy(1, 1, 20), &[false, false, false]), (Verdict::Unhealthy, 3));
        assert_eq!(judged(&policy(1, 1, 20), &[false, false, true]), (Verdict::Healthy, 3));
        assert_eq!(judged(&policy(1, 1, 0), &[false, true]), (Verdict::Unhealthy, 1));
    }

    #[test]
    fn a_failure_breaks_a_row_of_successes_even_in_the_start_period() {
        assert_eq!(judged(&policy(1, 2, 1000), &[true, false, true]), (Verdict::Undecided, 3));
        assert_eq!(judged(&policy(1, 2, 1000), &[true, false, true, true]), (Verdict::Healthy, 4));
    }

    proptest! {
        /// The judge says what the definition says, at the first attempt at which it can be said.
        #[test]
        fn the_verdict_follows_from_the_rows(
            attempts in proptest::collection::vec(any::<bool>(), 0..40),
            retries in 1_u32..5, threshold in 1_u32..5, start in 0_u64..200,
        ) {
            let policy = policy(retries, threshold, start);
            // The first attempt whose failure counts: so many pauses of 10 ms lie before it.
            let counts_from = usize::try_from(start.div_ceil(10)).expect("small");
            let expected = (1..=attempts.len()).find_map(|end| {
                if row(&attempts, 0, end, true) >= threshold as usize {
                    Some((Verdict::Healthy, end))
                } else if row(&attempts, counts_from, end, false) >= retries as usize {
                    Some((Verdict::Unhealthy, end))
                } else {
                    None
                }
            });
            prop_assert_eq!(judged(&policy, &attempts), expected.unwrap_or((Verdict::Undecided, attempts.len())));
        }

        /// A service that only fails is given up after the start period and so many retries, not earlier and not later.
        #[test]
        fn a_dead_service_is_given_up_in_time(retries in 1_u32..10, threshold in 1_u32..10, start in 0_u64..500) {
            let attempts = start.div_ceil(10) + u64::from(retries);
            let all = vec![false; 100];
            prop_assert_eq!(judged(&policy(retries, threshold, start), &all), (Verdict::Unhealthy, usize::try_from(attempts).expect("small")));
        }
    }
}
