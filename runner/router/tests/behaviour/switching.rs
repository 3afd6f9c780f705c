//! Switches under load, holds, and what may be sent twice.

use crate::kit::{Backend, Conn, Router, Stand, get, service, until};
use http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

/// A server that answers one request on each connection and ends the next one's connection after it
/// has read it: what a kept connection looks like that is closed at the wrong moment.
async fn breaks_the_second(requests: Arc<AtomicU64>) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let requests = Arc::clone(&requests);
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                for turn in 0..2 {
                    if stream.read(&mut bytes).await.unwrap_or(0) == 0 {
                        return;
                    }
                    requests.fetch_add(1, Ordering::SeqCst);
                    if turn == 0 {
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_post_is_not_sent_twice_and_a_get_is() {
    let requests = Arc::new(AtomicU64::new(0));
    let address = breaks_the_second(Arc::clone(&requests)).await;
    let router = Router::start().await;
    let fake = Backend::new("fake").await;
    let mut shop = service(&[("v1", 100, &[&fake])]);
    shop.revisions.get_mut("v1").unwrap().endpoints[0].address = address;
    router.declare("shop", shop).await.unwrap();
    let send = async |method: Method, body: &str| {
        let mut conn = Conn::new(router.address);
        assert_eq!(conn.get("/").await.unwrap().status, 200);
        let before = requests.load(Ordering::SeqCst);
        let reply = conn.send(method, "/", &[], body).await.unwrap();
        (reply.status.as_u16(), requests.load(Ordering::SeqCst) - before)
    };
    assert_eq!(send(Method::POST, "x=1").await, (502, 1), "once, and the client is told");
    assert_eq!(send(Method::POST, "").await, (502, 1));
    assert_eq!(send(Method::PUT, "x=1").await, (502, 1), "its body is gone");
    assert_eq!(send(Method::GET, "").await, (200, 2), "twice is the same as once");
}
