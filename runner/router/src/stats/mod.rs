//! Measurements: who is counted where, and windows over them.

mod histogram;
mod recorder;

pub(crate) use recorder::{End, Recorder};

use crate::api::{Counts, Latency, Measurements, RevisionMeasurements, Window};
use histogram::{BUCKETS, quantile, upper};
use recorder::{KEPT, Second, Tally};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

/// The time of day, read once and then counted on, so that it never goes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: Instant,
    began_ms: u64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { began: Instant::now(), began_ms: u64::try_from(since.as_millis()).unwrap_or(0) }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.began_ms + self.up_ms()
    }

    pub(crate) fn second(&self) -> u64 {
        self.now_ms() / 1000
    }

    pub(crate) fn up_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Service, revision, container.
type Key = (String, String, String);

/// What books hold, on its way to other books.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pages {
    since_ms: u64,
    all: Vec<(Key, Vec<Second>)>,
}

/// All recorders. They outlive what they count by the time that is kept.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) clock: Clock,
    since_ms: Mutex<u64>,
    recorders: Mutex<BTreeMap<Key, Arc<Recorder>>>,
}

impl Books {
    pub(crate) fn new() -> Self {
        let clock = Clock::new();
        Self { clock, since_ms: Mutex::new(clock.now_ms()), recorders: Mutex::new(BTreeMap::new()) }
    }

    /// The recorder of a container; an empty revision counts what a service could not serve.
    pub(crate) fn recorder(&self, service: &str, revision: &str, container: &str) -> Arc<Recorder> {
        let key = (service.to_owned(), revision.to_owned(), container.to_owned());
        let oldest = self.clock.second().saturating_sub(KEPT);
        let mut recorders = self.lock();
        recorders.retain(|_, recorder| Arc::strong_count(recorder) > 1 || recorder.last() >= oldest);
        Arc::clone(recorders.entry(key).or_insert_with(|| Arc::new(Recorder::new())))
    }

    /// Reads a window of a service.
    pub(crate) fn read(&self, service: &str, window: Window) -> Measurements {
        let (from, to) = (window.from_ms / 1000, window.to_ms.div_ceil(1000));
        let mut measured = Measurements {
            window: Window { from_ms: from * 1000, to_ms: to * 1000 },
            now_ms: self.clock.now_ms(),
            since_ms: *self.since_ms.lock().unwrap_or_else(PoisonError::into_inner),
            revisions: BTreeMap::new(),
            unserved: 0,
        };
        let mut sums: BTreeMap<&str, (Tally, Vec<u64>)> = BTreeMap::new();
        let recorders = self.lock();
        for ((_, revision, container), recorder) in recorders.iter().filter(|((s, _, _), _)| s == service) {
            let mut tally = Tally::default();
            let mut latency = vec![0; BUCKETS];
            recorder.sum(from, to, &mut tally, &mut latency);
            if revision.is_empty() {
                measured.unserved += tally.requests;
                continue;
            }
            let (all, together) = sums.entry(revision).or_insert_with(|| (Tally::default(), vec![0; BUCKETS]));
            all.add(&tally);
            together.iter_mut().zip(&latency).for_each(|(sum, more)| *sum += more);
            let of = measured.revisions.entry(revision.clone()).or_default();
            of.containers.insert(container.clone(), counts(tally, &latency));
        }
        for (revision, (tally, latency)) in sums {
            measured.revisions.entry(revision.to_owned()).or_default().total = counts(tally, &latency);
        }
        measured
    }

    /// Takes everything out, for the router that takes over.
    pub(crate) fn take(&self) -> Pages {
        let since_ms = *self.since_ms.lock().unwrap_or_else(PoisonError::into_inner);
        let recorders = self.lock();
        let all = recorders.iter().map(|(key, recorder)| (key.clone(), recorder.take()));
        Pages { since_ms, all: all.filter(|(_, seconds)| !seconds.is_empty()).collect() }
    }

    /// Puts in what was taken out here or in another router.
    pub(crate) fn put(&self, pages: Pages) {
        let mut since = self.since_ms.lock().unwrap_or_else(PoisonError::into_inner);
        *since = pages.since_ms.min(*since);
        for ((service, revision, container), seconds) in pages.all {
            self.recorder(&service, &revision, &container).put(seconds);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Arc<Recorder>>> {
        self.recorders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RevisionMeasurements {
    pub(crate) fn with_in_flight(mut self, in_flight: u64) -> Self {
        self.in_flight = in_flight;
        self
    }
}

fn counts(tally: Tally, latency: &[u64]) -> Counts {
    let of = |part| quantile(latency, part);
    let filled = latency.iter().enumerate().filter(|(_, count)| **count > 0);
    Counts {
        requests: tally.requests,
        errors: tally.errors,
        classes: tally.classes,
        broken: tally.broken,
        cut: tally.cut,
        unreachable: tally.unreachable,
        client_aborts: tally.client_aborts,
        chosen: tally.chosen,
        latency: Latency {
            count: latency.iter().sum(),
            p50_us: of(0.5),
            p90_us: of(0.9),
            p95_us: of(0.95),
            p99_us: of(0.99),
            max_us: of(1.0),
            buckets: filled.map(|(at, count)| [upper(at), *count]).collect(),
        },
    }
}
