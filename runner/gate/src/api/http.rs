//! HTTP requests, and the probes that health checks are made of.

use serde::{Deserialize, Serialize};

use super::{NamedValue, Pair, base64_bytes, operation};

/// Sends a request and reads the whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// The request.
    pub request: Request,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The headers.
    pub headers: Vec<NamedValue>,
    /// The body.
    #[serde(default, with = "base64_bytes::option")]
    pub body: Option<Vec<u8>>,
    /// After how many milliseconds to give up.
    pub timeout_ms: Option<u64>,
    /// How many redirects to follow.
    pub redirects: u32,
    /// The largest body to accept in bytes.
    pub max_body: Option<u64>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, names in small letters.
    pub headers: Vec<Pair>,
    /// The body.
    #[serde(with = "base64_bytes")]
    pub body: Vec<u8>,
    /// The URL that answered.
    pub url: String,
}

/// One GET for a health check. Host only: a part of `health.check` and `health.wait`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Probe {
    /// What the grant has to cover: the URL as the plugin gave it, or a container's name.
    pub granted_as: String,
    /// The URL to ask.
    pub url: String,
    /// The lowest status that counts as healthy.
    pub status_min: u16,
    /// The highest status that counts as healthy.
    pub status_max: u16,
    /// Text that the body has to contain.
    pub body_contains: Option<String>,
    /// Time limit in milliseconds.
    pub timeout_ms: u64,
}

/// One TCP connection for a health check. Host only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ProbeTcp {
    /// What the grant has to cover: `tcp://host:port` as the plugin gave it, or a container's name.
    pub granted_as: String,
    /// `host:port`.
    pub address: String,
    /// Time limit in milliseconds.
    pub timeout_ms: u64,
}

/// What one attempt of a health check saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Whether it counts as healthy.
    pub healthy: bool,
    /// What was seen, in words.
    pub what: String,
}

operation! {
    Send => HttpSend -> Response;
    Probe => HttpProbe -> Seen;
    ProbeTcp => HttpProbeTcp -> Seen;
}
