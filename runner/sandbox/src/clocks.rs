//! WASI's clocks and random numbers, through the gate: what a plugin sees of them is in the journal,
//! so its code takes the same way again when it is replayed.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value as Json, json};
use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use windlass_gate::Function;

use crate::state::State;

/// The most random bytes that one call gives.
const MAX_RANDOM: u64 = 64 * 1024;

/// Puts these in the place of WASI's own.
pub(crate) fn replace(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    wall_clock::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    monotonic_clock::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    random::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    insecure::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    insecure_seed::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    linker.allow_shadowing(false);
    Ok(())
}

impl State {
    /// What the session saw; without a session (`describe`) time stands still and chance is fixed.
    fn observe(&mut self, function: Function, see: impl FnOnce() -> Json) -> wasmtime::Result<Option<Json>> {
        let Some(session) = self.session.as_mut() else { return Ok(None) };
        match session.observe(function, see) {
            Ok(seen) => Ok(Some(seen)),
            Err(interrupt) => {
                let message = interrupt.to_string();
                self.interrupt = Some(interrupt);
                Err(wasmtime::Error::msg(message))
            }
        }
    }

    fn random(&mut self) -> wasmtime::Result<&mut ChaCha20Rng> {
        if self.random.is_none() {
            let seen = self.observe(Function::WasiRandomSeed, || {
                let mut seed = [0; 32];
                match getrandom::fill(&mut seed) {
                    Ok(()) => json!(seed),
                    Err(_) => Json::Null,
                }
            })?;
            let seed: [u8; 32] = match seen {
                Some(seen) => serde_json::from_value(seen)
                    .map_err(|_| wasmtime::Error::msg("the operating system has no random numbers to give"))?,
                None => [0; 32],
            };
            self.random = Some(ChaCha20Rng::from_seed(seed));
        }
        self.random.as_mut().ok_or_else(|| wasmtime::Error::msg("no random numbers"))
    }

    fn random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        if len > MAX_RANDOM {
            return Err(wasmtime::Error::msg(format!("{len} random bytes at once; at most {MAX_RANDOM} are given")));
        }
        let mut bytes = vec![0; usize::try_from(len)?];
        self.random()?.fill_bytes(&mut bytes);
        Ok(bytes)
    }
}

impl wall_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let seen = self.observe(Function::WasiWallClock, || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
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
        let started = self.started;
        let seen = self.observe(Function::WasiMonotonicClock, || json!(nanoseconds(started.elapsed())))?;
        Ok(seen.and_then(|seen| seen.as_u64()).unwrap_or(0))
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1_000)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let now = nanoseconds(self.started.elapsed());
        self.subscribe_duration(when.saturating_sub(now))
    }

    fn subscribe_duration(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let deadline = Instant::now().checked_add(Duration::from_nanos(when));
        let deadline = self.table.push(Deadline(deadline.map(Into::into)))?;
        subscribe(&mut self.table, deadline)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A time so far away that it has no name is waited for until the step's own limit.
struct Deadline(Option<tokio::time::Instant>);

#[async_trait::async_trait]
impl Pollable for Deadline {
    async fn ready(&mut self) {
        match self.0 {
            // A deadline that has passed still lets others run: a guest may poll in a busy loop.
            Some(deadline) if deadline <= tokio::time::Instant::now() => tokio::task::yield_now().await,
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }
}

impl random::Host for State {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.random()?.next_u64())
    }
}

impl insecure::Host for State {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.random()?.next_u64())
    }
}

impl insecure_seed::Host for State {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        let random = self.random()?;
        Ok((random.next_u64(), random.next_u64()))
    }
}
