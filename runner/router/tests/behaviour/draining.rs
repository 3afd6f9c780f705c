//! Letting go: requests and WebSockets finish, or are cut at the limit.

use crate::kit::client::split;
use crate::kit::router::until;
use crate::kit::{Backend, Router, get};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use windlass_router::ClientError;
use windlass_router::api::{Drain, DrainAnswer, Refusal};

/// A WebSocket, as far as a router can tell.
pub(crate) async fn websocket(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let ask = b"GET /ws HTTP/1.1\r\nhost: test\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

pub(crate) async fn echoes(stream: &mut TcpStream) -> bool {
    let mut back = [0; 5];
    stream.write_all(b"hello").await.is_ok() && stream.read_exact(&mut back).await.is_ok() && back == *b"hello"
}

async fn drain(router: &Router, limit_ms: u64, wait_ms: u64) -> Result<DrainAnswer, ClientError> {
    let drain = Drain { service: "shop".to_owned(), revision: "v1".to_owned(), container: None, limit_ms, wait_ms };
    router.client.drain(&drain).await
}

async fn in_flight(router: &Router, n: u64) {
    until("so many are under way", async || {
        let state = router.client.state().await.unwrap();
        (state.services["shop"].revisions["v1"].in_flight == n).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_under_way_finishes_within_the_limit() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let address = router.address;
    let slow = tokio::spawn(async move { get(address, "/slow/600", &[]).await });
    let mut socket = websocket(address).await;
    in_flight(&router, 2).await;
    let refused = drain(&router, 1_000, 0).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(Refusal::Serving { .. })), "it still serves: {refused}");
    router.weights(&[("v1", 0), ("v2", 100)]).await.unwrap();
    let begun = drain(&router, 5_000, 0).await.unwrap();
    assert_eq!((begun.drained, begun.in_flight), (false, 2));
    assert!(echoes(&mut socket).await, "it goes on while there is time");
    assert_eq!(slow.await.unwrap().body, "old");
    drop(socket);
    let done = drain(&router, 5_000, 5_000).await.unwrap();
    assert_eq!((done.drained, done.in_flight, done.cut), (true, 0, 0));
}

#[tokio::test]
async fn what_does_not_finish_is_cut_at_the_limit_even_if_it_is_silent() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let address = router.address;
    let mut socket = websocket(address).await;
    // In the middle of a frame there is no place for a close.
    assert!(echoes(&mut socket).await);
    let slow = tokio::spawn(async move { crate::kit::Conn::new(address).get("/slow/60000").await });
    in_flight(&router, 2).await;
    router.weights(&[("v1", 0), ("v2", 100)]).await.unwrap();
    let began = Instant::now();
    let done = drain(&router, 300, 5_000).await.unwrap();
    assert_eq!((done.drained, done.cut), (true, 2), "{done:?}");
    assert!(began.elapsed() >= Duration::from_millis(280) && began.elapsed() < Duration::from_secs(4));
    assert_eq!(socket.read(&mut [0; 8]).await.unwrap_or(0), 0, "the WebSocket is closed");
    assert!(slow.await.unwrap().is_err(), "the slow request is broken off");
    let measured = router.counted(2).await;
    assert_eq!(measured.revisions["v1"].total.cut, 2);
    // With weight it serves again.
    router.weights(&[("v1", 100), ("v2", 0)]).await.unwrap();
    assert_eq!(get(address, "/", &[]).await.body, "old");
}

#[tokio::test]
async fn one_container_is_drained_when_it_is_not_declared_ready_any_more() {
    let (a, b) = (Backend::new("a").await, Backend::new("b").await);
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&a, &b])]).await;
    let address = router.address;
    let slow: Vec<_> = (0..2).map(|_| tokio::spawn(async move { get(address, "/slow/400", &[]).await })).collect();
    in_flight(&router, 2).await;
    let container = format!("c-a-{}", a.address.port());
    let ask = Drain {
        service: "shop".to_owned(),
        revision: "v1".to_owned(),
        container: Some(container.clone()),
        limit_ms: 5_000,
        wait_ms: 5_000,
    };
    let refused = router.client.drain(&ask).await.unwrap_err();
    assert!(refused.to_string().contains(&container), "{refused}");
    // It leaves the table altogether while a request is under way.
    router.shop(&[("v1", 100, &[&b])]).await;
    let state = router.client.state().await.unwrap();
    let left: Vec<_> = state.services["shop"].revisions["v1"].endpoints.iter().filter(|e| !e.serving).collect();
    assert_eq!((left.len(), left[0].in_flight), (1, 1), "it is still shown: {left:?}");
    let seen = a.seen();
    let done = router.client.drain(&ask).await.unwrap();
    assert_eq!((done.drained, done.cut), (true, 0));
    for reply in slow {
        assert_eq!(reply.await.unwrap().status, 200);
    }
    assert_eq!(split(address, 4, 40).await["b"], 40);
    assert_eq!(a.seen(), seen);
    assert!(router.client.drain(&ask).await.unwrap().drained, "asking again is fine");
}

/// A frame with this text; what clients send is masked.
fn frame(masked: bool, text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    let mut bytes = vec![0x81, length | if masked { 0x80 } else { 0 }];
    bytes.extend(if masked { &[0; 4][..] } else { &[] });
    bytes.extend(text);
    bytes
}

/// All that comes until the end.
async fn rest(socket: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), socket.read_to_end(&mut bytes)).await.unwrap().unwrap();
    bytes
}

const GOING_AWAY: [u8; 4] = [0x88, 2, 0x03, 0xe9];

#[tokio::test]
async fn a_websocket_that_has_to_end_is_closed_between_two_frames() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let (mut polite, mut silent) = (websocket(router.address).await, websocket(router.address).await);
    // The server echoes, so this is a frame each way.
    let hello = frame(true, b"hello");
    polite.write_all(&hello).await.unwrap();
    let mut back = vec![0; hello.len()];
    polite.read_exact(&mut back).await.unwrap();
    router.weights(&[("v1", 0), ("v2", 100)]).await.unwrap();
    let began = Instant::now();
    drain(&router, 300, 0).await.unwrap();
    let mut close = [0; 4];
    polite.read_exact(&mut close).await.unwrap();
    assert_eq!(close, GOING_AWAY);
    polite.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]).await.unwrap();
    assert_eq!(rest(&mut polite).await, [0_u8; 0], "nothing comes after a close");
    assert!(
        began.elapsed() < Duration::from_millis(1_200),
        "an answer is not waited for longer: {:?}",
        began.elapsed()
    );
    assert_eq!(rest(&mut silent).await, GOING_AWAY);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let done = drain(&router, 300, 5_000).await.unwrap();
    assert_eq!((done.drained, done.cut), (true, 2));
    let measured = router.counted(2).await;
    let total = &measured.revisions["v1"].total;
    assert_eq!((total.cut, total.errors, total.classes[0]), (0, 0, 2), "they have ended in good order");
}

#[tokio::test]
async fn a_router_that_ends_closes_its_websockets() {
    let old = Backend::new("old").await;
    let mut router = Router::start_with(&[("DRAIN_MS", "300")]).await;
    router.shop(&[("v1", 100, &[&old])]).await;
    let mut socket = websocket(router.address).await;
    router.kill("-TERM");
    assert_eq!(rest(&mut socket).await, GOING_AWAY);
    assert!(router.child.wait().await.unwrap().success());
}
