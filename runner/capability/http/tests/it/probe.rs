//! `http.probe` and `http.probe-tcp`: what one attempt sees.

use windlass_capability_http::Http;
use windlass_capability_testing::{World, error};
use windlass_gate::CallError;
use windlass_gate::api::http::{Probe, ProbeTcp, Seen};

use crate::server::{Reply, Server, closed_port};

fn probe(url: &str) -> Probe {
    Probe {
        granted_as: "shop".to_owned(),
        url: url.to_owned(),
        status_min: 200,
        status_max: 299,
        body_contains: None,
        timeout_ms: 10_000,
    }
}

fn probe_tcp(address: &str, timeout_ms: u64) -> ProbeTcp {
    ProbeTcp { granted_as: "shop".to_owned(), address: address.to_owned(), timeout_ms }
}

fn world() -> World {
    World::new(|gate| gate.with(Http::new()))
}

async fn see(probe: &Probe) -> Seen {
    world().step(&["health"], r#"{ health = ["shop"] }"#).call(probe).await.expect("an answer")
}

#[tokio::test]
async fn the_status_decides() {
    let server = Server::start(|request| Reply::status(request.target[1..].parse().expect("a status"), "")).await;
    for (status, min, max, healthy, words) in [
        (200, 200, 299, true, "HTTP 200 from http://"),
        (204, 200, 299, true, "HTTP 204"),
        (503, 200, 299, false, "/503, wanted 200-299"),
        (302, 200, 299, false, "HTTP 302"),
        (404, 404, 404, true, "HTTP 404"),
        (200, 404, 404, false, "wanted 404"),
    ] {
        let probe = Probe { status_min: min, status_max: max, ..probe(&server.url(&format!("/{status}"))) };
        let seen = see(&probe).await;
        assert_eq!(seen.healthy, healthy, "{seen:?}");
        assert!(seen.what.contains(words), "{seen:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Server::start(|_| Reply::redirect(302, "/")).await;
    let seen = see(&Probe { status_max: 399, ..probe(&server.url("/")) }).await;
    assert!(seen.healthy, "{seen:?}");
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn the_body_decides_too() {
    let server = Server::start(|request| match request.target.as_str() {
        "/late" => Reply::ok([vec![b' '; (1 << 20) - 4], b"ready".to_vec()].concat()),
        "/endless" => Reply::Endless,
        "/cut" => Reply::BreakOff,
        _ => Reply::ok("state: ready"),
    })
    .await;
    let asking = |path: &str, text: &str| Probe { body_contains: Some(text.to_owned()), ..probe(&server.url(path)) };
    for (probe, healthy, words) in [
        (asking("/", "ready"), true, "with \"ready\""),
        (asking("/", "steady"), false, "its body has no \"steady\""),
        (asking("/late", "ready"), false, "its body has no \"ready\""),
        (asking("/endless", "xxx"), true, "HTTP 200"),
        (asking("/endless", "y"), false, "its body has no \"y\""),
        (asking("/cut", "whole"), false, "broke off"),
    ] {
        let seen = see(&probe).await;
        assert_eq!(seen.healthy, healthy, "{seen:?}");
        assert!(seen.what.contains(words), "{seen:?}");
    }
}

#[tokio::test]
async fn what_does_not_answer_is_seen_as_that() {
    let mut server = Server::start(|_| Reply::Hang).await;
    let seen = see(&Probe { timeout_ms: 50, ..probe(&server.url("/slow?token=x")) }).await;
    assert_eq!((seen.healthy, seen.what), (false, format!("no answer from {} within 50 ms", server.url("/slow"))));
    server.client_left().await;

    let closed = closed_port().await;
    let seen = see(&probe(&format!("http://{closed}/"))).await;
    assert_eq!((seen.healthy, seen.what), (false, format!("http://{closed}/: connection refused")));

    let garbage = Server::start(|_| Reply::Garbage).await;
    assert!(!see(&probe(&garbage.url("/"))).await.healthy);
}

#[tokio::test]
async fn tcp_connects_or_says_why_not() {
    let server = Server::start(|_| Reply::Hang).await;
    let world = world();
    let mut session = world.step(&["health"], r#"{ health = ["shop"] }"#);
    let seen = session.call(&probe_tcp(&server.address.to_string(), 10_000)).await.expect("an answer");
    assert_eq!((seen.healthy, seen.what), (true, format!("connected to {}", server.address)));

    let closed = closed_port().await;
    let seen = session.call(&probe_tcp(&closed.to_string(), 10_000)).await.expect("an answer");
    assert_eq!((seen.healthy, seen.what), (false, format!("{closed}: connection refused")));
}

#[tokio::test]
async fn probes_that_cannot_be_made_are_errors() {
    let world = world();
    let mut session = world.step(&["health"], r#"{ health = ["shop"] }"#);
    for bad in [
        probe("ftp://127.0.0.1/"),
        probe("http://user@127.0.0.1/"),
        probe("nowhere"),
        Probe { timeout_ms: 0, ..probe("http://127.0.0.1/") },
        Probe { status_min: 300, status_max: 200, ..probe("http://127.0.0.1/") },
    ] {
        assert!(matches!(error(session.call(&bad).await), CallError::Invalid(_)), "{bad:?}");
    }
    for bad in [
        probe_tcp("127.0.0.1", 1),
        probe_tcp("127.0.0.1:0", 1),
        probe_tcp("http://127.0.0.1:1", 1),
        probe_tcp("127.0.0.1:1", 0),
    ] {
        assert!(matches!(error(session.call(&bad).await), CallError::Invalid(_)), "{bad:?}");
    }
}
