//! The weight of a revision over time, as the router says it: what share of the failures may be its own.

use super::front::Services;
use super::load::Records;
use crate::failure::{Failure, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it looks.
const GLANCE: Duration = Duration::from_millis(25);
/// What happens between two looks, and requests under way while weights change, are not held against a revision.
const MARGIN: f64 = 1.1;
const FEW: f64 = 20.0;

/// Looks on until it is ended.
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    looks: JoinHandle<Vec<(Duration, f64)>>,
}

impl Watch {
    /// Begins; times count from `began`.
    pub(super) fn begin(
        began: Instant,
        revision: &str,
        services: impl Fn() -> Result<Services> + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, revision) = (Arc::clone(&stop), revision.to_owned());
        let looks = std::thread::spawn(move || {
            let mut looks = Vec::new();
            while !seen.load(Ordering::Relaxed) {
                // A router that does not answer has not changed its weights.
                if let Ok(services) = services() {
                    looks.push((began.elapsed(), services.weight(&revision)));
                }
                std::thread::sleep(GLANCE);
            }
            looks
        });
        Self { stop, looks }
    }

    /// How many of these requests the revision may have failed, by the weight that it had when each was sent.
    pub(super) fn end(self, records: &Records) -> Result<f64> {
        self.stop.store(true, Ordering::SeqCst);
        let looks = self.looks.join().map_err(|_| Failure::new("watching the weights failed"))?;
        let sent = records.split().map(|record| record.sent);
        Ok(allowed(&looks, sent))
    }
}

/// The sum of the weights over all requests; between two looks the higher one counts.
fn allowed(looks: &[(Duration, f64)], sent: impl Iterator<Item = Duration>) -> f64 {
    let share = |at: Duration| {
        let next = looks.partition_point(|(when, _)| *when <= at);
        let around = looks.get(next.saturating_sub(1)..(next + 1).min(looks.len())).unwrap_or_default();
        around.iter().map(|(_, weight)| *weight).fold(0.0, f64::max) / 100.0
    };
    let sum: f64 = sent.map(share).sum();
    if sum > 0.0 { sum * MARGIN + FEW } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_follows_the_weight() {
        let looks = [(0, 0.0), (100, 50.0), (200, 0.0)].map(|(at, weight)| (Duration::from_millis(at), weight));
        let sent = |at: &[u64]| {
            allowed(&looks, at.iter().map(|at| Duration::from_millis(*at)).collect::<Vec<_>>().into_iter())
        };
        assert!(sent(&[250, 300, 400]) < 0.001, "it had no weight then");
        assert!((sent(&[150, 150]) - (MARGIN + FEW)).abs() < 0.001, "two at a half");
        assert!(sent(&[50]) > 0.0, "it may have got its weight already");
        assert!(allowed(&[], [Duration::ZERO].into_iter()) < 0.001);
    }
}
