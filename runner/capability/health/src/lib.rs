//! Health checks: attempts, thresholds and intervals over the probes of other capabilities.
//!
//! A check has no effect and no clock of its own. Each attempt is a call through the session
//! (`http.probe`, `http.probe-tcp`, `docker.locate`, `docker.probe-command`, `docker.probe-health`),
//! and so is each pause (`timer.sleep`). All of them are in the journal, and what follows from them
//! is decided by nothing else: when the calls are answered from the record, a check takes the same
//! way through the same attempts to the same report.
//!
//! Time is therefore counted in pauses: see [`Judge`].

mod attempt;
mod judge;
mod policy;
mod wait;

use async_trait::async_trait;
use serde_json::Value as Json;
use windlass_gate::api::health::{Check, Report, Wait};
use windlass_gate::{Call, CallError, Capability, Function, Session, Stop};

pub use judge::{Judge, Verdict};

/// Health checks, made of the probes of other capabilities.
#[derive(Clone, Copy, Debug, Default)]
pub struct Health;

#[async_trait]
impl Capability for Health {
    fn name(&self) -> &'static str {
        "health"
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        Err(CallError::Other(format!("{} is not one call; it is made of others", call.function.name())))
    }

    async fn compose(&self, function: Function, args: &str, session: &mut Session) -> Result<Json, Stop> {
        let report: Report = match function {
            Function::HealthCheck => {
                let Check { target, timeout_ms } = decode(function, args)?;
                wait::once(&target, timeout_ms, session).await?
            }
            Function::HealthWait => {
                let Wait { target, policy } = decode(function, args)?;
                wait::until_sure(&target, &policy, session).await?
            }
            other => {
                return Err(CallError::Other(format!("the health capability does not know {}", other.name())).into());
            }
        };
        serde_json::to_value(report)
            .map_err(|error| CallError::Other(format!("the report cannot be written as JSON: {error}")).into())
    }
}

fn decode<O: windlass_gate::api::Operation>(function: Function, args: &str) -> Result<O, CallError> {
    serde_json::from_str(args).map_err(|error| CallError::Invalid(format!("arguments of {}: {error}", function.name())))
}
