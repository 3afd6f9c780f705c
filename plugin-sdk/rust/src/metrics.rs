//! Measurements for the run's record. Needs no grant.

use crate::Pair;
pub use crate::bindings::windlass::metrics::metrics::Metric;

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
        // Off Wasm nobody records, and a measurement must not fail a test.
        if cfg!(target_arch = "wasm32") {
            crate::bindings::windlass::metrics::metrics::emit(self);
        }
    }
}
