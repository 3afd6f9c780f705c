//! A deploy that goes well, and what is read of it.

use windlass_gate::api::traffic::{Commit, Drain, Finish, Judge, Judgement, Measure, Read, Retire, Verdict};

use crate::kit::{Stage, shift};

#[tokio::test]
async fn a_revision_takes_over_and_the_old_one_leaves() {
    let (stage, mut step) = Stage::with_v1(1).await;
    assert_eq!(stage.ask().as_deref(), Some("v1-1"));
    stage.begin(&mut step, "v2", 1).await.unwrap();
    let state = stage.put(&mut step, "v2", 1).await.unwrap();
    assert_eq!(state.deployment.unwrap().previous.as_deref(), Some("v1"));
    assert_eq!(stage.ask().as_deref(), Some("v1-1"), "ready is not yet serving");
    shift(&mut step, &[("v1", 0), ("v2", 10_000)]).await.unwrap();
    assert_eq!(stage.ask().as_deref(), Some("v2-1"));
    step.call(&Commit { service: "shop".into() }).await.unwrap();
    let drain = Drain { service: "shop".into(), revision: "v1".into(), container: None, limit_ms: 1_000 };
    assert!(step.call(&drain).await.unwrap().done);
    let state = step.call(&Retire { service: "shop".into(), revision: "v1".into() }).await.unwrap();
    assert_eq!(state.current.as_deref(), Some("v2"));
    step.call(&Finish { service: "shop".into() }).await.unwrap();
    let state = step.call(&Read { service: "shop".into() }).await.unwrap();
    assert_eq!((state.deployment, state.revisions.len()), (None, 1));
}

#[tokio::test]
async fn what_was_measured_is_told_by_revision() {
    let (stage, mut step) = Stage::with_v1(1).await;
    for _ in 0..5 {
        assert!(stage.ask().is_some());
    }
    // A request is counted when it has ended, a moment after its answer.
    let measured = loop {
        let measured = step.call(&Measure { service: "shop".into(), from_ms: None, last_ms: 60_000 }).await.unwrap();
        if measured.revisions.iter().any(|revision| revision.requests == 5) {
            break measured;
        }
    };
    let v1 = &measured.revisions[0];
    assert_eq!((v1.revision.as_str(), v1.errors, v1.classes[1]), ("v1", 0, 5));
    assert_eq!(v1.latency.iter().map(|bucket| bucket.count).sum::<u64>(), 5);
    let after = step
        .call(&Measure { service: "shop".into(), from_ms: Some(measured.now_ms + 2_000), last_ms: 0 })
        .await
        .unwrap();
    assert!(after.revisions.iter().all(|revision| revision.requests == 0));
}

#[tokio::test]
async fn a_judgement_is_in_the_record() {
    let (stage, mut step) = Stage::with_v1(1).await;
    let judgement = Judgement {
        revision: "v1".into(),
        metric: "errors".into(),
        verdict: Verdict::InsufficientData,
        next: "hold".into(),
        reason: "30 of 500 requests".into(),
    };
    step.call(&Judge { service: "shop".into(), judgement }).await.unwrap();
    assert_eq!(stage.world.calls().await.last().map(String::as_str), Some("traffic.judge"));
}

#[tokio::test]
async fn what_is_asked_twice_by_the_same_call_is_done_once() {
    let (stage, mut step) = Stage::with_v1(1).await;
    let before = stage.shop().await.generation;
    stage.begin(&mut step, "v2", 1).await.unwrap();
    stage.begin(&mut step, "v2", 1).await.unwrap();
    assert_eq!(stage.shop().await.generation, before + 1, "beginning again changes nothing");
}
