//! It works when it is granted, and is denied when the plugin has not asked, or nothing is granted.

use windlass_capability_testing::denied;
use windlass_gate::api::traffic::{Abort, Commit, Hold, Measure, Read, Release, Shift};

use crate::kit::{Stage, shift};

#[tokio::test]
async fn granted() {
    let (stage, mut step) = Stage::with_v1(1).await;
    step.call(&Read { service: "shop".into() }).await.unwrap();
    stage.begin(&mut step, "v2", 1).await.unwrap();
    stage.put(&mut step, "v2", 1).await.unwrap();
    step.call(&Hold { service: "shop".into(), limit_ms: 5_000 }).await.unwrap();
    shift(&mut step, &[("v2", 10_000)]).await.unwrap();
    step.call(&Release { service: "shop".into() }).await.unwrap();
    assert_eq!(stage.ask().as_deref(), Some("v2-1"));
}

#[tokio::test]
async fn not_asked_for() {
    let (stage, _) = Stage::with_v1(1).await;
    let mut step = stage.world.step(&["docker"], "{ traffic = [\"shop\"] }");
    denied(step.call(&Read { service: "shop".into() }).await, &["traffic"]);
    denied(step.call(&Abort { service: "shop".into(), drain_ms: 0 }).await, &["traffic"]);
}

#[tokio::test]
async fn not_granted() {
    let (stage, _) = Stage::with_v1(1).await;
    let mut step = stage.world.step(&["traffic"], "{ traffic = [\"other\"] }");
    let missing = &["\"shop\"", "grants.traffic"];
    denied(step.call(&Read { service: "shop".into() }).await, missing);
    denied(step.call(&Measure { service: "shop".into(), from_ms: None, last_ms: 1_000 }).await, missing);
    denied(step.call(&Commit { service: "shop".into() }).await, missing);
    denied(step.call(&Shift { service: "shop".into(), weights: Vec::new() }).await, missing);
    denied(step.call(&Abort { service: "shop".into(), drain_ms: 0 }).await, missing);
    denied(stage.begin(&mut step, "v2", 1).await, missing);
}
