//! `windlass:timer`.

use serde_json::json;
use windlass_gate::{CallError, Function};

use crate::contract::windlass::timer::timer::Host;
use crate::state::State;

impl Host for State {
    async fn sleep(&mut self, milliseconds: u64) -> wasmtime::Result<()> {
        match self.call::<(), CallError>(Function::TimerSleep, json!({ "milliseconds": milliseconds })).await? {
            Ok(()) => Ok(()),
            Err(error) => Err(wasmtime::Error::msg(error.to_string())),
        }
    }
}
