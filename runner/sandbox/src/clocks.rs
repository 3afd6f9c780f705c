//! WASI's clocks, through the gate: what a plugin sees of them is in the journal, so its code takes
//! the same way again when it runs against its recorded calls.
//!
//! The monotonic clock of an attempt begins at zero. When the attempt runs again, the clock stands
//! where its last recorded observation left it, and goes on from there when the record ends.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use windlass_gate::Function;

use crate::state::State;

/// Puts these in the place of WASI's own.
pub(crate) fn replace(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wall_clock::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    monotonic_clock::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

/// The monotonic clock of one attempt and the timers that wait for it; all in its nanoseconds.
pub(crate) struct Clock {
    /// The clock's time at `since`.
    base: u64,
    since: Instant,
    /// What the plugin saw last. Unlike [`Clock::now`] it is the same whenever the attempt runs again.
    pub(crate) seen: u64,
    /// By the handle of the pollable.
    pub(crate) timers: HashMap<u32, Timer>,
}

/// A pollable that waits for a time.
#[derive(Clone, Copy)]
pub(crate) struct Timer {
    pub(crate) deadline: u64,
    /// How long it was to wait when it was made, as the plugin saw it.
    pub(crate) asked: u64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { base: 0, since: Instant::now(), seen: 0, timers: HashMap::new() }
    }

    pub(crate) fn now(&self) -> u64 {
        self.base.saturating_add(nanoseconds(self.since.elapsed()))
    }

    /// Puts it where it stood when the attempt ran before.
    pub(crate) fn set(&mut self, time: u64) {
        self.base = time;
        self.since = Instant::now();
    }
}

pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The time of day, since the Unix epoch.
pub(crate) fn time_of_day() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl wall_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let seen = self.observe(Function::WasiWallClock, || {
            let now = time_of_day();
            json!([now.as_secs(), now.subsec_nanos()])
        })?;
        let (seconds, nanoseconds) = match seen {
            Some(seen) => serde_json::from_value(seen)?,
            None => (0, 0),
        };
        Ok(wall_clock::Datetime { seconds, nanoseconds })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: 1_000 })
    }
}

impl monotonic_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<u64> {
        let now = self.clock.now();
        let mut live = false;
        let seen = self.observe(Function::WasiMonotonicClock, || {
            live = true;
            json!(now)
        })?;
        // Nobody is asked while a plugin says what it is. Not zero: Go takes that for a clock that does not work.
        let Some(seen) = seen else { return Ok(1) };
        let seen = serde_json::from_value(seen)?;
        if !live {
            self.clock.set(seen);
        }
        self.clock.seen = seen;
        Ok(seen)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1_000)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.timer(Timer { deadline: when, asked: when.saturating_sub(self.clock.seen) })
    }

    fn subscribe_duration(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.timer(Timer { deadline: self.clock.now().saturating_add(when), asked: when })
    }
}

impl State {
    fn timer(&mut self, timer: Timer) -> wasmtime::Result<Resource<DynPollable>> {
        let resource = self.table.push(Known)?;
        let pollable = subscribe(&mut self.table, resource)?;
        self.clock.timers.insert(pollable.rep(), timer);
        Ok(pollable)
    }
}

/// What WASI's table knows of a timer; everything else is in [`Clock::timers`], where `poll` looks.
struct Known;

#[async_trait::async_trait]
impl Pollable for Known {
    async fn ready(&mut self) {}
}
