//! Measurements for the run's record. Needs no grant.

use crate::Pair;
pub use crate::bindings::windlass::metrics::metrics::Metric;
use crate::host::host;

host! {
    "metrics", crate::bindings::windlass::metrics::metrics =>
    /// Records a measurement.
    fn emit(metric: &Metric);
}

impl Metric {
    /// A measurement with its unit by UCUM: `By` for bytes, `s` for seconds, `1` for a plain number.
    pub fn new(name: impl Into<String>, value: f64, unit: impl Into<String>) -> Self {
        Self { name: name.into(), value, unit: unit.into(), labels: Vec::new() }
    }

    /// Says what it is about.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push(Pair::new(name, value));
        self
    }

    /// Records it.
    pub fn emit(&self) {
        emit(self);
    }
}
