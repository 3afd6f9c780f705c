//! Measurements from HAProxy's counters. It has no distribution of times, only averages and maxima
//! since it began: so [`Latency`] is empty, and whoever judges by it finds that there is not enough.

use super::ledger::{COUNTERS, Sum, Sums};
use super::seen::{Backend, parts};
use crate::api::{Counts, Latency, Measurements, RevisionMeasurements, Window};

pub(super) fn measurements(
    service: &str,
    (first, last): &(Sums, Sums),
    now_ms: u64,
    backend: Option<&Backend>,
) -> Measurements {
    let none = Sum::default();
    let (before, after) = (first.services.get(service).unwrap_or(&none), last.services.get(service).unwrap_or(&none));
    let mut measured = Measurements {
        window: Window { from_ms: first.at_ms, to_ms: last.at_ms },
        now_ms,
        since_ms: last.since_ms,
        revisions: std::collections::BTreeMap::new(),
        unserved: after.unserved.saturating_sub(before.unserved),
    };
    for (server, sums) in &after.servers {
        let Some((revision, container)) = parts(server) else { continue };
        let old = before.servers.get(server).copied().unwrap_or_default();
        let mut diff = [0; COUNTERS + 1];
        for (diff, (new, old)) in diff.iter_mut().zip(sums.iter().zip(&old)) {
            *diff = new.saturating_sub(*old);
        }
        let counts = counts(diff);
        let entry: &mut RevisionMeasurements = measured.revisions.entry(revision.to_owned()).or_default();
        add(&mut entry.total, &counts);
        if counts != Counts::default() {
            entry.containers.insert(container.to_owned(), counts);
        }
        entry.in_flight += backend.and_then(|b| b.servers.get(server)).map_or(0, |s| s.in_flight);
    }
    measured
}

/// An answer counts when its head is there.
fn counts(diff: [u64; COUNTERS + 1]) -> Counts {
    let [one, two, three, four, five, other, not_connected, retries, broken, broken_later, client_aborts, lost, cut] =
        diff;
    // HAProxy does not tell 101 from 100: an upgrade is in its class, and no request.
    let answered = two + three + four + five + other;
    // A request that was cut is a broken one too; a WebSocket is not.
    let failed = not_connected + broken.max(cut) + lost;
    Counts {
        requests: answered + failed.saturating_sub(broken_later),
        errors: five + other + failed,
        classes: [one, two, three, four, five],
        broken: broken.saturating_sub(cut) + lost,
        cut,
        unreachable: not_connected + retries,
        client_aborts,
        chosen: 0,
        latency: Latency::default(),
    }
}

fn add(total: &mut Counts, more: &Counts) {
    total.requests += more.requests;
    total.errors += more.errors;
    total.broken += more.broken;
    total.cut += more.cut;
    total.unreachable += more.unreachable;
    total.client_aborts += more.client_aborts;
    total.classes.iter_mut().zip(more.classes).for_each(|(sum, n)| *sum += n);
}
