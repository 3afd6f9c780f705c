//! Measurements for the run's record.

use serde::{Deserialize, Serialize};

use super::{Nothing, Pair, operation};

/// Records a measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Emit {
    /// The measurement.
    pub metric: Metric,
}

/// A measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// What was measured.
    pub name: String,
    /// The value.
    pub value: f64,
    /// The unit, by UCUM; may be empty.
    pub unit: String,
    /// What it is about.
    pub labels: Vec<Pair>,
}

operation! { Emit => MetricsEmit -> Nothing; }
