//! Queries to monitoring systems.

use serde::{Deserialize, Serialize};

use super::{Pair, operation, record};

record! {
    /// Asks a Prometheus for the value of an expression now.
    Prometheus {
        /// Its URL, without the path of the API.
        url: String,
        /// The expression, in PromQL.
        expression: String,
        /// After how many milliseconds to give up.
        timeout_ms: u64,
    }
}

/// A series at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Its labels.
    pub labels: Vec<Pair>,
    /// Its value; absent if it is no number (NaN), or infinite.
    pub value: Option<f64>,
}

operation! { Prometheus => QueryPrometheus -> Vec<Sample>; }
