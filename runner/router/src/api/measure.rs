//! `GET /v1/measurements?service=NAME&from_ms=T&to_ms=T`, or `&last_ms=N`.
//!
//! Times are milliseconds since 1970. The router keeps whole seconds, so a window is widened to
//! them, and the answer says what it covers. A request belongs to the second in which it ended.
//!
//! A window that begins at `from_ms` ends with the last second that is over, so that windows which follow
//! each other count every request once. `last_ms` takes in the second that is not over yet.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A window of time, `from` included, `to` not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Milliseconds since 1970.
    pub from_ms: u64,
    /// Milliseconds since 1970.
    pub to_ms: u64,
}

/// What was measured of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurements {
    /// What the answer covers.
    pub window: Window,
    /// The router's clock, for the next window.
    pub now_ms: u64,
    /// Since when the router has measured without a gap. A window that begins earlier is not whole.
    pub since_ms: u64,
    /// By name.
    pub revisions: BTreeMap<String, RevisionMeasurements>,
    /// Requests of the service that no revision could take, in this window.
    pub unserved: u64,
}

/// Of a revision: all its containers together, and each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RevisionMeasurements {
    /// Together.
    pub total: Counts,
    /// Under way now.
    pub in_flight: u64,
    /// By the container's id.
    pub containers: Containers,
}

/// Counts by container.
pub type Containers = BTreeMap<String, Counts>;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests that ended, those that clients gave up not among them.
    pub requests: u64,
    /// Those of them that failed: answered 5xx, or not (wholly) answered.
    pub errors: u64,
    /// Answers by class: 1xx (upgrades to WebSockets), 2xx, 3xx, 4xx, 5xx.
    pub classes: [u64; 5],
    /// Among the errors: the connection broke or timed out after the request was sent.
    pub broken: u64,
    /// Among the errors: cut when the time to drain was over.
    pub cut: u64,
    /// Connections that could not be made. The request may have gone on elsewhere.
    pub unreachable: u64,
    /// Requests that the client gave up. They count nowhere else.
    pub client_aborts: u64,
    /// Among the requests: those for which a tester chose the revision.
    pub chosen: u64,
    /// From the request to the first byte of the answer, without time in a hold.
    pub latency: Latency,
}

/// A distribution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// Microseconds; each at most 1/16 too high.
    pub p50_us: u64,
    /// As above.
    pub p90_us: u64,
    /// As above.
    pub p95_us: u64,
    /// As above.
    pub p99_us: u64,
    /// As above.
    pub max_us: u64,
    /// `[the bucket's upper bound in microseconds, count]`, ascending, without empty ones. The
    /// bounds are the same in every answer, so distributions can be compared and added.
    pub buckets: Vec<[u64; 2]>,
}
