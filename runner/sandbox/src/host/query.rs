//! `windlass:metrics/query`.

use serde_json::json;
use windlass_gate::Function;

use crate::contract::windlass::metrics::query::{Error, Host, Sample};
use crate::state::State;

impl Host for State {
    async fn prometheus(
        &mut self,
        url: String,
        expression: String,
        timeout_ms: u64,
    ) -> wasmtime::Result<Result<Vec<Sample>, Error>> {
        let args = json!({ "url": url, "expression": expression, "timeout-ms": timeout_ms });
        self.call(Function::QueryPrometheus, args).await
    }
}
