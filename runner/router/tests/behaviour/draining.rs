//! How WebSockets end: closed, where there is a place for it.

use crate::kit::client::websocket;
use crate::kit::{Backend, Router, Stand};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use windlass_router::api::{Drain, DrainAnswer};

async fn drain(router: &Router, limit_ms: u64, wait_ms: u64) -> DrainAnswer {
    let drain = Drain { service: "shop".to_owned(), revision: "v1".to_owned(), container: None, limit_ms, wait_ms };
    router.client.drain(&drain).await.unwrap()
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
    drain(&router, 300, 0).await;
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
    let done = drain(&router, 300, 5_000).await;
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
