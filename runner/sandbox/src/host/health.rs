//! `windlass:health`.

use serde_json::json;
use windlass_gate::Function;

use crate::contract::windlass::health::health::{Error, Host, Policy, Report, Target};
use crate::state::State;

impl Host for State {
    async fn check(&mut self, target: Target, timeout_ms: u64) -> wasmtime::Result<Result<Report, Error>> {
        self.call(Function::HealthCheck, json!({ "target": target, "timeout-ms": timeout_ms })).await
    }

    async fn wait(&mut self, target: Target, policy: Policy) -> wasmtime::Result<Result<Report, Error>> {
        self.call(Function::HealthWait, json!({ "target": target, "policy": policy })).await
    }
}
