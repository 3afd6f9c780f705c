//! A strategy that tries to break what a deploy promises.

use windlass_capability_testing::{denied, error};
use windlass_gate::CallError;
use windlass_gate::api::docker::{Remove, Stop};
use windlass_gate::api::traffic::{Begin, Commit, Finish, Retire, TakeDown};
use windlass_router::Driver as _;
use windlass_router::api::{Change, Intent};

use crate::kit::{Stage, deployment, set, shift};

fn is_unsafe<T: std::fmt::Debug>(answer: Result<T, windlass_gate::Stop>, words: &str) {
    let CallError::Unsafe(message) = error(answer) else { panic!("it failed, but not as unsafe") };
    assert!(message.contains(words), "no {words:?} in: {message}");
}

#[tokio::test]
async fn what_serves_is_neither_stopped_nor_removed() {
    let (stage, mut step) = Stage::with_v1(1).await;
    let stop = Stop { container: "v1-1".into(), grace_ms: 0 };
    denied(step.call(&stop).await, &["serves", "`shop`", "`v1`"]);
    denied(step.call(&Remove { container: "v1-1".into(), force: true }).await, &["serves"]);
    let mut host = stage.world.host();
    denied(host.call(&stop).await, &["serves"]);
    assert!(stage.containers.runs("v1-1"));
    assert_eq!(stage.ask().as_deref(), Some("v1-1"));
}

#[tokio::test]
async fn what_serves_is_not_stopped_while_the_router_is_away() {
    let (stage, mut step) = Stage::with_v1(1).await;
    stage.end_router().await;
    let stop = Stop { container: "v1-1".into(), grace_ms: 0 };
    denied(step.call(&stop).await, &["serves"]);
    assert!(stage.containers.runs("v1-1"));
}

#[tokio::test]
async fn a_table_that_cannot_be_read_lets_nothing_pass() {
    let (stage, mut step) = Stage::with_v1(1).await;
    stage.end_router().await;
    let stop = Stop { container: "v1-1".into(), grace_ms: 0 };
    std::fs::write(stage.table(), "{ damaged").unwrap();
    denied(step.call(&stop).await, &["cannot be stopped", "not known", "table.json", "not in order"]);
    denied(step.call(&Remove { container: "v1-1".into(), force: true }).await, &["cannot be removed", "not in order"]);
    // A folder in its place cannot be read either, whoever asks.
    std::fs::remove_file(stage.table()).unwrap();
    std::fs::create_dir(stage.table()).unwrap();
    denied(step.call(&stop).await, &["not known", "cannot read the routing table"]);
    assert!(stage.containers.runs("v1-1"));
    // Without a table nothing was ever put behind the router.
    std::fs::remove_dir(stage.table()).unwrap();
    step.call(&stop).await.unwrap();
}

#[tokio::test]
async fn what_serves_at_another_router_is_neither_stopped_nor_removed() {
    let (stage, _) = Stage::with_v1(1).await;
    let router = stage.client.name();
    stage.containers.label("v1-1", &router);
    let other = stage.with_another_router();
    let mut step = other.step(crate::kit::ASKED, crate::kit::ALL);
    let stop = Stop { container: "v1-1".into(), grace_ms: 0 };
    let set = format!("WINDLASS_ROUTER={router}");
    denied(step.call(&stop).await, &["serves", "`shop`", "`v1`", "not this run's", &set]);
    denied(other.host().call(&Remove { container: "v1-1".into(), force: true }).await, &["serves", &set]);
    // Also while that one is away, and when nobody can tell.
    stage.end_router().await;
    denied(step.call(&stop).await, &["serves", &set]);
    std::fs::write(stage.table(), "{ damaged").unwrap();
    denied(step.call(&stop).await, &["not known", "not in order"]);
    assert!(stage.containers.runs("v1-1"));
    std::fs::remove_file(stage.table()).unwrap();
    step.call(&stop).await.unwrap();
}

#[tokio::test]
async fn the_previous_revision_stays_until_the_new_one_is_committed() {
    let (stage, mut step) = Stage::with_v1(1).await;
    stage.begin(&mut step, "v2", 1).await.unwrap();
    stage.put(&mut step, "v2", 1).await.unwrap();
    shift(&mut step, &[("v2", 10_000)]).await.unwrap();
    let remove = Remove { container: "v1-1".into(), force: true };
    denied(step.call(&remove).await, &["has to serve again"]);
    is_unsafe(step.call(&Retire { service: "shop".into(), revision: "v1".into() }).await, "not committed");
    step.call(&Commit { service: "shop".into() }).await.unwrap();
    step.call(&remove).await.unwrap();
}

#[tokio::test]
async fn no_weight_is_above_what_ready_replicas_carry() {
    let (stage, mut step) = Stage::with_v1(4).await;
    stage.begin(&mut step, "v2", 4).await.unwrap();
    stage.put(&mut step, "v2", 1).await.unwrap();
    shift(&mut step, &[("v1", 7_500), ("v2", 2_500)]).await.unwrap();
    is_unsafe(shift(&mut step, &[("v1", 7_000), ("v2", 3_000)]).await, "more than its replicas carry");
    is_unsafe(shift(&mut step, &[("v2", 10_000)]).await, "more than its replicas carry");
    // Taking a replica away under the weight is the same from the other side.
    let three = [("v1-1", true), ("v1-2", true)];
    is_unsafe(set(&mut step, "v1", &three).await, "more than its replicas carry");
    let unready = [("v2-1", false)];
    is_unsafe(set(&mut step, "v2", &unready).await, "more than its replicas carry");
}

#[tokio::test]
async fn a_container_that_does_not_run_is_not_vouched_for() {
    let (stage, mut step) = Stage::with_v1(1).await;
    stage.begin(&mut step, "v2", 1).await.unwrap();
    is_unsafe(set(&mut step, "v2", &[("v2-1", true)]).await, "cannot take requests");
}

#[tokio::test]
async fn downtime_is_asked_for_by_name() {
    let (stage, mut step) = Stage::with_v1(1).await;
    stage.begin(&mut step, "v2", 1).await.unwrap();
    is_unsafe(step.call(&TakeDown { service: "shop".into() }).await, "downtime");
    is_unsafe(shift(&mut step, &[]).await, "downtime");
    assert_eq!(stage.ask().as_deref(), Some("v1-1"));
    // Without the grant not even the deploy begins.
    let mut other = stage.world.step(&["traffic"], "{ traffic = [\"shop\"] }");
    let asks = Begin { deployment: windlass_gate::api::traffic::Deployment { downtime: true, ..deployment("v3", 1) } };
    denied(other.call(&asks).await, &["downtime"]);
}

#[tokio::test]
async fn there_is_no_end_before_the_traffic_has_moved() {
    let (stage, mut step) = Stage::with_v1(1).await;
    is_unsafe(shift(&mut step, &[("v1", 10_000)]).await, "not being deployed");
    stage.begin(&mut step, "v2", 1).await.unwrap();
    stage.put(&mut step, "v2", 1).await.unwrap();
    is_unsafe(step.call(&Commit { service: "shop".into() }).await, "takes all of it");
    is_unsafe(step.call(&Finish { service: "shop".into() }).await, "not committed");
    assert!(matches!(error(shift(&mut step, &[("v2", 5_000)]).await), CallError::Invalid(_)), "weights add up");
}

#[tokio::test]
async fn one_deploy_of_a_service_at_a_time() {
    let (stage, mut step) = Stage::with_v1(1).await;
    let begin = |owner: &str| Change::Begin {
        name: "shop".into(),
        owner: owner.into(),
        deployment: Intent {
            revision: "x".into(),
            strategy: String::new(),
            downtime: false,
            details: Default::default(),
            begun_ms: 0,
        },
        service: Box::new(windlass_router::api::Service {
            routes: vec![windlass_router::api::Route {
                host: None,
                path: "/".into(),
                listeners: Vec::new(),
                revision: None,
            }],
            replicas: 1,
            revisions: Default::default(),
            sticky: None,
            override_header: None,
            health: None,
            timeouts: Default::default(),
        }),
    };
    let owned = stage.by_another_run(begin("bookshop")).await.unwrap_err().to_string();
    assert!(owned.contains("belongs to pipeline shop"), "{owned}");
    stage.by_another_run(begin("shop")).await.unwrap();
    let CallError::Conflict(message) = error(stage.begin(&mut step, "v2", 1).await) else { panic!("no conflict") };
    assert!(message.contains("being deployed by run another"), "{message}");
    assert!(matches!(error(shift(&mut step, &[("v1", 10_000)]).await), CallError::Unsafe(_)));
}
