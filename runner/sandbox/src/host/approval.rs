//! `windlass:approval`.

use serde_json::json;
use windlass_gate::Function;

use crate::contract::windlass::approval::approval::{Decision, Error, Host};
use crate::state::State;

impl Host for State {
    async fn wait(&mut self, message: String) -> wasmtime::Result<Result<Decision, Error>> {
        self.call(Function::ApprovalWait, json!({ "message": message })).await
    }
}
