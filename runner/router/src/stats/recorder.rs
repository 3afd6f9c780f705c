//! What one container did, second by second.

use super::histogram::{BUCKETS, bucket};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Seconds that are kept.
pub(crate) const KEPT: u64 = 3_600;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Wholly answered, with this status.
    Answered(u16),
    /// The endpoint broke off, or took too long.
    Broken,
    /// The time to drain was over.
    Cut,
    /// The client went away.
    Aborted,
}

/// Counters of a second, or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) classes: [u64; 5],
    pub(crate) broken: u64,
    pub(crate) cut: u64,
    pub(crate) unreachable: u64,
    pub(crate) client_aborts: u64,
    pub(crate) chosen: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        for (mine, theirs) in self.classes.iter_mut().zip(other.classes) {
            *mine += theirs;
        }
        self.broken += other.broken;
        self.cut += other.cut;
        self.unreachable += other.unreachable;
        self.client_aborts += other.client_aborts;
        self.chosen += other.chosen;
    }

    fn count(&mut self, end: End, chosen: bool) {
        if end == End::Aborted {
            self.client_aborts += 1;
            return;
        }
        self.requests += 1;
        self.chosen += u64::from(chosen);
        match end {
            End::Answered(status) => {
                if let Some(class) = usize::from(status / 100).checked_sub(1).and_then(|c| self.classes.get_mut(c)) {
                    *class += 1;
                }
                self.errors += u64::from(status >= 500);
            }
            End::Broken => {
                self.broken += 1;
                self.errors += 1;
            }
            End::Cut => {
                self.cut += 1;
                self.errors += 1;
            }
            End::Aborted => {}
        }
    }
}

/// A second that is over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Second {
    pub(crate) at: u64,
    pub(crate) tally: Tally,
    /// Bucket and count, without empty ones.
    pub(crate) latency: Vec<(u16, u32)>,
}

impl Second {
    fn add(&mut self, other: Self) {
        self.tally.add(&other.tally);
        for (bucket, count) in other.latency {
            match self.latency.iter_mut().find(|(b, _)| *b == bucket) {
                Some((_, sum)) => *sum += count,
                None => self.latency.push((bucket, count)),
            }
        }
    }
}

#[derive(Debug)]
struct Live {
    at: u64,
    tally: Tally,
    latency: Box<[u32; BUCKETS]>,
    past: VecDeque<Second>,
}

/// Counts the requests of one container.
#[derive(Debug)]
pub(crate) struct Recorder(Mutex<Live>);

impl Recorder {
    pub(crate) fn new() -> Self {
        let latency = Box::new([0; BUCKETS]);
        Self(Mutex::new(Live { at: 0, tally: Tally::default(), latency, past: VecDeque::new() }))
    }

    /// A request ended in this second (since 1970).
    pub(crate) fn ended(&self, second: u64, end: End, latency_us: Option<u64>, chosen: bool) {
        let mut live = self.at(second);
        live.tally.count(end, chosen);
        // A client that gave up says nothing about the service, however long it had waited.
        if let Some(latency) = latency_us.filter(|_| end != End::Aborted) {
            live.latency[bucket(latency)] += 1;
        }
    }

    /// A connection could not be made.
    pub(crate) fn unreachable(&self, second: u64) {
        self.at(second).tally.unreachable += 1;
    }

    /// Adds up the seconds from `from` to before `to`.
    pub(crate) fn sum(&self, from: u64, to: u64, tally: &mut Tally, latency: &mut [u64]) {
        let live = self.lock();
        let past = live.past.partition_point(|s| s.at < from);
        for second in live.past.iter().skip(past).take_while(|s| s.at < to) {
            tally.add(&second.tally);
            for (at, count) in &second.latency {
                latency[usize::from(*at)] += u64::from(*count);
            }
        }
        if (from..to).contains(&live.at) {
            tally.add(&live.tally);
            for (sum, count) in latency.iter_mut().zip(live.latency.iter()) {
                *sum += u64::from(*count);
            }
        }
    }

    /// The last second in which anything happened.
    pub(crate) fn last(&self) -> u64 {
        let live = self.lock();
        live.past.back().map_or(0, |s| s.at).max(live.at)
    }

    /// Takes everything out: for the router that takes over, which counts on.
    pub(crate) fn take(&self) -> Vec<Second> {
        let mut live = self.lock();
        let next = live.at;
        live.turn(next);
        live.past.drain(..).collect()
    }

    /// Puts in what was taken out here or in another router.
    pub(crate) fn put(&self, seconds: Vec<Second>) {
        let mut live = self.lock();
        for second in seconds.into_iter().filter(|s| s.latency.iter().all(|(bucket, _)| usize::from(*bucket) < BUCKETS))
        {
            let (at, past) = (live.past.partition_point(|s| s.at < second.at), &mut live.past);
            match past.get_mut(at).filter(|s| s.at == second.at) {
                Some(there) => there.add(second),
                None => past.insert(at, second),
            }
        }
    }

    fn at(&self, second: u64) -> MutexGuard<'_, Live> {
        let mut live = self.lock();
        if second > live.at {
            live.turn(second);
        }
        live
    }

    fn lock(&self) -> MutexGuard<'_, Live> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// The second that is not over yet, if anything happened in it.
    fn so_far(&self) -> Option<Second> {
        let counts = self.latency.iter().enumerate().filter(|(_, c)| **c > 0);
        let latency = counts.map(|(at, c)| (u16::try_from(at).unwrap_or(u16::MAX), *c)).collect();
        (self.tally != Tally::default()).then(|| Second { at: self.at, tally: self.tally.clone(), latency })
    }

    /// The second is over; the next begins.
    fn turn(&mut self, second: u64) {
        if let Some(over) = self.so_far() {
            // What another router counted of this second may be there already.
            match self.past.back_mut().filter(|s| s.at == over.at) {
                Some(there) => there.add(over),
                None => self.past.push_back(over),
            }
            self.tally = Tally::default();
            self.latency.fill(0);
        }
        self.at = second;
        while self.past.front().is_some_and(|s| s.at + KEPT < second) {
            self.past.pop_front();
        }
    }
}
