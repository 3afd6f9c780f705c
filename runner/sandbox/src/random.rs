//! WASI's random numbers: all from one seed, which is in the journal.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value as Json, json};
use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use windlass_gate::Function;

use crate::state::State;

/// The most random bytes that one call gives.
const MAX_RANDOM: u64 = 64 * 1024;

/// Puts these in the place of WASI's own.
pub(crate) fn replace(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    random::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    insecure::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    insecure_seed::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
}

impl State {
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
