//! What steps gave, for the steps that come after them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value as Json;
use windlass_pipeline::OutputRef;

/// The outputs of every step that has any. Written once by the step, read by later ones.
pub(crate) struct Outputs(Vec<OnceLock<BTreeMap<String, Json>>>);

impl Outputs {
    pub(crate) fn new(steps: usize) -> Self {
        Self((0..steps).map(|_| OnceLock::new()).collect())
    }

    pub(crate) fn publish(&self, step: u32, outputs: BTreeMap<String, Json>) {
        if !outputs.is_empty()
            && let Some(slot) = self.0.get(step as usize)
        {
            // A step ends once, so the slot is empty.
            let _ = slot.set(outputs);
        }
    }

    pub(crate) fn get(&self, reference: &OutputRef) -> Option<Json> {
        self.0.get(reference.index as usize)?.get()?.get(&*reference.output).cloned()
    }
}
