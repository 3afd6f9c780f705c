//! A router's life: killed, ended, replaced.

use crate::kit::client::{Load, echoes, websocket};
use crate::kit::router::process;
use crate::kit::{Backend, Conn, Router, Stand, free_address, get, until};
use http::Method;
use std::time::{Duration, Instant};
use windlass_router::api::{Change, Drain, Hold, Listener, Phase, Stop};

#[tokio::test]
async fn a_killed_router_comes_back_with_its_table() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let mut router = Router::start().await;
    router.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    router.weights(&[("v1", 70), ("v2", 30)]).await.unwrap();
    let before = router.client.state().await.unwrap();
    router.kill("-9");
    router.child.wait().await.unwrap();
    assert!(Conn::new(router.address).get("/").await.is_err(), "it is dead");
    router.child = process(router.folder.path(), &[]);
    router.is_up(|h| h.pid != before.health.pid).await;
    let after = router.client.state().await.unwrap();
    assert_eq!((&after.services, &after.listeners), (&before.services, &before.listeners));
    assert_eq!(after.health.generation, before.health.generation);
    assert_eq!(crate::kit::client::split(router.address, 4, 100).await["new"], 30);
}

#[tokio::test]
async fn a_kill_in_the_middle_of_changes_loses_none_that_was_answered() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let mut router = Router::start().await;
    router.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    for round in 0..3 {
        let pid = router.client.health().await.unwrap().pid.to_string();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(40 + 17 * round));
            std::process::Command::new("kill").args(["-9", &pid]).status().unwrap();
        });
        let mut answered = router.client.health().await.unwrap().generation;
        for weight in 1..100 {
            match router.weights(&[("v1", 100 - weight), ("v2", weight)]).await {
                Ok(applied) => answered = applied.generation,
                Err(_) => break,
            }
        }
        killer.join().unwrap();
        router.child.wait().await.unwrap();
        router.child = process(router.folder.path(), &[]);
        let now = router.is_up(|_| true).await.generation;
        assert!(now == answered || now == answered + 1, "answered {answered}, found {now}");
    }
}

#[tokio::test]
async fn sigterm_lets_requests_finish_and_ends() {
    let old = Backend::new("old").await;
    let mut router = Router::start().await;
    router.shop(&[("v1", 100, &[&old])]).await;
    let address = router.address;
    let slow = tokio::spawn(async move { get(address, "/slow/700", &[]).await });
    until("it is under way", async || (old.seen() == 1).then_some(())).await;
    router.kill("-TERM");
    let began = Instant::now();
    until("nobody listens", async || Conn::new(address).get("/").await.is_err().then_some(())).await;
    assert_eq!(router.client.health().await.unwrap().phase, Phase::Draining);
    assert!(router.weights(&[("v1", 0)]).await.is_err(), "nothing changes any more");
    let reply = slow.await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "old"));
    assert!(router.child.wait().await.unwrap().success());
    assert!(began.elapsed() < Duration::from_secs(4), "it does not wait longer than needed: {:?}", began.elapsed());
}

#[tokio::test]
async fn sigterm_cuts_what_does_not_finish_in_time() {
    let old = Backend::new("old").await;
    let mut router = Router::start_with(&[("DRAIN_MS", "300")]).await;
    router.shop(&[("v1", 100, &[&old])]).await;
    let _socket = websocket(router.address).await;
    router.kill("-TERM");
    let began = Instant::now();
    assert!(router.child.wait().await.unwrap().success());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_under_load_fails_no_request_and_keeps_websockets_and_measurements() {
    let old = Backend::new("old").await;
    let mut router = Router::start_with(&[("DRAIN_MS", "8000")]).await;
    router.shop(&[("v1", 100, &[&old])]).await;
    let mut socket = websocket(router.address).await;
    let load = Load::begin(router.address, 8, 8);
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let before = router.client.health().await.unwrap();
        let next = process(router.folder.path(), &[("UPGRADE", "1"), ("DRAIN_MS", "8000")]);
        let mut previous = std::mem::replace(&mut router.child, next);
        let now = router.is_up(|h| h.pid != before.pid).await;
        assert_eq!(now.generation, before.generation);
        if now.predecessor {
            let drain = Drain {
                service: "shop".to_owned(),
                revision: "gone".to_owned(),
                container: None,
                limit_ms: 1,
                wait_ms: 0,
            };
            let answer = router.client.drain(&drain).await.unwrap();
            assert!(!answer.drained || !answer.predecessor, "the old one may still send requests there");
        }
        assert!(echoes(&mut socket).await, "the old router keeps it");
        // It ends when it likes; the first of them has the WebSocket.
        tokio::spawn(async move { previous.wait().await });
    }
    router.weights(&[("v1", 0)]).await.unwrap();
    router.weights(&[("v1", 100)]).await.unwrap_or_else(|why| panic!("the new one takes changes: {why}"));
    let (got, failed) = load.end().await;
    // Between the two changes nothing served, on purpose.
    let failed: Vec<_> = failed.into_iter().filter(|why| !why.contains("nothing serves shop")).collect();
    assert!(failed.is_empty(), "{} failed: {:?}", failed.len(), &failed[..failed.len().min(5)]);
    drop(socket);
    router.is_up(|h| !h.predecessor).await;
    let measured = router.counted(got["old"] + 1).await;
    let counts = &measured.revisions["v1"].total;
    // Four routers have counted; the WebSocket is one more.
    assert_eq!((counts.requests, counts.errors, counts.classes[0]), (got["old"] + 1, 0, 1), "{:?}", counts.classes);
    assert_eq!(counts.latency.count, got["old"] + 1);
}

#[tokio::test]
async fn after_an_upgrade_a_kept_connection_gets_one_more_answer_and_is_asked_to_close() {
    let old = Backend::new("old").await;
    let mut router = Router::start().await;
    router.shop(&[("v1", 100, &[&old])]).await;
    let mut conn = Conn::new(router.address);
    assert!(!conn.get("/").await.unwrap().headers.contains_key("connection"));
    let pid = router.client.health().await.unwrap().pid;
    let next = process(router.folder.path(), &[("UPGRADE", "1")]);
    router.is_up(|h| h.pid != pid).await;
    let mut previous = std::mem::replace(&mut router.child, next);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(conn.get("/").await.unwrap().headers["connection"], "close");
    assert!(conn.get("/").await.unwrap().status.is_success());
    assert!(previous.wait().await.unwrap().success());
    router.is_up(|h| !h.predecessor).await;
}

#[tokio::test]
async fn what_is_under_way_when_the_router_ends_is_the_last_on_its_connection() {
    let old = Backend::new("old").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&old])]).await;
    let address = router.address;
    // One of each way through the router.
    let asked = [(Method::GET, ""), (Method::POST, "body")].map(|(method, body)| {
        tokio::spawn(async move { Conn::new(address).send(method, "/slow/500", &[], body).await.unwrap() })
    });
    until("both are under way", async || (old.seen() == 2).then_some(())).await;
    router.client.stop(&Stop { limit_ms: Some(5_000) }).await.unwrap();
    for asked in asked {
        let reply = asked.await.unwrap();
        assert_eq!((reply.status.as_u16(), &reply.headers["connection"]), (200, &"close".parse().unwrap()));
    }
}

#[tokio::test]
async fn two_routers_do_not_share_a_folder_and_an_upgrade_waits_for_a_hold() {
    let old = Backend::new("old").await;
    let mut router = Router::start().await;
    router.shop(&[("v1", 100, &[&old])]).await;
    let second = process(router.folder.path(), &[]).wait().await.unwrap();
    assert_eq!(second.code(), Some(3), "the folder is taken");
    let pid = router.client.health().await.unwrap().pid;
    router.client.hold(&Hold { service: "shop".to_owned(), limit_ms: 400 }).await.unwrap();
    let address = router.address;
    let held = tokio::spawn(async move { get(address, "/", &[]).await });
    let next = process(router.folder.path(), &[("UPGRADE", "1")]);
    until("changes wait", async || {
        let health = router.client.health().await.unwrap();
        (health.phase == Phase::HandingOver && health.pid == pid).then_some(())
    })
    .await;
    assert!(router.weights(&[("v1", 0)]).await.unwrap_err().to_string().contains("handing over"));
    assert_eq!(held.await.unwrap().body, "old");
    router.is_up(|h| h.pid != pid).await;
    router.child = next;
}

#[tokio::test]
async fn a_new_router_that_cannot_begin_leaves_the_old_one_serving() {
    let old = Backend::new("old").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&old])]).await;
    // A new listener at a port that is taken: the new one fails after everything was handed to it.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let failed = process(router.folder.path(), &[("UPGRADE", "1"), ("LISTEN", &listen)]).wait().await.unwrap();
    assert_eq!(failed.code(), Some(3));
    until("it serves again", async || (router.client.health().await.unwrap().phase == Phase::Serving).then_some(()))
        .await;
    assert_eq!(get(router.address, "/", &[]).await.body, "old");
    router.weights(&[("v1", 0)]).await.unwrap();
}

#[tokio::test]
async fn listeners_come_and_go_and_a_taken_port_is_refused() {
    let old = Backend::new("old").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&old])]).await;
    let second = free_address();
    let both = [(router.address, Listener::default()), (second, Listener::default())];
    router.apply(Change::Listeners { listeners: both.clone().into() }).await.unwrap();
    assert_eq!(get(second, "/", &[]).await.body, "old");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let more = both.clone().into_iter().chain([(taken.local_addr().unwrap(), Listener::default())]);
    let refused = router.apply(Change::Listeners { listeners: more.collect() }).await.unwrap_err();
    assert!(refused.to_string().contains("cannot listen at"), "{refused}");
    assert_eq!(router.client.state().await.unwrap().listeners.len(), 2, "nothing has changed");
    router.apply(Change::Listeners { listeners: [both[0].clone()].into() }).await.unwrap();
    until("it is closed", async || Conn::new(second).get("/").await.is_err().then_some(())).await;
    assert_eq!(get(router.address, "/", &[]).await.body, "old");
}

#[tokio::test]
async fn a_damaged_table_is_not_guessed_at() {
    let mut router = Router::start().await;
    router.kill("-9");
    router.child.wait().await.unwrap();
    let file = router.folder.path().join("table.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text[..text.len() / 2]).unwrap();
    assert_eq!(process(router.folder.path(), &[]).wait().await.unwrap().code(), Some(3));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text[..text.len() / 2], "it is left as it is");
}
