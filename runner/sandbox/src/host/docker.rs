//! `windlass:docker`.

use serde_json::json;
use windlass_gate::Function;

use crate::contract::windlass::docker::docker::{
    BuildSpec, Built, Container, ContainerSpec, Credentials, Error, ExecSpec, Exit, Host, Image, Lifetime, LogQuery,
    Output, Transferred, Usage,
};
use crate::state::State;

type Answer<T> = wasmtime::Result<Result<T, Error>>;

impl Host for State {
    async fn build(&mut self, spec: BuildSpec) -> Answer<Built> {
        self.call(Function::DockerBuild, json!({ "spec": spec })).await
    }

    async fn tag(&mut self, image: String, reference: String) -> Answer<()> {
        self.call(Function::DockerTag, json!({ "image": image, "reference": reference })).await
    }

    async fn push(&mut self, reference: String, credentials: Option<Credentials>) -> Answer<Transferred> {
        self.call(Function::DockerPush, json!({ "reference": reference, "credentials": credentials })).await
    }

    async fn pull(
        &mut self,
        reference: String,
        credentials: Option<Credentials>,
        platform: Option<String>,
    ) -> Answer<Transferred> {
        self.call(
            Function::DockerPull,
            json!({ "reference": reference, "credentials": credentials, "platform": platform }),
        )
        .await
    }

    async fn inspect_image(&mut self, reference: String) -> Answer<Image> {
        self.call(Function::DockerInspectImage, json!({ "reference": reference })).await
    }

    async fn list_images(&mut self, repository: String) -> Answer<Vec<Image>> {
        self.call(Function::DockerListImages, json!({ "repository": repository })).await
    }

    async fn run(&mut self, spec: ContainerSpec, timeout_ms: Option<u64>) -> Answer<Exit> {
        self.call(Function::DockerRun, json!({ "spec": spec, "timeout-ms": timeout_ms })).await
    }

    async fn start(&mut self, name: String, spec: ContainerSpec, lifetime: Lifetime) -> Answer<Container> {
        self.call(Function::DockerStart, json!({ "name": name, "spec": spec, "lifetime": lifetime })).await
    }

    async fn exec(&mut self, spec: ExecSpec) -> Answer<Exit> {
        self.call(Function::DockerExec, json!({ "spec": spec })).await
    }

    async fn inspect(&mut self, container: String) -> Answer<Container> {
        self.call(Function::DockerInspect, json!({ "container": container })).await
    }

    async fn list(&mut self) -> Answer<Vec<Container>> {
        self.call(Function::DockerList, json!({})).await
    }

    async fn logs(&mut self, query: LogQuery) -> Answer<Output> {
        self.call(Function::DockerLogs, json!({ "query": query })).await
    }

    async fn stats(&mut self, container: String) -> Answer<Usage> {
        self.call(Function::DockerStats, json!({ "container": container })).await
    }

    async fn wait_healthy(&mut self, container: String, timeout_ms: u64) -> Answer<Container> {
        self.call(Function::DockerWaitHealthy, json!({ "container": container, "timeout-ms": timeout_ms })).await
    }

    async fn start_again(&mut self, container: String) -> Answer<Container> {
        self.call(Function::DockerStartAgain, json!({ "container": container })).await
    }

    async fn stop(&mut self, container: String, grace_ms: u64) -> Answer<()> {
        self.call(Function::DockerStop, json!({ "container": container, "grace-ms": grace_ms })).await
    }

    async fn remove(&mut self, container: String, force: bool) -> Answer<()> {
        self.call(Function::DockerRemove, json!({ "container": container, "force": force })).await
    }

    async fn create_network(&mut self, name: String, internal: bool, lifetime: Lifetime) -> Answer<()> {
        self.call(Function::DockerCreateNetwork, json!({ "name": name, "internal": internal, "lifetime": lifetime }))
            .await
    }

    async fn remove_network(&mut self, name: String) -> Answer<()> {
        self.call(Function::DockerRemoveNetwork, json!({ "name": name })).await
    }

    async fn create_volume(&mut self, name: String, lifetime: Lifetime) -> Answer<()> {
        self.call(Function::DockerCreateVolume, json!({ "name": name, "lifetime": lifetime })).await
    }

    async fn remove_volume(&mut self, name: String) -> Answer<()> {
        self.call(Function::DockerRemoveVolume, json!({ "name": name })).await
    }
}
