//! What a `traffic` grant can give: a service reserved for a run, its traffic moved, and what was measured of it.
//!
//! The router's table says what is allowed; here a call becomes a change of it that carries the call's identity, so that
//! it is made once however often it is asked for, and the run, so that nobody else can make it meanwhile. [`Guarded`]
//! keeps what serves from being stopped or removed, whoever asks.
#![allow(
    clippy::disallowed_methods,
    reason = "a router that is being replaced or started again is waited for: this is no clock that a step sees"
)]

mod abort;
mod asking;
mod change;
mod guard;
mod names;
mod replicas;
mod shown;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value as Json;
use windlass_gate::api::{Nothing, traffic as api};
use windlass_gate::{Call, CallError, Capability, Function, Session, Stop};
use windlass_router::Driver;

use crate::asking::Asking;

pub use guard::Guarded;

/// The traffic of services, by a router.
#[derive(Clone, Debug)]
pub struct Traffic {
    asking: Asking,
}

impl Traffic {
    /// By this router. Nothing is asked of it before the first call.
    pub fn new(driver: Arc<dyn Driver>) -> Self {
        Self { asking: Asking::new(driver) }
    }
}

#[async_trait]
impl Capability for Traffic {
    fn name(&self) -> &'static str {
        "traffic"
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        let asking = &self.asking;
        match call.function {
            Function::TrafficRead => answer(asking.read(&call, &call.decode::<api::Read>()?.service).await),
            Function::TrafficMeasure => answer(asking.measure(&call, &call.decode()?).await),
            // It is the record that matters.
            Function::TrafficJudge => answer(call.decode::<api::Judge>().map(|_| Nothing)),
            Function::TrafficOpen => answer(asking.open(&call).await),
            Function::TrafficPlaced => answer(asking.placed().await),
            Function::TrafficHold => {
                let api::Hold { service, limit_ms } = call.decode()?;
                answer(asking.hold(&call, &service, limit_ms).await)
            }
            Function::TrafficRelease => answer(asking.release(&call, &call.decode::<api::Release>()?.service).await),
            Function::TrafficDrain => answer(asking.drain(&call, &call.decode()?).await),
            Function::TrafficRestore => {
                answer(change::restore(asking, &call, &call.decode::<api::Restore>()?.service).await)
            }
            Function::TrafficFinish => {
                answer(change::finish(asking, &call, &call.decode::<api::Finish>()?.service).await)
            }
            _ => answer(change::make(asking, &call).await),
        }
    }

    async fn compose(&self, function: Function, args: &str, session: &mut Session) -> Result<Json, Stop> {
        match function {
            Function::TrafficSetReplicas => Ok(answer(Ok(replicas::set(session, decode(function, args)?).await?))?),
            Function::TrafficAbort => Ok(answer(Ok(abort::abort(session, decode(function, args)?).await?))?),
            other => Err(CallError::Other(format!("{} is not made of other calls of traffic", other.name())).into()),
        }
    }
}

/// How long a router that is being replaced, or was there a moment ago, is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

fn decode<O: windlass_gate::api::Operation>(function: Function, args: &str) -> Result<O, CallError> {
    serde_json::from_str(args).map_err(|error| CallError::Invalid(format!("arguments of {}: {error}", function.name())))
}

fn answer<T: Serialize>(result: Result<T, CallError>) -> Result<Json, CallError> {
    serde_json::to_value(result?).map_err(|error| CallError::Other(format!("the answer has no JSON form: {error}")))
}
