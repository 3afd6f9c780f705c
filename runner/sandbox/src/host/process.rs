//! `windlass:process`.

use serde_json::json;
use windlass_gate::Function;

use crate::contract::windlass::process::process::{Command, Error, Exit, Host};
use crate::state::State;

impl Host for State {
    async fn run(&mut self, command: Command) -> wasmtime::Result<Result<Exit, Error>> {
        self.call(Function::ProcessRun, json!({ "command": command })).await
    }
}
