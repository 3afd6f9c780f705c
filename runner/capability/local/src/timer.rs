//! Waiting.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value as Json;
use windlass_gate::api::Nothing;
use windlass_gate::api::timer::Sleep;
use windlass_gate::{Call, CallError, Capability, Function};

use crate::{to_json, unknown};

/// Waits on behalf of a step. Dropping the call ends the wait.
///
/// There is no longest wait: the interface has no error for one, and the step's own time limit holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timer;

#[async_trait]
impl Capability for Timer {
    fn name(&self) -> &'static str {
        "timer"
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        match call.function {
            Function::TimerSleep => {
                let Sleep { milliseconds } = call.decode()?;
                // What was waited before a crash need not be waited again.
                let left = Duration::from_millis(milliseconds).saturating_sub(call.began_before);
                tokio::time::sleep(left).await;
                to_json(Nothing)
            }
            other => Err(unknown("timer", other)),
        }
    }
}
