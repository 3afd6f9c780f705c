//! What is counted, by revision and container.

use crate::kit::{Backend, Conn, Stand, get, service};
use std::time::Duration;
use windlass_router::api::Window;

pub(crate) async fn requests_and_errors_are_counted_by_revision_and_container<S: Stand>() {
    let (a, b) = (Backend::new("a").await, Backend::new("b").await);
    let stand = S::start().await;
    stand.shop(&[("v1", 100, &[&a, &b])]).await;
    let begun = stand.driver().measurements_of_last("shop", Duration::from_secs(1)).await.unwrap();
    let mut conn = Conn::new(stand.address());
    for path in ["/", "/", "/status/404", "/status/302", "/status/500", "/status/503", "/break", "/break"] {
        let _ = conn.get(path).await;
    }
    let measured = stand.counted(8).await;
    let v1 = &measured.revisions["v1"];
    assert_eq!((v1.total.requests, v1.total.errors, v1.total.broken), (8, 4, 2), "{v1:?}");
    assert_eq!(v1.total.classes, [0, 2, 1, 1, 2]);
    let each: Vec<u64> = v1.containers.values().map(|c| c.requests).collect();
    assert_eq!(each, [4, 4]);
    assert_eq!((measured.unserved, v1.in_flight), (0, 0));
    // A window that was before has nothing.
    let before = Window { from_ms: begun.since_ms.saturating_sub(9_000), to_ms: begun.since_ms.saturating_sub(5_000) };
    let nothing = stand.driver().measurements("shop", before).await.unwrap();
    assert!(nothing.revisions.values().all(|r| r.total.requests == 0), "{nothing:?}");
}

pub(crate) async fn an_address_that_is_used_again_is_counted_for_its_new_container<S: Stand>() {
    let a = Backend::new("a").await;
    let stand = S::start().await;
    stand.shop(&[("v1", 100, &[&a])]).await;
    get(stand.address(), "/", &[]).await;
    let mut next = service(&[("v2", 100, &[&a])]);
    next.revisions.get_mut("v2").unwrap().endpoints[0].container = "another".to_owned();
    stand.declare("shop", next).await.unwrap();
    get(stand.address(), "/", &[]).await;
    get(stand.address(), "/", &[]).await;
    let measured = stand.counted(3).await;
    assert_eq!(measured.revisions["v2"].containers["another"].requests, 2);
    assert_eq!(measured.revisions["v1"].total.requests, 1, "what the old one did is not forgotten");
}

pub(crate) async fn what_nobody_could_serve_is_counted_for_the_service<S: Stand>() {
    let a = Backend::new("a").await;
    let stand = S::start().await;
    stand.shop(&[("v1", 0, &[&a])]).await;
    for _ in 0..3 {
        get(stand.address(), "/", &[]).await;
    }
    let measured = stand.driver().measurements_of_last("shop", Duration::from_secs(60)).await.unwrap();
    assert_eq!((measured.unserved, measured.revisions["v1"].total.requests), (3, 0));
}
