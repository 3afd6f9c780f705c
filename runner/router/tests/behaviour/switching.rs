//! Switches under load, holds, and what may be sent twice.

use crate::kit::{Backend, Conn, Router, Stand, get, service, until};
use http::Method;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use windlass_router::api::{Hold, Release};

#[tokio::test]
async fn a_hold_keeps_requests_waiting_and_lets_them_go_where_the_table_says_then() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    router.client.hold(&Hold { service: "shop".to_owned(), limit_ms: 5_000 }).await.unwrap();
    let address = router.address;
    let held: Vec<_> = (0..5).map(|_| tokio::spawn(async move { get(address, "/", &[]).await })).collect();
    until("five wait", async || {
        let state = router.client.state().await.unwrap();
        state.services["shop"].hold.as_ref().is_some_and(|h| h.waiting == 5).then_some(())
    })
    .await;
    router.weights(&[("v1", 0), ("v2", 100)]).await.unwrap();
    assert_eq!(new.seen(), 0, "it is still held");
    let released = router.client.release(&Release { service: "shop".to_owned() }).await.unwrap();
    assert_eq!(released.waiting, 5);
    for reply in held {
        assert_eq!(reply.await.unwrap().body, "new");
    }
    assert_eq!(old.seen(), 0);
}

#[tokio::test]
async fn a_client_that_leaves_during_a_hold_is_not_served_after_it() {
    let old = Backend::new("old").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&old])]).await;
    router.client.hold(&Hold { service: "shop".to_owned(), limit_ms: 60_000 }).await.unwrap();
    let waiting = |number: u64| {
        let client = &router.client;
        until("so many wait", async move || {
            let state = client.state().await.unwrap();
            state.services["shop"].hold.as_ref().is_some_and(|h| h.waiting == number).then_some(())
        })
    };
    let mut client = TcpStream::connect(router.address).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    waiting(1).await;
    drop(client);
    waiting(0).await;
    router.client.release(&Release { service: "shop".to_owned() }).await.unwrap();
    assert_eq!(get(router.address, "/", &[]).await.body, "old");
    assert_eq!(old.seen(), 1);
}

#[tokio::test]
async fn a_hold_that_nobody_releases_ends_by_itself() {
    let old = Backend::new("old").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&old])]).await;
    router.client.hold(&Hold { service: "shop".to_owned(), limit_ms: 200 }).await.unwrap();
    let began = Instant::now();
    assert_eq!(get(router.address, "/", &[]).await.body, "old");
    let took = began.elapsed();
    assert!(took > Duration::from_millis(150) && took < Duration::from_secs(2), "{took:?}");
    let state = router.client.state().await.unwrap();
    assert_eq!(state.services["shop"].hold, None);
}

#[tokio::test]
async fn a_refused_connection_goes_elsewhere_whatever_the_method() {
    let (dead, alive) = (Backend::new("dead").await, Backend::new("alive").await);
    let router = Router::start().await;
    let mut shop = service(&[("v1", 100, &[&dead, &alive])]);
    shop.replicas = 2;
    router.declare("shop", shop).await.unwrap();
    dead.stop().await;
    let mut conn = Conn::new(router.address);
    for _ in 0..20 {
        let reply = conn.send(Method::POST, "/count", &[], "12345").await.unwrap();
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "5"));
    }
    assert_eq!(alive.posts(), 20);
    let measured = router.counted(20).await;
    let v1 = &measured.revisions["v1"].total;
    assert_eq!((v1.requests, v1.errors), (20, 0));
    assert_eq!(v1.unreachable, 3, "after three in a row it is not asked any more: {v1:?}");
}
