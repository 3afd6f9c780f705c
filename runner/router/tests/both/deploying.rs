//! A delivery from its beginning to its end, or back.

use crate::kit::client::Load;
use crate::kit::common::weights;
use crate::kit::{Backend, Stand, get, service, until};
use std::time::{Duration, Instant};
use windlass_router::ClientError;
use windlass_router::api::{Apply, Change, Drain, Endpoint, Intent, Refusal, Service};

const RUN: Option<&str> = Some("r1");

fn begin(revision: &str, replicas: u32) -> Change {
    let deployment = Intent { revision: revision.to_owned(), ..Intent::default() };
    let service = Service { replicas, ..service(&[]) };
    Change::Begin { name: shop(), owner: "storefront".to_owned(), deployment, service: Box::new(service) }
}

fn endpoints(revision: &str, backends: &[&Backend]) -> Change {
    let endpoints = backends.iter().map(|b| Endpoint {
        container: format!("c-{}", b.name),
        address: b.address,
        ready: true,
        name: b.name.clone(),
        port: 80,
    });
    Change::Endpoints { name: shop(), revision: revision.to_owned(), replicas: None, endpoints: endpoints.collect() }
}

fn shop() -> String {
    "shop".to_owned()
}

pub(crate) async fn a_delivery_under_load_fails_no_request_and_leaves_nothing_of_the_old<S: Stand>() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let stand = S::start().await;
    stand.shop(&[("v1", 100, &[&old])]).await;
    let load = Load::begin(stand.address(), 8, 4);
    stand.apply_for(RUN, begin("v2", 1)).await.unwrap();
    stand.apply_for(RUN, endpoints("v2", &[&new])).await.unwrap();
    for weight in [1, 5, 25, 50, 100] {
        stand.apply_for(RUN, weights(&[("v1", 100 - weight), ("v2", weight)])).await.unwrap();
        let share = stand.shop_state().await.revisions["v2"].share;
        assert_eq!(share.as_units(), u16::from(weight) * 100);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stand.apply_for(RUN, Change::Commit { name: shop() }).await.unwrap();
    let drain = Drain { service: shop(), revision: "v1".to_owned(), container: None, limit_ms: 5_000, wait_ms: 5_000 };
    assert!(stand.driver().drain(&drain).await.unwrap().drained);
    let seen = old.seen();
    stand.apply_for(RUN, Change::Retire { name: shop(), revision: "v1".to_owned() }).await.unwrap();
    stand.apply_for(RUN, Change::Finish { name: shop() }).await.unwrap();
    stand.apply_for(Some("r2"), begin("v3", 1)).await.unwrap();
    let (got, failed) = load.end().await;
    assert!(failed.is_empty(), "{} failed: {:?}", failed.len(), &failed[..failed.len().min(5)]);
    assert!(got["old"] > 20 && got["new"] > 20, "{got:?}");
    assert_eq!(old.seen(), seen, "nothing comes to what is drained");
    until("v1 is gone", async || (!stand.shop_state().await.revisions.contains_key("v1")).then_some(())).await;
    assert_eq!(stand.shop_state().await.current.as_deref(), Some("v2"));
}

pub(crate) async fn an_abort_under_load_fails_no_request_and_brings_everything_back<S: Stand>() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let stand = S::start().await;
    stand.shop(&[("v1", 100, &[&old])]).await;
    let load = Load::begin(stand.address(), 8, 4);
    for (at, weight) in [0, 1, 50, 100].into_iter().enumerate() {
        let run = format!("run-{at}");
        stand.apply_for(Some(&run), begin("v2", 1)).await.unwrap();
        stand.apply_for(Some(&run), endpoints("v2", &[&new])).await.unwrap();
        if weight > 0 {
            stand.apply_for(Some(&run), weights(&[("v1", 100 - weight), ("v2", weight)])).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let began = Instant::now();
        stand.apply_for(Some(&run), Change::Abort { name: shop() }).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_eq!(get(stand.address(), "/", &[]).await.body, "old", "once it is answered, it is so");
        until("v2 is gone", async || (!stand.shop_state().await.revisions.contains_key("v2")).then_some(())).await;
    }
    let (_, failed) = load.end().await;
    assert!(failed.is_empty(), "{} failed: {:?}", failed.len(), &failed[..failed.len().min(5)]);
    assert_eq!(stand.shop_state().await.revisions["v1"].share.as_units(), 10_000);
}

pub(crate) async fn a_service_is_changed_by_its_run_alone_and_no_more_than_its_replicas_carry<S: Stand>() {
    let (old, other, new) = (Backend::new("old").await, Backend::new("other").await, Backend::new("new").await);
    let stand = S::start().await;
    let mut declared = service(&[("v1", 100, &[&old, &other])]);
    declared.replicas = 2;
    stand.declare("shop", declared).await.unwrap();
    stand.apply_for(RUN, begin("v2", 2)).await.unwrap();
    stand.apply_for(RUN, endpoints("v2", &[&new])).await.unwrap();
    let reserved = stand.weights(&[("v1", 50), ("v2", 50)]).await.unwrap_err();
    assert!(matches!(reserved, ClientError::Refused(Refusal::Reserved { .. })), "{reserved}");
    let begun = stand.apply_for(Some("r2"), begin("v3", 2)).await.unwrap_err();
    assert!(begun.to_string().contains("windlass cancel r1"), "{begun}");
    let over = stand.apply_for(RUN, weights(&[("v2", 100)])).await.unwrap_err();
    assert!(matches!(over, ClientError::Refused(Refusal::OverCapacity { ready: 1, replicas: 2, .. })), "{over}");
    stand.apply_for(RUN, weights(&[("v1", 50), ("v2", 50)])).await.unwrap();
    let withdrawn = stand.apply_for(RUN, endpoints("v2", &[])).await.unwrap_err();
    assert!(matches!(withdrawn, ClientError::Refused(Refusal::OverCapacity { .. })), "{withdrawn}");
    assert_eq!(stand.shop_state().await.revisions["v2"].share.as_units(), 5_000, "nothing has changed");
}

pub(crate) async fn a_stale_generation_is_refused_with_the_current_one<S: Stand>() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let stand = S::start().await;
    stand.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let seen = stand.shop_state().await.generation;
    let change = |by: &str, v1, v2| Apply {
        by: by.to_owned(),
        expect: seen,
        holder: None,
        change: weights(&[("v1", v1), ("v2", v2)]),
    };
    let first = stand.driver().apply(&change("one", 90, 10)).await.unwrap();
    assert!(!first.repeated);
    let stale = stand.driver().apply(&change("two", 80, 20)).await.unwrap_err();
    let ClientError::Refused(Refusal::Stale { expected, current, .. }) = stale else { panic!("{stale}") };
    assert_eq!((expected, current), (seen, first.generation));
    let next = Apply { expect: first.generation, ..change("three", 50, 50) };
    stand.driver().apply(&next).await.unwrap();
}

pub(crate) async fn the_same_identity_is_applied_once<S: Stand>() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let stand = S::start().await;
    stand.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let expect = stand.shop_state().await.generation;
    let change = weights(&[("v1", 75), ("v2", 25)]);
    let apply = Apply { by: "run-7/deploy/3".to_owned(), expect, holder: None, change };
    let first = stand.driver().apply(&apply).await.unwrap();
    let again = stand.driver().apply(&apply).await.unwrap();
    assert_eq!((again.generation, again.repeated), (first.generation, true));
    let other = Apply { change: weights(&[("v1", 0), ("v2", 100)]), ..apply };
    let refused = stand.driver().apply(&other).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(Refusal::IdentityReused { .. })), "{refused}");
    assert_eq!(stand.shop_state().await.by, "run-7/deploy/3");
}
