//! WASI's `poll`, through the gate: which timers are ready, and that a wait is over, is in the journal.
//!
//! What is no timer is a stream of a file or of the log, which waits for nothing but the disk. Such a
//! stream is always ready: its work is seen through before the answer is given. So only timers make
//! an answer that could be another one the next time, and only polls with timers are recorded.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi_io::bindings::wasi::io::poll;
use windlass_gate::Function;

use crate::clocks::{Timer, time_of_day};
use crate::state::State;

/// A wait for as long as this is recorded when it begins, so that it is not begun anew after a crash. Nanoseconds.
const LONG: u64 = 1_000_000_000;

/// The most that a timer sleeps before it looks at the clock again.
const NAP: Duration = Duration::from_secs(24 * 60 * 60);

/// Puts these in the place of WASI's own.
pub(crate) fn replace(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    poll::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

/// A long wait, when it began.
#[derive(Serialize, Deserialize)]
struct Begun {
    /// The time of day, in milliseconds since the Unix epoch.
    wall: u64,
    /// The plugin's monotonic clock.
    now: u64,
    /// How long each timer still had to go, in the order of the list.
    left: Vec<u64>,
}

/// How a poll ended.
#[derive(Serialize, Deserialize)]
struct Polled {
    /// The plugin's monotonic clock.
    now: u64,
    /// Which of the list were ready timers.
    ready: Vec<u32>,
}

/// A timer in the list that is polled.
struct Listed {
    index: u32,
    handle: u32,
}

impl State {
    /// Which of these are ready. If none is, waits for the first unless it is only to look.
    async fn poll(&mut self, list: &[Resource<DynPollable>], wait: bool) -> wasmtime::Result<Vec<u32>> {
        let mut ready = BTreeSet::new();
        let mut timers = Vec::new();
        for (index, pollable) in (0_u32..).zip(list) {
            let handle = pollable.rep();
            if self.clock.timers.contains_key(&handle) {
                timers.push(Listed { index, handle });
            } else {
                poll::HostPollable::block(&mut self.table, Resource::new_borrow(handle)).await?;
                ready.insert(index);
            }
        }
        if !timers.is_empty() {
            let wait = wait && ready.is_empty();
            ready.extend(self.poll_timers(&timers, wait).await?);
        }
        Ok(ready.into_iter().collect())
    }

    async fn poll_timers(&mut self, timers: &[Listed], wait: bool) -> wasmtime::Result<Vec<u32>> {
        if wait && self.each(timers).map(|timer| timer.asked).min().is_some_and(|asked| asked >= LONG) {
            self.begin(timers)?;
        }
        if let Some(polled) = self.played(Function::WasiPoll)? {
            let Polled { now, ready } = serde_json::from_value(polled)?;
            if ready.iter().any(|index| timers.iter().all(|timer| timer.index != *index)) || (wait && ready.is_empty())
            {
                return Err(wasmtime::Error::msg("the recorded answer of wasi.poll does not fit what is polled"));
            }
            self.clock.set(now);
            self.clock.seen = now;
            return Ok(ready);
        }
        // Others run, even if the plugin polls in a busy loop.
        tokio::task::yield_now().await;
        let first = self.each(timers).map(|timer| timer.deadline).min().unwrap_or_default();
        while wait && self.clock.now() < first {
            let left = Duration::from_nanos(first.saturating_sub(self.clock.now()));
            tokio::time::sleep(left.min(NAP)).await;
        }
        let now = self.clock.now();
        let is_ready = |timer: &&Listed| self.clock.timers.get(&timer.handle).is_none_or(|timer| timer.deadline <= now);
        let ready: Vec<u32> = timers.iter().filter(is_ready).map(|timer| timer.index).collect();
        self.observe(Function::WasiPoll, || json!(Polled { now, ready: ready.clone() }))?;
        self.clock.seen = now;
        Ok(ready)
    }

    /// Records that a long wait begins; or goes on with the one that has begun, which may have been in another process.
    fn begin(&mut self, timers: &[Listed]) -> wasmtime::Result<()> {
        let now = self.clock.now();
        let left = self.each(timers).map(|timer| timer.deadline.saturating_sub(now)).collect();
        let wall = u64::try_from(time_of_day().as_millis()).unwrap_or(u64::MAX);
        let mut live = false;
        let begun = self.observe(Function::WasiWaitBegun, || {
            live = true;
            json!(Begun { wall, now, left })
        })?;
        if let (Some(begun), false) = (begun, live) {
            let begun: Begun = serde_json::from_value(begun)?;
            for (timer, left) in timers.iter().zip(&begun.left) {
                if let Some(timer) = self.clock.timers.get_mut(&timer.handle) {
                    timer.deadline = begun.now.saturating_add(*left);
                }
            }
            let passed = wall.saturating_sub(begun.wall).saturating_mul(1_000_000);
            self.clock.set(begun.now.saturating_add(passed));
        }
        Ok(())
    }

    fn each<'a>(&'a self, timers: &'a [Listed]) -> impl Iterator<Item = Timer> + 'a {
        timers.iter().filter_map(|timer| self.clock.timers.get(&timer.handle)).copied()
    }
}

impl poll::Host for State {
    async fn poll(&mut self, list: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        if list.is_empty() {
            return Err(wasmtime::Error::msg("`poll` was called with nothing to wait for"));
        }
        Self::poll(self, &list, true).await
    }
}

impl poll::HostPollable for State {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        Ok(!Self::poll(self, &[pollable], false).await?.is_empty())
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        Self::poll(self, &[pollable], true).await.map(|_| ())
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.clock.timers.remove(&pollable.rep());
        poll::HostPollable::drop(&mut self.table, pollable)
    }
}
