//! `windlass:artifacts`.

use serde_json::{json, to_value};
use windlass_gate::{Function, api};

use crate::contract::windlass::artifacts::artifacts::{Artifact, Error, Host};
use crate::state::State;

impl Host for State {
    async fn put(&mut self, name: String, content: Vec<u8>) -> wasmtime::Result<Result<Artifact, Error>> {
        self.call(Function::ArtifactsPut, to_value(api::artifacts::Put { name, content })?).await
    }

    async fn get(&mut self, name: String) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        let answer: Result<api::artifacts::Content, Error> =
            self.call(Function::ArtifactsGet, json!({ "name": name })).await?;
        Ok(answer.map(|content| content.0))
    }

    async fn list(&mut self) -> wasmtime::Result<Result<Vec<Artifact>, Error>> {
        self.call(Function::ArtifactsList, json!({})).await
    }
}
