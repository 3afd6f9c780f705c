//! Bytes that a run keeps under a name, for later steps and for people.

mod name;
mod store;

use async_trait::async_trait;
use serde_json::Value as Json;
use windlass_gate::api::artifacts::{Get, List, Put};
use windlass_gate::{Call, CallError, Capability, Function};

use crate::artifacts::store::Store;
use crate::{to_json, unknown};

/// The artifacts of a run, in Windlass's state folder.
///
/// They are kept by the digest of their bytes, so storing the same twice is the same as once, and
/// reading finds out about damage.
#[derive(Clone, Copy, Debug, Default)]
pub struct Artifacts;

#[async_trait]
impl Capability for Artifacts {
    fn name(&self) -> &'static str {
        "artifacts"
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        let store = Store::of(&call.run);
        // The disk may be slow, and other steps go on meanwhile.
        let work = tokio::task::spawn_blocking(move || match call.function {
            Function::ArtifactsPut => {
                let Put { name, content } = call.decode()?;
                to_json(store.put(&name, &content)?)
            }
            Function::ArtifactsGet => {
                let Get { name } = call.decode()?;
                to_json(store.get(&name)?)
            }
            Function::ArtifactsList => {
                let List {} = call.decode()?;
                to_json(store.list()?)
            }
            other => Err(unknown("artifacts", other)),
        });
        work.await.map_err(|error| CallError::Other(format!("artifacts: the work broke off: {error}")))?
    }
}
