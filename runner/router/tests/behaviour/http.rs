//! What passes through: streams, large bodies, WebSockets, TLS and HTTP/2.

use crate::kit::client::{echoes, websocket};
use crate::kit::{Backend, Conn, Router, Stand, free_address, get, until};
use bytes::Bytes;
use futures_util::stream;
use http::{Method, Request};
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use windlass_router::api::{Certificate, Change, Listener, Stop, Tls};

const MEGABYTES: u64 = 512;

fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn large_bodies_pass_both_ways_in_constant_memory() {
    let backend = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&backend])]).await;
    get(router.address, "/", &[]).await;
    let pid = router.child.id().unwrap();
    let before = memory(pid);
    let stream = TcpStream::connect(router.address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder().uri(format!("/big/{MEGABYTES}")).header("host", "x");
    let mut body = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap().into_body();
    let mut got = 0;
    while let Some(frame) = body.frame().await {
        got += frame.unwrap().data_ref().map_or(0, Bytes::len);
    }
    assert_eq!(got as u64, MEGABYTES << 20);
    let stream = TcpStream::connect(router.address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let chunk = Bytes::from(vec![b'x'; 1 << 20]);
    let chunks = (0..MEGABYTES).map(move |_| Ok::<_, Infallible>(Frame::data(chunk.clone())));
    let request = Request::builder().method(Method::POST).uri("/count").header("host", "x");
    let reply = sender.send_request(request.body(StreamBody::new(stream::iter(chunks))).unwrap()).await.unwrap();
    let counted = reply.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(counted, (MEGABYTES << 20).to_string());
    let grew = memory(pid) - before;
    assert!(grew < 32, "the router's memory grew by {grew} MiB over {MEGABYTES} MiB each way");
}

#[tokio::test]
async fn events_arrive_as_they_are_sent() {
    let backend = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&backend])]).await;
    let stream = TcpStream::connect(router.address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder().uri("/sse").header("host", "x").body(Empty::<Bytes>::new()).unwrap();
    let began = Instant::now();
    let mut body = sender.send_request(request).await.unwrap().into_body();
    let mut times = Vec::new();
    while let Some(frame) = body.frame().await {
        assert!(frame.unwrap().data_ref().unwrap().starts_with(b"data: "));
        times.push(began.elapsed());
    }
    assert_eq!(times.len(), 5);
    let spread = times[4] - times[0];
    assert!(spread > Duration::from_millis(150), "they came in one piece: {times:?}");
}

#[tokio::test]
async fn a_websocket_passes_and_both_sides_see_its_end() {
    let backend = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&backend])]).await;
    let mut socket = websocket(router.address).await;
    for _ in 0..100 {
        assert!(echoes(&mut socket).await);
    }
    drop(socket);
    until("it is over", async || {
        let state = router.client.state().await.unwrap();
        (state.services["shop"].revisions["v1"].in_flight == 0).then_some(())
    })
    .await;
    let measured = router.client.measurements_of_last("shop", Duration::from_secs(60)).await.unwrap();
    let total = &measured.revisions["v1"].total;
    assert_eq!(total.errors, 0, "a WebSocket's end is no error: {total:?}");
}

#[tokio::test]
async fn the_service_learns_who_asked_and_how() {
    let backend = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&backend])]).await;
    let reply = get(router.address, "/headers", &[("host", "shop.example"), ("x-forwarded-for", "10.0.0.9")]).await;
    for line in ["host: shop.example", "x-forwarded-for: 10.0.0.9, 127.0.0.1", "x-forwarded-proto: http"] {
        assert!(reply.body.lines().any(|l| l == line), "{line} is missing in\n{}", reply.body);
    }
}

#[tokio::test]
async fn headers_that_come_in_several_lines_arrive_whole() {
    let backend = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&backend])]).await;
    let sent = [("x-forwarded-for", "10.0.0.9"), ("cookie", "a=1"), ("x-forwarded-for", "10.0.0.1"), ("cookie", "b=2")];
    let reply = get(router.address, "/headers", &sent).await;
    for line in ["x-forwarded-for: 10.0.0.9, 10.0.0.1, 127.0.0.1", "cookie: a=1; b=2"] {
        assert!(reply.body.lines().any(|l| l == line), "{line} is missing in\n{}", reply.body);
    }
}

#[tokio::test]
async fn http_2_in_the_middle_of_a_connection_is_not_spoken() {
    let backend = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&backend])]).await;
    let asked =
        [("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c"), ("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA")];
    for asked in [&asked[..], &[("upgrade", "websocket")]] {
        let reply = get(router.address, "/headers", asked).await;
        assert_eq!(reply.status, 200);
        assert!(!reply.body.contains("upgrade") && !reply.body.contains("http2-settings"), "{}", reply.body);
    }
}

#[tokio::test]
async fn a_websocket_may_be_silent_for_longer_than_a_request() {
    let backend = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&backend])]).await;
    let mut socket = websocket(router.address).await;
    assert!(echoes(&mut socket).await);
    // A request that stands still for a minute is given up.
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert!(echoes(&mut socket).await);
}

#[tokio::test]
async fn tls_with_http_2_and_http_1_in_front_and_the_certificate_of_the_host() {
    let backend = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&backend])]).await;
    let mut roots = rustls::RootCertStore::empty();
    let mut certificates = Vec::new();
    for host in ["one.example", "two.example"] {
        let made = rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap();
        let (chain, key) =
            (router.folder.path().join(format!("{host}.pem")), router.folder.path().join(format!("{host}.key")));
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        roots.add(rustls::pki_types::CertificateDer::from_pem_file(&chain).unwrap()).unwrap();
        certificates.push(Certificate { hosts: vec![host.to_owned()], chain, key });
    }
    let secure = free_address();
    let listeners = |certificates: Vec<Certificate>| Change::Listeners {
        listeners: [(router.address, Listener::default()), (secure, Listener { tls: Some(Tls { certificates }) })]
            .into(),
    };
    let mut mixed = certificates.clone();
    mixed[0].key.clone_from(&certificates[1].key);
    let refused = router.apply(listeners(mixed)).await.unwrap_err();
    assert!(refused.to_string().contains("do not go together"), "{refused}");
    router.apply(listeners(certificates.clone())).await.unwrap();

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let connect = async |host: &'static str, protocol: &str| {
        let mut config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(secure).await.unwrap();
        // The handshake fails if the certificate is another host's.
        let stream = TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(host).unwrap(), stream).await;
        TokioIo::new(stream.unwrap())
    };
    let stream = connect("two.example", "h2").await;
    let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let replies = (0..20).map(|_| {
        let mut sender = sender.clone();
        async move {
            let request = Request::builder().uri("https://two.example/headers").body(Empty::<Bytes>::new()).unwrap();
            let reply = sender.send_request(request).await.unwrap();
            assert_eq!((reply.status().as_u16(), reply.version()), (200, http::Version::HTTP_2));
            String::from_utf8(reply.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
        }
    });
    for body in futures_util::future::join_all(replies).await {
        assert!(body.contains("x-forwarded-proto: https") && body.contains("host: two.example"), "{body}");
    }
    let (mut sender, connection) = http1::handshake(connect("one.example", "http/1.1").await).await.unwrap();
    let idle = tokio::spawn(connection);
    let request = Request::builder().uri("/").header("host", "one.example").body(Empty::<Bytes>::new()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    // One that is older than its listener's certificates ends with the others, long before the limit.
    router.apply(listeners(certificates)).await.unwrap();
    router.client.stop(&Stop { limit_ms: Some(50_000) }).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), idle).await.expect("it is idle and stays").unwrap().unwrap();
}

#[tokio::test]
async fn the_access_log_has_a_line_for_each_request() {
    let backend = Backend::new("a").await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("access.jsonl");
    let router = Router::start_with(&[("ACCESS_LOG", file.to_str().unwrap())]).await;
    router.shop(&[("v1", 100, &[&backend])]).await;
    let mut conn = Conn::new(router.address);
    conn.get("/hello?secret=1").await.unwrap();
    conn.get("/status/503").await.unwrap();
    let lines = until("both are written", async || {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
        (lines.len() == 2).then_some(lines)
    })
    .await;
    assert_eq!(
        (&lines[0]["path"], &lines[0]["status"], &lines[0]["revision"]),
        (&"/hello".into(), &200.into(), &"v1".into())
    );
    assert_eq!((&lines[1]["status"], &lines[1]["service"]), (&503.into(), &"shop".into()));
}

/// Pingora's own way loses about one in a hundred of them then.
#[tokio::test(flavor = "multi_thread")]
async fn no_websocket_is_lost_at_its_beginning_on_a_busy_machine() {
    let backend = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&backend])]).await;
    let over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let busy: Vec<_> = (0..4)
        .map(|_| {
            let over = Arc::clone(&over);
            std::thread::spawn(move || while !over.load(std::sync::atomic::Ordering::Relaxed) {})
        })
        .collect();
    let mut lost = 0;
    for _ in 0..400 {
        lost += u32::from(!echoes(&mut websocket(router.address).await).await);
    }
    over.store(true, std::sync::atomic::Ordering::Relaxed);
    busy.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(lost, 0, "of 400");
}

#[tokio::test]
async fn an_upgrade_that_the_service_declines_is_answered_as_it_says() {
    let (dead, alive) = (Backend::new("dead").await, Backend::new("alive").await);
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&dead, &alive])]).await;
    dead.stop().await;
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    for _ in 0..4 {
        let reply = get(router.address, "/status/403", &upgrade).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (403, "alive"));
    }
    assert_eq!(get(router.address, "/break", &upgrade).await.status, 502);
}
