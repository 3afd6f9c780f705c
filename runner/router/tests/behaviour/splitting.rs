//! Who gets a request: weights, cookies, testers, readiness.

use crate::kit::client::split;
use crate::kit::{Backend, Router, Stand, get, service, until};
use std::sync::atomic::Ordering;
use windlass_router::ClientError;
use windlass_router::api::{Change, HealthCheck, Refusal, Route, Sticky, Weight};

#[tokio::test]
async fn a_cookie_keeps_a_client_with_its_revision_while_that_serves() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let router = Router::start().await;
    let mut shop = service(&[("v1", 50, &[&old]), ("v2", 50, &[&new])]);
    shop.sticky = Some(Sticky { cookie: "shop-revision".to_owned(), max_age_s: Some(60) });
    router.declare("shop", shop).await.unwrap();
    let first = get(router.address, "/", &[]).await;
    let cookie = first.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    for _ in 0..10 {
        let again = get(router.address, "/", &[("cookie", &format!("a=b; {cookie}"))]).await;
        assert_eq!(again.body, first.body);
        assert!(!again.headers.contains_key("set-cookie"), "it has one already");
    }
    let (gone, stays) = if first.body == "old" { ("v1", "v2") } else { ("v2", "v1") };
    router.weights(&[(gone, 0), (stays, 100)]).await.unwrap();
    let moved = get(router.address, "/", &[("cookie", &cookie)]).await;
    assert_ne!(moved.body, first.body, "a revision without weight serves nobody, with a cookie or without");
    assert!(moved.headers["set-cookie"].to_str().unwrap().contains(stays));
}

#[tokio::test]
async fn a_tester_chooses_the_revision_by_a_header_where_that_is_allowed() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let router = Router::start().await;
    let mut shop = service(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]);
    router.declare("shop", shop.clone()).await.unwrap();
    let asks = [("x-windlass-revision", "v2")];
    assert_eq!(get(router.address, "/", &asks).await.body, "old", "it was not allowed");
    shop.override_header = Some("X-Windlass-Revision".to_owned());
    router.declare("shop", shop.clone()).await.unwrap();
    assert_eq!(get(router.address, "/", &asks).await.body, "new");
    assert_eq!(get(router.address, "/", &[]).await.body, "old");
    let wrong = get(router.address, "/", &[("x-windlass-revision", "v9")]).await;
    assert_eq!(wrong.status, 503);
    assert!(wrong.body.contains("no revision v9"), "{}", wrong.body);
    // A preview does the same by its address.
    shop.routes.push(Route {
        host: Some("next.example".to_owned()),
        path: "/".to_owned(),
        listeners: vec![],
        revision: Some("v2".to_owned()),
    });
    router.declare("shop", shop).await.unwrap();
    assert_eq!(get(router.address, "/", &[("host", "NEXT.example:8080")]).await.body, "new");
}

#[tokio::test]
async fn the_host_counts_before_the_path_and_the_longest_path_wins() {
    let names = ["any", "api", "shop", "deep"];
    let mut backends = Vec::new();
    let router = Router::start().await;
    for (name, (host, path)) in
        names.iter().zip([(None, "/"), (None, "/api"), (Some("shop.example"), "/"), (Some("shop.example"), "/api/v2/")])
    {
        let backend = Backend::new(name).await;
        let mut declared = service(&[("v1", 100, &[&backend])]);
        declared.routes[0].host = host.map(str::to_owned);
        declared.routes[0].path = path.to_owned();
        router.declare(name, declared).await.unwrap();
        backends.push(backend);
    }
    for (host, path, expected) in [
        ("x", "/", "any"),
        ("x", "/api", "api"),
        ("x", "/api/", "api"),
        ("x", "/api/x?q=1", "api"),
        ("x", "/apix", "any"),
        ("shop.example", "/api", "shop"),
        ("Shop.Example:80", "/api/v2", "deep"),
        ("shop.example", "/api/v2/x", "deep"),
        ("shop.example", "/api/v22", "shop"),
    ] {
        assert_eq!(get(router.address, path, &[("host", host)]).await.body, expected, "{host}{path}");
    }
    let mut clash = service(&[("v1", 100, &[&backends[0]])]);
    clash.routes[0].path = "/api/".to_owned();
    let refused = router.declare("second", clash).await.unwrap_err();
    assert!(refused.to_string().contains("api and second both claim */api/"), "{refused}");
    router.apply(Change::RemoveService { name: "any".to_owned() }).await.unwrap();
    let nobody = get(router.address, "/apix", &[("host", "x")]).await;
    assert_eq!((nobody.status.as_u16(), nobody.body.contains("no service is for x/apix")), (404, true), "{nobody:?}");
}

#[tokio::test]
async fn an_unready_endpoint_gets_nothing_and_comes_back() {
    let (a, b) = (Backend::new("a").await, Backend::new("b").await);
    let router = Router::start().await;
    let mut shop = service(&[("v1", 0, &[&a, &b])]);
    shop.replicas = 2;
    shop.health = Some(HealthCheck {
        path: Some("/health".to_owned()),
        interval_ms: 20,
        down_after: 2,
        ..HealthCheck::default()
    });
    b.well.store(false, Ordering::SeqCst);
    router.declare("shop", shop).await.unwrap();
    let ready = async |n: u32| {
        until("so many are ready", async || {
            let state = router.client.state().await.unwrap();
            Some(state.services["shop"].revisions["v1"].clone()).filter(|r| r.ready == n)
        })
        .await
    };
    let state = ready(1).await;
    assert_eq!(state.cap, Weight::percent(50));
    let refused = router.weights(&[("v1", 100)]).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(Refusal::OverCapacity { ready: 1, replicas: 2, .. })), "{refused}");
    b.well.store(true, Ordering::SeqCst);
    ready(2).await;
    router.weights(&[("v1", 100)]).await.unwrap();
    assert_eq!(split(router.address, 4, 40).await.len(), 2);
    b.well.store(false, Ordering::SeqCst);
    ready(1).await;
    let before = b.seen();
    assert_eq!(split(router.address, 4, 100).await["a"], 100, "losing a replica does not lose requests");
    assert_eq!(b.seen(), before);
    a.well.store(false, Ordering::SeqCst);
    ready(0).await;
    let nobody = get(router.address, "/", &[]).await;
    assert_eq!((nobody.status.as_u16(), nobody.body.contains("nothing serves shop")), (503, true), "{nobody:?}");
    a.well.store(true, Ordering::SeqCst);
    ready(1).await;
    assert_eq!(get(router.address, "/", &[]).await.body, "a");
}

#[tokio::test]
async fn without_weights_requests_are_answered_503() {
    let a = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 0, &[&a])]).await;
    let nobody = get(router.address, "/", &[]).await;
    assert_eq!(nobody.status, 503);
    assert!(nobody.body.contains("nothing serves shop"), "{}", nobody.body);
    assert_eq!(a.seen(), 0);
}
