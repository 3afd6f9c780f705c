//! `windlass:metrics`.

use serde_json::json;
use windlass_gate::{CallError, Function};

use crate::contract::windlass::metrics::metrics::{Host, Metric};
use crate::state::State;

impl Host for State {
    async fn emit(&mut self, metric: Metric) -> wasmtime::Result<()> {
        match self.call::<(), CallError>(Function::MetricsEmit, json!({ "metric": metric })).await? {
            Ok(()) => Ok(()),
            Err(error) => Err(wasmtime::Error::msg(error.to_string())),
        }
    }
}
