//! What is counted, and what is not.

use crate::kit::{Backend, Conn, Router, Stand, service, until};
use http::Method;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use windlass_router::api::Window;

#[tokio::test]
async fn requests_errors_and_latency_are_counted_by_revision_and_container() {
    let (a, b, new) = (Backend::new("a").await, Backend::new("b").await, Backend::new("new").await);
    let router = Router::start().await;
    let mut shop = service(&[("v1", 50, &[&a, &b]), ("v2", 50, &[&new])]);
    shop.override_header = Some("x-revision".to_owned());
    router.declare("shop", shop).await.unwrap();
    let mut conn = Conn::new(router.address);
    let v2 = [("x-revision", "v2")];
    for path in ["/", "/", "/status/404", "/status/302", "/status/500", "/status/503"] {
        conn.send(Method::GET, path, &v2, "").await.unwrap();
    }
    assert_eq!(conn.send(Method::GET, "/break", &v2, "").await.unwrap().status, 502);
    for _ in 0..3 {
        conn.send(Method::GET, "/slow/100", &v2, "").await.unwrap();
    }
    for _ in 0..8 {
        conn.get("/").await.unwrap();
    }
    let read = async || router.client.measurements_of_last("shop", Duration::from_secs(60)).await.unwrap();
    let measured = until("all are counted", async || {
        let measured = read().await;
        (measured.revisions["v2"].total.requests == 14).then_some(measured)
    })
    .await;
    let v2 = &measured.revisions["v2"].total;
    assert_eq!((v2.requests, v2.errors, v2.broken, v2.chosen), (14, 3, 1, 10));
    assert_eq!(v2.classes, [0, 9, 1, 1, 2]);
    let slow: u64 = v2.latency.buckets.iter().filter(|[upper, _]| *upper >= 100_000).map(|[_, n]| n).sum();
    assert_eq!(slow, 3, "{:?}", v2.latency);
    assert!((100_000..200_000).contains(&v2.latency.p99_us), "{:?}", v2.latency);
    assert!(v2.latency.p50_us < 100_000, "{:?}", v2.latency);
    let v1 = &measured.revisions["v1"];
    assert_eq!((v1.total.requests, v1.total.errors), (4, 0));
    let by_container: Vec<u64> = v1.containers.values().map(|c| c.requests).collect();
    assert_eq!(by_container, [2, 2]);
    assert_eq!(measured.unserved, 0);
    // A window that was before has nothing.
    let before = Window { from_ms: measured.since_ms - 10_000, to_ms: measured.since_ms - 5_000 };
    let nothing = router.client.measurements("shop", before).await.unwrap();
    assert!(nothing.revisions.values().all(|r| r.total.requests == 0), "{nothing:?}");
}

#[tokio::test]
async fn windows_that_follow_each_other_count_every_request_once() {
    let a = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&a])]).await;
    let begun = router.client.measurements_of_last("shop", Duration::ZERO).await.unwrap().now_ms;
    let (mut from_ms, mut asked, mut counted) = (begun - begun % 1_000, 0_u64, 0_u64);
    let mut conn = Conn::new(router.address);
    // Requests and looks at all times of a second; the last looks are for what has ended by then.
    while from_ms < begun + 3_000 {
        if from_ms < begun + 1_000 {
            conn.get("/").await.unwrap();
            asked += 1;
        }
        let window = Window { from_ms, to_ms: from_ms + 60_000 };
        let measured = router.client.measurements("shop", window).await.unwrap();
        assert!(measured.window.to_ms <= measured.now_ms, "only what is over is covered: {:?}", measured.window);
        counted += measured.revisions["v1"].total.requests;
        from_ms = measured.window.to_ms;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(asked > 10, "{asked}");
    assert_eq!(counted, asked);
}

#[tokio::test]
async fn a_client_that_goes_away_is_no_error() {
    let a = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&a])]).await;
    for _ in 0..3 {
        let mut stream = TcpStream::connect(router.address).await.unwrap();
        stream.write_all(b"GET /slow/300 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let seen = a.seen();
        until("it is there", async || (a.seen() > 0 && a.seen() >= seen).then_some(())).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        drop(stream);
    }
    // In the middle of a large answer too.
    let mut stream = TcpStream::connect(router.address).await.unwrap();
    stream.write_all(b"GET /big/64 HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    stream.read_exact(&mut [0; 1000]).await.unwrap();
    drop(stream);
    let counts = until("all are over", async || {
        let measured = router.client.measurements_of_last("shop", Duration::from_secs(60)).await.unwrap();
        let v1 = &measured.revisions["v1"];
        (v1.in_flight == 0 && v1.total.client_aborts == 4).then(|| v1.total.clone())
    })
    .await;
    assert_eq!((counts.requests, counts.errors, counts.latency.count), (0, 0, 0), "{counts:?}");
}
