//! `windlass:traffic`.

use serde_json::json;
use windlass_gate::Function;

use crate::contract::windlass::traffic::traffic::{
    Deployment, Drained, Error, Host, Judgement, Measurements, Replica, Split, State as Service,
};
use crate::state::State;

type Answer<T> = wasmtime::Result<Result<T, Error>>;

impl Host for State {
    async fn read(&mut self, service: String) -> Answer<Service> {
        self.call(Function::TrafficRead, json!({ "service": service })).await
    }

    async fn begin(&mut self, deployment: Deployment) -> Answer<Service> {
        self.call(Function::TrafficBegin, json!({ "deployment": deployment })).await
    }

    async fn set_replicas(&mut self, service: String, revision: String, replicas: Vec<Replica>) -> Answer<Service> {
        let args = json!({ "service": service, "revision": revision, "replicas": replicas });
        self.call(Function::TrafficSetReplicas, args).await
    }

    async fn shift(&mut self, service: String, weights: Vec<Split>) -> Answer<Service> {
        self.call(Function::TrafficShift, json!({ "service": service, "weights": weights })).await
    }

    async fn hold(&mut self, service: String, limit_ms: u64) -> Answer<()> {
        self.call(Function::TrafficHold, json!({ "service": service, "limit-ms": limit_ms })).await
    }

    async fn release(&mut self, service: String) -> Answer<()> {
        self.call(Function::TrafficRelease, json!({ "service": service })).await
    }

    async fn drain(
        &mut self,
        service: String,
        revision: String,
        container: Option<String>,
        limit_ms: u64,
    ) -> Answer<Drained> {
        let args = json!({ "service": service, "revision": revision, "container": container, "limit-ms": limit_ms });
        self.call(Function::TrafficDrain, args).await
    }

    async fn take_down(&mut self, service: String) -> Answer<Service> {
        self.call(Function::TrafficTakeDown, json!({ "service": service })).await
    }

    async fn commit(&mut self, service: String) -> Answer<Service> {
        self.call(Function::TrafficCommit, json!({ "service": service })).await
    }

    async fn abort(&mut self, service: String, drain_ms: u64) -> Answer<()> {
        self.call(Function::TrafficAbort, json!({ "service": service, "drain-ms": drain_ms })).await
    }

    async fn retire(&mut self, service: String, revision: String) -> Answer<Service> {
        self.call(Function::TrafficRetire, json!({ "service": service, "revision": revision })).await
    }

    async fn finish(&mut self, service: String) -> Answer<()> {
        self.call(Function::TrafficFinish, json!({ "service": service })).await
    }

    async fn measure(&mut self, service: String, from_ms: Option<u64>, last_ms: u64) -> Answer<Measurements> {
        let args = json!({ "service": service, "from-ms": from_ms, "last-ms": last_ms });
        self.call(Function::TrafficMeasure, args).await
    }

    async fn judge(&mut self, service: String, judgement: Judgement) -> Answer<()> {
        self.call(Function::TrafficJudge, json!({ "service": service, "judgement": judgement })).await
    }
}
