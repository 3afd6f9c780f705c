//! Who gets a request, and that a change of it fails none.

use crate::kit::client::{Load, split};
use crate::kit::{Backend, Stand, get, service};
use std::time::Duration;
use windlass_router::api::Endpoint;

pub(crate) async fn the_split_is_exact_over_ten_thousand_requests_of_32_connections<S: Stand>() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let stand = S::start().await;
    stand.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    for weight in [1, 5, 25, 50] {
        stand.weights(&[("v1", 100 - weight), ("v2", weight)]).await.unwrap();
        stand.settle().await;
        let got = split(stand.address(), 32, 10_000).await;
        let expected = u64::from(weight) * 100;
        assert_eq!((got["new"], got["old"]), (expected, 10_000 - expected), "weight {weight}");
    }
}

pub(crate) async fn replicas_share_what_their_revision_gets<S: Stand>() {
    let names = ["a", "b", "c", "d", "e"];
    let mut backends = Vec::new();
    for name in names {
        backends.push(Backend::new(name).await);
    }
    let [a, b, c, d, e] = &backends[..] else { panic!() };
    let stand = S::start().await;
    stand.shop(&[("v1", 75, &[a, b, c]), ("v2", 25, &[d, e])]).await;
    stand.settle().await;
    let got = split(stand.address(), 16, 10_000).await;
    assert_eq!(got["d"] + got["e"], 2_500, "{got:?}");
    assert_eq!(got["d"], 1_250, "{got:?}");
    assert!(["a", "b", "c"].iter().all(|n| (2_400..=2_600).contains(&got[*n])), "{got:?}");
}

pub(crate) async fn twenty_switches_under_load_fail_no_request<S: Stand>() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let stand = S::start().await;
    stand.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let load = Load::begin(stand.address(), 16, 8);
    for turn in 0..20 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        let (v1, v2) = if turn % 2 == 0 { (0, 100) } else { (100, 0) };
        stand.weights(&[("v1", v1), ("v2", v2)]).await.unwrap();
        // Once it is answered, it is so.
        let expected = if v1 == 100 { "old" } else { "new" };
        assert_eq!(get(stand.address(), "/", &[]).await.body, expected);
    }
    let (got, failed) = load.end().await;
    assert!(failed.is_empty(), "{} failed: {:?}", failed.len(), &failed[..failed.len().min(5)]);
    assert!(got["old"] > 50 && got["new"] > 50, "{got:?}");
}

pub(crate) async fn an_endpoint_that_is_not_vouched_for_gets_nothing<S: Stand>() {
    let (a, b) = (Backend::new("a").await, Backend::new("b").await);
    let stand = S::start().await;
    let mut shop = service(&[("v1", 100, &[&a])]);
    let endpoint =
        Endpoint { container: "b".to_owned(), address: b.address, ready: false, name: String::new(), port: 0 };
    shop.revisions.get_mut("v1").unwrap().endpoints.push(endpoint);
    stand.declare("shop", shop).await.unwrap();
    assert_eq!(split(stand.address(), 4, 100).await["a"], 100);
    assert_eq!(b.seen(), 0);
}

pub(crate) async fn without_weights_requests_are_answered_503<S: Stand>() {
    let a = Backend::new("a").await;
    let stand = S::start().await;
    stand.shop(&[("v1", 0, &[&a])]).await;
    assert_eq!(get(stand.address(), "/", &[]).await.status, 503);
    assert_eq!(a.seen(), 0);
}
