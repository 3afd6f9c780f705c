//! What HAProxy does not keep: how its counters stood when, which drains have a limit, and which of its
//! processes are at an end.
//!
//! Its counters begin at 0 with each process and each server, and have no past. So each operation
//! adds what has been counted since the one before to sums of its own, and writes them down with the
//! time: a window is the difference of two of these lines. What a process counted after the last
//! look before its end is lost, and measuring begins anew then.

use super::seen::{Raw, Seen, parts};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Longer, and its older half is forgotten.
const LONGEST: u64 = 4 << 20;
/// A look more often than that is not written down, unless it is asked for.
const RARELY_MS: u64 = 900;
/// What a server that has gone did is told for so long.
const TOLD_MS: u64 = 3_600_000;

/// In `ledger.json`. It may be lost: then measuring begins anew, and drains have no limit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// The HAProxy process that was seen last.
    pid: u32,
    /// Those before it that may still finish requests.
    #[serde(default)]
    old: BTreeSet<u32>,
    /// HAProxy's own counters, by backend and server; what is not there is new and began at 0.
    #[serde(default)]
    raw: BTreeMap<String, BTreeMap<String, [u64; COUNTERS]>>,
    #[serde(default)]
    not_connected: BTreeMap<String, u64>,
    /// By `BACKEND/SERVER`.
    #[serde(default)]
    pub(super) drains: BTreeMap<String, Draining>,
    sums: Sums,
    /// Servers that HAProxy has no more, by `BACKEND/SERVER`, and since when.
    #[serde(default)]
    gone: BTreeMap<String, u64>,
}

/// A drain with its limit.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Draining {
    pub(super) until_ms: u64,
    pub(super) cut: u64,
}

/// A line of `counts.jsonl`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sums {
    pub(super) at_ms: u64,
    /// Since when nothing was missed.
    pub(super) since_ms: u64,
    pub(super) services: BTreeMap<String, Sum>,
}

/// Of one service.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sum {
    /// Requests that found no server.
    pub(super) unserved: u64,
    /// By server: [`Raw`]'s counters, and at last those that were cut.
    pub(super) servers: BTreeMap<String, [u64; COUNTERS + 1]>,
}

/// In [`Raw`].
pub(super) const COUNTERS: usize = 12;
/// The last of them, which is an estimate: it grows, but its source may fall.
const LOST: usize = COUNTERS - 1;
const NOT_CONNECTED: usize = 6;

impl Raw {
    fn counters(&self) -> [u64; COUNTERS] {
        let [one, two, three, four, five] = self.classes;
        let Self { other, not_connected, retries, broken, broken_later, client_aborts, lost, .. } = *self;
        [one, two, three, four, five, other, not_connected, retries, broken, broken_later, client_aborts, lost]
    }
}

impl Ledger {
    pub(super) fn load(folder: &Path) -> Self {
        let text = fs::read(folder.join("ledger.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    pub(super) fn save(&self, folder: &Path) -> io::Result<()> {
        let temp = folder.join("ledger.json.new");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temp)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        fs::rename(&temp, folder.join("ledger.json"))
    }

    /// HAProxy processes before this one that still finish requests.
    pub(super) fn predecessors(&self) -> bool {
        !self.old.is_empty()
    }

    /// The sums as of the last look.
    pub(super) fn sums(&self) -> &Sums {
        &self.sums
    }

    /// Takes in what HAProxy shows. `keep`: this moment begins or ends a window.
    pub(super) fn look(&mut self, folder: &Path, seen: &Seen, now_ms: u64, keep: bool) -> io::Result<()> {
        if self.pid != seen.pid {
            if self.pid != 0 {
                self.old.insert(self.pid);
            }
            self.pid = seen.pid;
            self.raw.clear();
            self.not_connected.clear();
            self.sums.since_ms = now_ms;
        }
        self.old.retain(|pid| is_haproxy(*pid));
        for (name, backend) in &seen.backends {
            let ours = backend.servers.iter().filter(|(server, _)| parts(server).is_some());
            let before = self.raw.remove(name).unwrap_or_default();
            let sum = self.sums.services.entry(name.clone()).or_default();
            let (mut after, mut nowhere) = (BTreeMap::new(), 0_u64);
            let last = self.not_connected.insert(name.clone(), backend.not_connected).unwrap_or(0);
            nowhere += backend.not_connected.checked_sub(last).unwrap_or(backend.not_connected);
            for (server, there) in ours {
                let mut new = there.raw.counters();
                let old = before.get(server).copied().unwrap_or_default();
                // Less than before: somebody cleared the counters, or it is another server of this name.
                let fell = old.iter().zip(&new).take(LOST).any(|(o, n)| o > n);
                let old = if fell { [0; COUNTERS] } else { old };
                new[LOST] = new[LOST].max(old[LOST]);
                let sums = sum.servers.entry(server.clone()).or_default();
                for (sum, (n, o)) in sums.iter_mut().zip(new.iter().zip(&old)) {
                    *sum += n - o;
                }
                nowhere = nowhere.saturating_sub(new[NOT_CONNECTED] - old[NOT_CONNECTED]);
                after.insert(server.clone(), new);
            }
            if !after.is_empty() || !sum.servers.is_empty() {
                sum.unserved += nowhere;
            }
            self.raw.insert(name.clone(), after);
        }
        self.forget(now_ms);
        let rarely = now_ms.saturating_sub(self.sums.at_ms) >= RARELY_MS;
        if rarely || keep {
            // A clock that was set back must not make lines that go back.
            self.sums.at_ms = now_ms.max(self.sums.at_ms + 1);
            self.append(folder)?;
        }
        self.save(folder)
    }

    fn forget(&mut self, now_ms: u64) {
        let Self { sums, raw, gone, drains, .. } = self;
        let mut still = BTreeMap::new();
        for (service, sum) in &mut sums.services {
            let there = raw.get(service);
            sum.servers.retain(|server, _| {
                if there.is_some_and(|t| t.contains_key(server)) {
                    return true;
                }
                let key = format!("{service}/{server}");
                let since = gone.get(&key).copied().unwrap_or(now_ms);
                drains.remove(&key);
                still.insert(key, since);
                now_ms.saturating_sub(since) < TOLD_MS
            });
        }
        *gone = still;
        sums.services.retain(|_, sum| !sum.servers.is_empty());
    }

    /// Requests were cut.
    pub(super) fn cut(&mut self, service: &str, server: &str, requests: u64) {
        let key = format!("{service}/{server}");
        if let Some(drain) = self.drains.get_mut(&key) {
            drain.cut += requests;
        }
        let sums = self.sums.services.entry(service.to_owned()).or_default().servers.entry(server.to_owned());
        sums.or_default()[COUNTERS] += requests;
    }

    fn append(&self, folder: &Path) -> io::Result<()> {
        let path = folder.join("counts.jsonl");
        if fs::metadata(&path).is_ok_and(|m| m.len() > LONGEST) {
            let text = fs::read(&path)?;
            let half = text.len() / 2;
            let from = text.iter().skip(half).position(|b| *b == b'\n').map_or(text.len(), |at| half + at + 1);
            fs::write(&path, text.get(from..).unwrap_or_default())?;
        }
        let mut line = serde_json::to_vec(&self.sums)?;
        line.push(b'\n');
        fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?.write_all(&line)
    }
}

/// The lines around a window: the last before it begins, or else the first; the first after it ends,
/// or else the last.
pub(super) fn around(folder: &Path, from_ms: u64, to_ms: u64) -> Option<(Sums, Sums)> {
    let text = fs::read_to_string(folder.join("counts.jsonl")).unwrap_or_default();
    let (mut first, mut last): (Option<Sums>, Option<Sums>) = (None, None);
    // A line that was cut off by a crash is no line.
    for line in text.lines().filter_map(|line| serde_json::from_str::<Sums>(line).ok()) {
        if line.at_ms <= from_ms || first.is_none() {
            first = Some(line.clone());
        }
        let done = line.at_ms >= to_ms;
        last = Some(line);
        if done {
            break;
        }
    }
    Some((first?, last?))
}

fn is_haproxy(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "haproxy")
}
