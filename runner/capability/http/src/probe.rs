//! One attempt of a health check: a GET, or a TCP connection.
//!
//! An attempt that sees something unhealthy is an answer. Only a probe that cannot be made at all
//! is an error.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use windlass_gate::CallError;
use windlass_gate::api::http::{Probe, ProbeTcp, Seen};

use crate::client::Clients;
use crate::{address, body, fault, words};

/// How much of a body is looked at.
const LOOKED_AT: usize = 1 << 20;

/// Asks a URL once. A redirect is an answer like any other.
pub(crate) async fn http(clients: &Clients, probe: &Probe) -> Result<Seen, CallError> {
    let url = address::url(&probe.url)?;
    let limit = time_limit(probe.timeout_ms)?;
    if probe.status_min > probe.status_max {
        return Err(CallError::Invalid(format!(
            "no status is both at least {} and at most {}",
            probe.status_min, probe.status_max
        )));
    }
    let client = clients.of(&url)?;
    let shown = words::shown(&url);
    let ask = async {
        match client.get(url).send().await {
            Ok(response) => judge(probe, response, &shown).await,
            Err(error) => unhealthy(format!("{shown}: {}", fault::why(&error))),
        }
    };
    Ok(timeout(limit, ask)
        .await
        .unwrap_or_else(|_| unhealthy(format!("no answer from {shown} within {}", words::time(limit)))))
}

async fn judge(probe: &Probe, mut response: reqwest::Response, shown: &str) -> Seen {
    let status = response.status().as_u16();
    let (min, max) = (probe.status_min, probe.status_max);
    if !(min..=max).contains(&status) {
        let wanted = if min == max { min.to_string() } else { format!("{min}-{max}") };
        return unhealthy(format!("HTTP {status} from {shown}, wanted {wanted}"));
    }
    let Some(text) = &probe.body_contains else {
        return Seen { healthy: true, what: format!("HTTP {status} from {shown}") };
    };
    match body::contains(&mut response, text, LOOKED_AT).await {
        Ok(true) => Seen { healthy: true, what: format!("HTTP {status} from {shown} with {text:?}") },
        Ok(false) => unhealthy(format!("HTTP {status} from {shown}, but its body has no {text:?}")),
        Err(error) => unhealthy(format!("HTTP {status} from {shown}, but its body broke off: {}", fault::why(&error))),
    }
}

/// Connects once, and closes the connection.
pub(crate) async fn tcp(probe: &ProbeTcp) -> Result<Seen, CallError> {
    let address = &probe.address;
    address::host_and_port(address)?;
    let limit = time_limit(probe.timeout_ms)?;
    Ok(match timeout(limit, TcpStream::connect(address.as_str())).await {
        Ok(Ok(_)) => Seen { healthy: true, what: format!("connected to {address}") },
        Ok(Err(error)) => unhealthy(format!("{address}: {}", fault::why(&error))),
        Err(_) => unhealthy(format!("no connection to {address} within {}", words::time(limit))),
    })
}

fn unhealthy(what: String) -> Seen {
    Seen { healthy: false, what }
}

fn time_limit(millis: u64) -> Result<Duration, CallError> {
    if millis == 0 {
        return Err(CallError::Invalid("the time limit of an attempt is 0; give it at least 1 ms".to_owned()));
    }
    Ok(Duration::from_millis(millis))
}
