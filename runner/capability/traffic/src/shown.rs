//! The router's state and measurements in the words of the contract.

use windlass_gate::api::traffic::{
    Bucket, Measured, Measurements, OpenDeployment, ReplicaState, RevisionState, State as Shown,
};
use windlass_router::api::{self, ServiceState, State, Weight};

pub(crate) fn service(name: &str, state: &State, service: &ServiceState) -> Shown {
    Shown {
        service: name.to_owned(),
        generation: service.generation,
        current: service.current.clone(),
        revisions: service.revisions.iter().map(|(name, revision)| self::revision(name, revision)).collect(),
        deployment: service.deployment.as_ref().map(|deployment| OpenDeployment {
            run: deployment.holder.clone(),
            revision: deployment.revision.clone(),
            previous: deployment.previous.clone(),
            strategy: deployment.strategy.clone(),
            committed: deployment.committed,
        }),
        unserved: units(service.unserved),
        listeners: state.listeners.keys().map(ToString::to_string).collect(),
    }
}

fn units(weight: Weight) -> u32 {
    u32::from(weight.as_units())
}

fn revision(name: &str, revision: &api::RevisionState) -> RevisionState {
    RevisionState {
        name: name.to_owned(),
        weight: units(revision.weight),
        share: units(revision.share),
        cap: units(revision.cap),
        ready: revision.ready,
        replicas: revision.replicas,
        in_flight: revision.in_flight,
        endpoints: revision
            .endpoints
            .iter()
            .map(|endpoint| ReplicaState {
                container: endpoint.name.clone(),
                id: endpoint.container.clone(),
                port: endpoint.port,
                address: endpoint.address.to_string(),
                ready: endpoint.ready,
                because: endpoint.because.clone(),
                serving: endpoint.serving,
                draining: endpoint.draining,
                in_flight: endpoint.in_flight,
            })
            .collect(),
    }
}

pub(crate) fn measurements(measured: api::Measurements) -> Measurements {
    Measurements {
        from_ms: measured.window.from_ms,
        to_ms: measured.window.to_ms,
        now_ms: measured.now_ms,
        since_ms: measured.since_ms,
        revisions: measured
            .revisions
            .into_iter()
            .map(|(revision, seen)| {
                let total = seen.total;
                Measured {
                    revision,
                    requests: total.requests,
                    errors: total.errors,
                    classes: total.classes.to_vec(),
                    unreachable: total.unreachable,
                    client_aborts: total.client_aborts,
                    chosen: total.chosen,
                    p50_us: total.latency.p50_us,
                    p99_us: total.latency.p99_us,
                    max_us: total.latency.max_us,
                    latency: total
                        .latency
                        .buckets
                        .iter()
                        .map(|[le_us, count]| Bucket { le_us: *le_us, count: *count })
                        .collect(),
                    in_flight: seen.in_flight,
                }
            })
            .collect(),
        unserved: measured.unserved,
    }
}
