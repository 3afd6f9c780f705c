//! What HAProxy cannot do, and what is wrong with its configuration: told in words, and nothing has changed.

use crate::kit::client::split;
use crate::kit::common::weights;
use crate::kit::{Backend, Proxy, Stand, get, service, until};
use std::sync::atomic::Ordering;
use std::time::Duration;
use windlass_router::api::{Change, HealthCheck, Hold, Refusal, Release, Route, Service, Sticky, Timeouts, Weight};
use windlass_router::{ClientError, Driver, Haproxy};

async fn refused(proxy: &Proxy, name: &str, service: Service) -> String {
    let why = proxy.declare(name, service).await.unwrap_err();
    assert!(matches!(why, ClientError::Refused(Refusal::Unsupported { .. })), "{why}");
    assert!(proxy.driver.state().await.unwrap().services.is_empty(), "nothing has changed");
    why.to_string()
}

#[tokio::test]
async fn settings_that_would_not_be_kept_are_refused() {
    let a = Backend::new("a").await;
    let proxy = Proxy::start().await;
    let shop = || service(&[("v1", 100, &[&a])]);
    let route = |host: Option<&str>, revision: Option<&str>| Route {
        host: host.map(str::to_owned),
        path: "/".to_owned(),
        listeners: vec![],
        revision: revision.map(str::to_owned),
    };
    let cases: [(Service, &str); 5] = [
        (Service { routes: vec![route(Some("x.example"), None)], ..shop() }, "use_backend shop"),
        (Service { routes: vec![route(None, Some("v1"))], ..shop() }, "preview"),
        (Service { sticky: Some(Sticky { cookie: "c".to_owned(), max_age_s: None }), ..shop() }, "sticky"),
        (Service { override_header: Some("x-r".to_owned()), ..shop() }, "header"),
        (Service { timeouts: Timeouts { read_ms: 1, ..Timeouts::default() }, ..shop() }, "timeout server"),
    ];
    for (service, words) in cases {
        let why = refused(&proxy, "shop", service).await;
        assert!(why.contains(words), "{why}");
    }
    let listeners = proxy.apply(Change::Listeners { listeners: [].into() }).await.unwrap_err();
    assert!(listeners.to_string().contains("bind"), "{listeners}");
    let hold = proxy.driver.hold(&Hold { service: "shop".to_owned(), limit_ms: 1 }).await.unwrap_err();
    assert!(matches!(&hold, ClientError::Refused(Refusal::Unsupported { .. })), "{hold}");
    proxy.driver.release(&Release { service: "shop".to_owned() }).await.unwrap();
}

#[tokio::test]
async fn a_backend_that_is_missing_or_does_not_go_by_weights_is_named() {
    let a = Backend::new("a").await;
    let shop = || service(&[("v1", 100, &[&a])]);
    let proxy = Proxy::start().await;
    let why = refused(&proxy, "cart", shop()).await;
    assert!(why.contains("no backend cart") && why.contains("balance roundrobin"), "{why}");
    let proxy = Proxy::start_with("  balance leastconn\n").await;
    let why = refused(&proxy, "shop", shop()).await;
    assert!(why.contains("leastconn"), "{why}");
    let proxy = Proxy::start_with(&format!("  balance roundrobin\n  server fixed {}\n", a.address)).await;
    let why = refused(&proxy, "shop", shop()).await;
    assert!(why.contains("fixed"), "{why}");
    let proxy = Proxy::start_with(&format!("  balance roundrobin\n  server sorry {} backup\n", a.address)).await;
    assert_eq!(get(proxy.address(), "/", &[]).await.body, "a", "a backup is fine");
    proxy.shop(&[("v1", 0, &[])]).await;
}

#[tokio::test]
async fn without_haproxy_or_its_rights_the_words_say_what_is_needed() {
    let folder = tempfile::TempDir::new().unwrap();
    let nobody = Haproxy::new(&folder.path().join("none.sock"), &folder.path().join("windlass"));
    let why = nobody.state().await.unwrap_err();
    assert!(matches!(why, ClientError::NoHaproxy { .. }), "{why}");
    assert!(why.to_string().contains("stats socket"), "{why}");
    let user = folder.path().join("user.sock");
    // A second socket with fewer rights.
    let extra = format!("  balance roundrobin\nglobal\n  stats socket {} level user\n", user.display());
    let proxy = Proxy::start_with(&extra).await;
    let low = Haproxy::new(&user, &proxy.table());
    let a = Backend::new("a").await;
    proxy.declare("shop", service(&[("v1", 0, &[])])).await.unwrap();
    let expect = proxy.shop_state().await.generation;
    let change = Change::Service { name: "shop".to_owned(), service: Box::new(service(&[("v1", 100, &[&a])])) };
    let apply = windlass_router::api::Apply { by: "x".to_owned(), expect, holder: None, change };
    let why = low.apply(&apply).await.unwrap_err();
    assert!(why.to_string().contains("level admin"), "{why}");
}

#[tokio::test]
async fn weights_that_whole_numbers_do_not_make_are_refused_with_the_nearest() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let proxy = Proxy::start().await;
    proxy.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let split = |units: u16| Change::Weights {
        name: "shop".to_owned(),
        weights: [("v1", 10_000 - units), ("v2", units)].map(|(r, u)| (r.to_owned(), Weight::units(u))).into(),
    };
    let why = proxy.apply(split(10)).await.unwrap_err();
    assert!(matches!(why, ClientError::Refused(Refusal::Inexpressible { .. })), "{why}");
    assert!(why.to_string().contains("v1 99.62, v2 0.38"), "{why}");
    assert_eq!(proxy.shop_state().await.revisions["v1"].share, Weight::FULL, "nothing has changed");
    proxy.apply(split(50)).await.unwrap();
    assert_eq!(proxy.shop_state().await.revisions["v2"].share.as_units(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn right_after_a_change_the_split_is_one_request_off_at_most() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let proxy = Proxy::start().await;
    proxy.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    for weight in [1, 5, 25, 50, 10, 99, 33] {
        proxy.apply(weights(&[("v1", 100 - weight), ("v2", weight)])).await.unwrap();
        let got = split(proxy.address(), 16, 10_000).await;
        println!("{weight} %, at once: {} of 10,000", got["new"]);
        assert!(got["new"].abs_diff(u64::from(weight) * 100) <= 1, "weight {weight}: {got:?}");
    }
}

#[tokio::test]
async fn latency_is_not_measured_rather_than_guessed() {
    let a = Backend::new("a").await;
    let proxy = Proxy::start().await;
    proxy.shop(&[("v1", 100, &[&a])]).await;
    split(proxy.address(), 4, 100).await;
    let latency = proxy.counted(100).await.revisions["v1"].total.latency.clone();
    assert_eq!((latency.count, latency.buckets), (0, vec![]));
}

#[tokio::test]
async fn haproxy_s_own_check_says_who_is_ready() {
    let (a, b) = (Backend::new("a").await, Backend::new("b").await);
    let proxy = Proxy::start_with("  balance roundrobin\n  option httpchk GET /health\n").await;
    let mut shop = service(&[("v1", 0, &[&a, &b])]);
    shop.replicas = 2;
    let health = HealthCheck { interval_ms: 50, down_after: 2, ..HealthCheck::default() };
    shop.health = Some(HealthCheck { path: Some("/health".to_owned()), ..health });
    b.well.store(false, Ordering::SeqCst);
    proxy.declare("shop", shop).await.unwrap();
    let ready = async |n: u32| {
        until("so many are ready", async || {
            let state = proxy.shop_state().await.revisions["v1"].clone();
            let known = state.endpoints.iter().all(|e| !e.because.as_deref().unwrap_or("").contains("not checked"));
            Some(state).filter(|r| known && r.ready == n)
        })
        .await
    };
    assert_eq!(ready(1).await.cap, Weight::percent(50));
    let why = proxy.weights(&[("v1", 100)]).await.unwrap_err();
    assert!(matches!(why, ClientError::Refused(Refusal::OverCapacity { ready: 1, replicas: 2, .. })), "{why}");
    b.well.store(true, Ordering::SeqCst);
    ready(2).await;
    proxy.weights(&[("v1", 100)]).await.unwrap();
    assert_eq!(split(proxy.address(), 4, 40).await.len(), 2);
    b.well.store(false, Ordering::SeqCst);
    ready(1).await;
    assert_eq!(split(proxy.address(), 4, 100).await["a"], 100);
}

#[tokio::test]
async fn a_check_of_a_port_is_not_taken_for_one_of_a_path() {
    let a = Backend::new("a").await;
    let proxy = Proxy::start().await;
    let mut shop = service(&[("v1", 0, &[&a])]);
    let health = HealthCheck { interval_ms: 50, ..HealthCheck::default() };
    shop.health = Some(HealthCheck { path: Some("/health".to_owned()), ..health });
    proxy.declare("shop", shop).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    until("it is said", async || {
        let state = proxy.shop_state().await.revisions["v1"].clone();
        state.endpoints[0].because.as_deref().is_some_and(|b| b.contains("option httpchk")).then_some(())
    })
    .await;
    let why = proxy.weights(&[("v1", 100)]).await.unwrap_err();
    assert!(matches!(why, ClientError::Refused(Refusal::OverCapacity { ready: 0, .. })), "{why}");
}
