//! What an `http` grant can give: requests; the probes that health checks are made of; and queries to Prometheus.
//!
//! The gate has checked the first address of a request. Redirects are followed here, by hand, so
//! that every further address is checked against the same grants before anything is sent to it.
//! Nothing here keeps a connection or a cookie from one call to the next, and no proxy of the
//! machine's environment is used: a call does what its arguments say, on any machine.

mod address;
mod body;
mod client;
mod fault;
mod headers;
mod probe;
mod prometheus;
mod send;
mod words;

use async_trait::async_trait;
use serde_json::Value as Json;
use windlass_gate::{Call, CallError, Capability, Function};

use crate::client::Clients;

/// HTTP, for steps that are granted it and for health checks.
///
/// Dropping a call closes its connection.
#[derive(Debug, Default)]
pub struct Http {
    clients: Clients,
}

impl Http {
    /// HTTP that trusts the certificates that the machine trusts. They are read when they are first needed.
    pub fn new() -> Self {
        Self::default()
    }

    /// HTTP that also trusts these certificates, each in DER form, and those that they have signed.
    pub fn trusting(certificates: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { clients: Clients::trusting(certificates.into_iter().map(Into::into).collect()) }
    }
}

#[async_trait]
impl Capability for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        match call.function {
            Function::HttpSend => to_json(send::send(&self.clients, &call).await?),
            Function::HttpProbe => to_json(probe::http(&self.clients, &call.decode()?).await?),
            Function::HttpProbeTcp => to_json(probe::tcp(&call.decode()?).await?),
            Function::QueryPrometheus => to_json(prometheus::ask(&self.clients, &call.decode()?).await?),
            other => Err(CallError::Other(format!("the http capability does not know {}", other.name()))),
        }
    }
}

fn to_json(answer: impl serde::Serialize) -> Result<Json, CallError> {
    serde_json::to_value(answer)
        .map_err(|error| CallError::Other(format!("the answer cannot be written as JSON: {error}")))
}
