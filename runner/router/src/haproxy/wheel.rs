//! A model of HAProxy's round robin, to know beforehand what weights lead to.
//!
//! HAProxy gives each server positions on a line, as far apart as its weight says, and takes the server
//! whose position is due. Servers whose positions fall together are taken one after the other, and
//! after each round (sixteen times the sum of the weights) all of them begin anew. What is late at
//! the end of a round is lost: weights of 3, 3 and 2 give the last one not 25 but 24.4 % of the
//! requests. So weights are tried here, and those are taken that make the split.

/// HAProxy computes with sixteenths of a weight.
const SCALE: u64 = 16;
/// Its highest weight, in those.
const HIGHEST: u64 = 256 * SCALE;

#[derive(Clone, Debug)]
struct Server {
    revision: usize,
    weight: u64,
    /// Where it is due; none: not yet in this round.
    due: Option<u64>,
    /// What is left of the distance, which is no whole number.
    rest: u64,
    /// Its place among those that have the same key.
    entered: u64,
    /// It has had its part of this round.
    done: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Wheel {
    servers: Vec<Server>,
    round: u64,
    position: u64,
    entries: u64,
}

impl Wheel {
    /// By revision, the weights of its servers. Those with the same weight begin in this order.
    pub(super) fn new<'a>(servers: impl Iterator<Item = (usize, &'a u32)>) -> Self {
        let servers = servers.filter(|(_, weight)| **weight > 0).enumerate().map(|(at, (revision, weight))| Server {
            revision,
            weight: u64::from(*weight) * SCALE,
            due: None,
            rest: 0,
            entered: at as u64,
            done: false,
        });
        let servers: Vec<Server> = servers.collect();
        let (round, entries) = (servers.iter().map(|s| s.weight).sum(), servers.len() as u64);
        Self { servers, round, position: 0, entries }
    }

    /// The revision whose server the next request goes to. Without servers: 0.
    pub(super) fn next(&mut self) -> usize {
        let Some(at) = self.chosen().or_else(|| {
            self.turn_over();
            self.chosen()
        }) else {
            return 0;
        };
        let (round, position) = (self.round, self.position);
        self.position += 1;
        self.entries += 1;
        let Some(server) = self.servers.get_mut(at) else { return 0 };
        let mut due = server.due.unwrap_or(position) + round / server.weight;
        server.rest += round % server.weight;
        if server.rest >= server.weight {
            server.rest -= server.weight;
            due += 1;
        }
        server.done = due >= round;
        server.due = Some(due);
        server.entered = self.entries;
        server.revision
    }

    /// Whoever is due, first the one that is due longest; otherwise the heaviest that is not yet in this round.
    fn chosen(&self) -> Option<usize> {
        let open = || self.servers.iter().enumerate().filter(|(_, s)| !s.done);
        let due = open().filter_map(|(at, s)| Some((at, s, s.due?)));
        // As HAProxy's sorting key: the position first, then the lighter one with more of a rest.
        let key = |s: &Server, due: u64| (due * 257 + (HIGHEST + s.rest - s.weight) / SCALE, s.entered);
        let first = due.min_by_key(|(_, s, due)| key(s, *due));
        if let Some((at, _, due)) = first
            && due <= self.position
        {
            return Some(at);
        }
        let fresh = open().filter(|(_, s)| s.due.is_none());
        let fresh = fresh.min_by_key(|(_, s)| (HIGHEST - s.weight, s.entered)).map(|(at, _)| at);
        fresh.or(first.map(|(at, ..)| at))
    }

    fn turn_over(&mut self) {
        self.position = 0;
        for server in &mut self.servers {
            (server.due, server.rest, server.done) = (None, 0, false);
        }
    }

    /// Once it has begun its second round: how far the requests of any revision are from `wanted`, at most, in
    /// windows of `window` requests that begin in the course of one more.
    pub(super) fn off(&mut self, wanted: &[u64], window: u64) -> u64 {
        let length = window + self.round;
        for _ in 0..self.round {
            self.next();
        }
        let taken: Vec<usize> = (0..length).map(|_| self.next()).collect();
        let mut counts = vec![0_u64; wanted.len()];
        let mut worst = 0;
        for (at, revision) in taken.iter().enumerate() {
            if let Some(count) = counts.get_mut(*revision) {
                *count += 1;
            }
            let Some(left) = (at as u64 + 1).checked_sub(window) else { continue };
            let before = usize::try_from(left).ok().and_then(|l| l.checked_sub(1)).and_then(|l| taken.get(l));
            if let Some(count) = before.and_then(|revision| counts.get_mut(*revision)) {
                *count -= 1;
            }
            let off = counts.iter().zip(wanted).map(|(count, wanted)| count.abs_diff(*wanted)).max();
            worst = worst.max(off.unwrap_or(0));
        }
        worst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 10,000 requests, those of the last revision, as HAProxy 2.6.12 took them: one more or less,
    /// by where one begins to count.
    #[test]
    fn it_takes_what_haproxy_took() {
        for (servers, taken) in [
            (vec![(0, 9), (0, 9), (1, 2)], 972),
            (vec![(0, 3), (0, 3), (1, 2)], 2_441),
            (vec![(0, 45), (0, 45), (0, 44), (1, 33), (1, 33)], 3_298),
            (vec![(0, 50), (0, 49), (1, 1)], 100),
            (vec![(0, 19), (1, 1)], 500),
            (vec![(0, 2), (0, 2), (0, 2), (1, 1), (1, 1)], 2_500),
            (vec![(0, 26), (0, 25), (0, 25), (1, 4)], 500),
        ] {
            let mut wheel = Wheel::new(servers.iter().map(|(r, w)| (*r, w)));
            let off = wheel.off(&[10_000 - taken, taken], 10_000);
            assert!(off <= 1, "{servers:?}: {off}");
        }
    }
}
