//! Letting go: requests and WebSockets finish, or are cut at the limit.

use crate::kit::client::{echoes, split, websocket};
use crate::kit::{Backend, Conn, Stand, get};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use windlass_router::ClientError;
use windlass_router::api::{Drain, DrainAnswer, Refusal};

async fn drain(stand: &impl Stand, limit_ms: u64, wait_ms: u64) -> Result<DrainAnswer, ClientError> {
    let drain = Drain { service: "shop".to_owned(), revision: "v1".to_owned(), container: None, limit_ms, wait_ms };
    stand.driver().drain(&drain).await
}

pub(crate) async fn what_is_under_way_finishes_within_the_limit<S: Stand>() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let stand = S::start().await;
    stand.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let address = stand.address();
    let slow = tokio::spawn(async move { get(address, "/slow/600", &[]).await });
    let mut socket = websocket(address).await;
    stand.in_flight(2).await;
    let refused = drain(&stand, 1_000, 0).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(Refusal::Serving { .. })), "it still serves: {refused}");
    stand.weights(&[("v1", 0), ("v2", 100)]).await.unwrap();
    let begun = drain(&stand, 5_000, 0).await.unwrap();
    assert_eq!((begun.drained, begun.in_flight), (false, 2));
    assert!(echoes(&mut socket).await, "it goes on while there is time");
    assert_eq!(slow.await.unwrap().body, "old");
    drop(socket);
    let done = drain(&stand, 5_000, 5_000).await.unwrap();
    assert_eq!((done.drained, done.in_flight, done.cut), (true, 0, 0));
}

pub(crate) async fn what_does_not_finish_is_cut_at_the_limit_even_if_it_is_silent<S: Stand>() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let stand = S::start().await;
    stand.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let address = stand.address();
    let mut socket = websocket(address).await;
    // In the middle of a frame there is no place for a close.
    assert!(echoes(&mut socket).await);
    // Not the first request of its connection.
    let mut kept = Conn::new(address);
    kept.get("/").await.unwrap();
    let slow = tokio::spawn(async move { kept.get("/slow/60000").await });
    stand.in_flight(2).await;
    stand.weights(&[("v1", 0), ("v2", 100)]).await.unwrap();
    let began = Instant::now();
    let done = drain(&stand, 300, 5_000).await.unwrap();
    assert_eq!((done.drained, done.cut), (true, 2), "{done:?}");
    assert!(began.elapsed() >= Duration::from_millis(280) && began.elapsed() < Duration::from_secs(4));
    assert_eq!(socket.read(&mut [0; 8]).await.unwrap_or(0), 0, "the WebSocket is closed");
    let slow = slow.await.unwrap();
    assert!(slow.is_err() || slow.is_ok_and(|r| r.status == 502), "the slow request is broken off");
    let measured = stand.counted(3).await;
    assert_eq!(measured.revisions["v1"].total.cut, 2);
    // With weight it serves again.
    stand.weights(&[("v1", 100), ("v2", 0)]).await.unwrap();
    assert_eq!(get(address, "/", &[]).await.body, "old");
}

pub(crate) async fn one_container_is_drained_when_it_is_not_declared_ready_any_more<S: Stand>() {
    let (a, b) = (Backend::new("a").await, Backend::new("b").await);
    let stand = S::start().await;
    stand.shop(&[("v1", 100, &[&a, &b])]).await;
    let address = stand.address();
    let slow: Vec<_> = (0..2).map(|_| tokio::spawn(async move { get(address, "/slow/400", &[]).await })).collect();
    stand.in_flight(2).await;
    let container = format!("c-a-{}", a.address.port());
    let ask = Drain {
        service: "shop".to_owned(),
        revision: "v1".to_owned(),
        container: Some(container.clone()),
        limit_ms: 5_000,
        wait_ms: 5_000,
    };
    let refused = stand.driver().drain(&ask).await.unwrap_err();
    assert!(refused.to_string().contains(&container), "{refused}");
    // It leaves the table altogether while a request is under way.
    stand.shop(&[("v1", 100, &[&b])]).await;
    let state = stand.shop_state().await;
    let left: Vec<_> = state.revisions["v1"].endpoints.iter().filter(|e| !e.serving).collect();
    assert_eq!((left.len(), left[0].in_flight), (1, 1), "it is still shown: {left:?}");
    let seen = a.seen();
    let done = stand.driver().drain(&ask).await.unwrap();
    assert_eq!((done.drained, done.cut), (true, 0));
    for reply in slow {
        assert_eq!(reply.await.unwrap().status, 200);
    }
    assert_eq!(split(address, 4, 40).await["b"], 40);
    assert_eq!(a.seen(), seen);
    assert!(stand.driver().drain(&ask).await.unwrap().drained, "asking again is fine");
}
