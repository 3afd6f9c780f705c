//! The way back, from wherever a deploy stands.

use windlass_gate::api::docker::Stop;
use windlass_gate::api::traffic::{Abort, Begin, Deployment, Drain, Open, Placed, TakeDown};
use windlass_gate::{CallError, Session};

use crate::kit::{Stage, deployment, set, shift};
use windlass_capability_testing::error;

async fn abort(step: &mut Session) {
    step.call(&Abort { service: "shop".into(), drain_ms: 1_000 }).await.unwrap();
}

#[tokio::test]
async fn the_previous_revision_gets_everything_back() {
    let (stage, mut step) = Stage::with_v1(2).await;
    stage.begin(&mut step, "v2", 2).await.unwrap();
    stage.put(&mut step, "v2", 2).await.unwrap();
    shift(&mut step, &[("v1", 5_000), ("v2", 5_000)]).await.unwrap();
    abort(&mut step).await;
    let shop = stage.shop().await;
    assert_eq!(shop.deployment, None);
    assert_eq!(shop.declared.revisions.keys().map(String::as_str).collect::<Vec<_>>(), ["v1"]);
    for _ in 0..4 {
        assert!(stage.ask().unwrap().starts_with("v1-"));
    }
    // Once more is fine: there is nothing to do.
    abort(&mut step).await;
}

#[tokio::test]
async fn replicas_that_a_rolling_deploy_had_stopped_are_started_again() {
    let (stage, mut step) = Stage::with_v1(2).await;
    stage.begin(&mut step, "v2", 2).await.unwrap();
    stage.put(&mut step, "v2", 1).await.unwrap();
    shift(&mut step, &[("v1", 5_000), ("v2", 5_000)]).await.unwrap();
    set(&mut step, "v1", &[("v1-1", false), ("v1-2", true)]).await.unwrap();
    let drain =
        Drain { service: "shop".into(), revision: "v1".into(), container: Some("v1-1".into()), limit_ms: 1_000 };
    assert!(step.call(&drain).await.unwrap().done);
    step.call(&Stop { container: "v1-1".into(), grace_ms: 0 }).await.unwrap();
    assert!(!stage.containers.runs("v1-1"));
    abort(&mut step).await;
    assert!(stage.containers.runs("v1-1"));
    let answers: std::collections::BTreeSet<String> = (0..8).filter_map(|_| stage.ask()).collect();
    assert_eq!(answers.iter().map(String::as_str).collect::<Vec<_>>(), ["v1-1", "v1-2"]);
}

#[tokio::test]
async fn a_service_that_was_taken_down_comes_back() {
    let (stage, mut step) = Stage::with_v1(1).await;
    let down = Deployment { downtime: true, ..deployment("v2", 1) };
    step.call(&Begin { deployment: down }).await.unwrap();
    step.call(&TakeDown { service: "shop".into() }).await.unwrap();
    assert_eq!(stage.ask(), None);
    step.call(&Stop { container: "v1-1".into(), grace_ms: 0 }).await.unwrap();
    abort(&mut step).await;
    assert_eq!(stage.ask().as_deref(), Some("v1-1"));
}

#[tokio::test]
async fn the_first_deploy_of_a_service_leaves_nothing_behind() {
    let stage = Stage::new().await;
    let mut step = stage.step();
    abort(&mut step).await;
    stage.begin(&mut step, "v1", 1).await.unwrap();
    stage.put(&mut step, "v1", 1).await.unwrap();
    abort(&mut step).await;
    assert!(stage.client.state().await.unwrap().services.is_empty());
}

#[tokio::test]
async fn what_is_committed_is_not_aborted() {
    let (stage, mut step) = Stage::with_v1(1).await;
    stage.begin(&mut step, "v2", 1).await.unwrap();
    stage.put(&mut step, "v2", 1).await.unwrap();
    shift(&mut step, &[("v2", 10_000)]).await.unwrap();
    step.call(&windlass_gate::api::traffic::Commit { service: "shop".into() }).await.unwrap();
    let again = step.call(&Abort { service: "shop".into(), drain_ms: 0 }).await;
    let CallError::Unsafe(message) = error(again) else { panic!("it was aborted") };
    assert!(message.contains("windlass rollback shop"), "{message}");
}

#[tokio::test]
async fn the_host_sees_what_is_open_and_what_has_a_place() {
    let (stage, mut step) = Stage::with_v1(1).await;
    stage.begin(&mut step, "v2", 1).await.unwrap();
    let mut host = stage.world.host();
    let open = host.call(&Open {}).await.unwrap();
    assert_eq!((open[0].service.as_str(), open[0].step, open[0].committed), ("shop", 0, false));
    assert_eq!(host.call(&Placed {}).await.unwrap(), ["id-v1-1"]);
    host.call(&Abort { service: "shop".into(), drain_ms: 0 }).await.unwrap();
    assert_eq!(host.call(&Open {}).await.unwrap(), []);
}
