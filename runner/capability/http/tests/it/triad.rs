//! Each function works when it is allowed, and is denied when the plugin does not ask or nobody grants it.

use windlass_capability_http::Http;
use windlass_capability_testing::{World, denied};
use windlass_gate::Session;
use windlass_gate::api::http::{Probe, ProbeTcp};
use windlass_journal::Record;

use crate::send::get;
use crate::server::{Reply, Server};

#[tokio::test]
async fn send() {
    let server = Server::start(|_| Reply::ok("hello")).await;
    let world = World::new(|gate| gate.with(Http::new()));
    let url = server.url("/greeting");
    let granted = format!("{{ http = [\"GET {}\"] }}", server.url("/*"));

    let answer = world.step(&["http"], &granted).call(&get(&url)).await.expect("allowed");
    assert_eq!((answer.status, &answer.body[..], &*answer.url), (200, &b"hello"[..], &*url));
    let recorded = world.entries().await;
    assert!(
        matches!(&recorded[1].record, Record::CallRecorded { function, .. } if &**function == "http.send"),
        "{recorded:?}"
    );

    denied(
        world.step(&["docker"], &granted).call(&get(&url)).await,
        &["http.send", "description does not ask for `http`"],
    );
    denied(
        world.step(&["http"], "{}").call(&get(&url)).await,
        &[&format!("GET {url}"), "`grants.http`", "`notify`", "`release`"],
    );
    denied(
        world.step(&["http"], &format!("{{ http = [\"POST {}\"] }}", server.url("/*"))).call(&get(&url)).await,
        &["GET "],
    );
    assert_eq!(server.received().len(), 1, "what is denied is not sent");
}

#[tokio::test]
async fn probe() {
    let server = Server::start(|_| Reply::ok("hello")).await;
    let world = World::new(|gate| gate.with(Http::new()));
    let url = server.url("/health");
    let probe = Probe {
        granted_as: url.clone(),
        url: url.clone(),
        status_min: 200,
        status_max: 299,
        body_contains: None,
        timeout_ms: 5000,
    };
    let granted = format!("{{ health = [\"{url}\"] }}");

    let seen = world.step(&["health"], &granted).call(&probe).await.expect("allowed");
    assert!(seen.healthy, "{seen:?}");
    denied(world.step(&["http"], &granted).call(&probe).await, &["does not ask for `health`"]);
    denied(world.step(&["health"], "{}").call(&probe).await, &[&url, "`grants.health`"]);
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn probe_tcp() {
    let server = Server::start(|_| Reply::Hang).await;
    let world = World::new(|gate| gate.with(Http::new()));
    let granted_as = format!("tcp://{}", server.address);
    let probe = ProbeTcp { granted_as: granted_as.clone(), address: server.address.to_string(), timeout_ms: 5000 };
    let granted = format!("{{ health = [\"{granted_as}\"] }}");

    let seen = world.step(&["health"], &granted).call(&probe).await.expect("allowed");
    assert!(seen.healthy, "{seen:?}");
    denied(world.step(&[], &granted).call(&probe).await, &["does not ask for `health`"]);
    denied(world.step(&["health"], "{}").call(&probe).await, &[&granted_as, "`grants.health`"]);
}

#[tokio::test]
async fn the_host_needs_no_grant() {
    let server = Server::start(|_| Reply::ok("hello")).await;
    let world = World::new(|gate| gate.with(Http::new()));
    let mut session: Session = world.host();
    assert_eq!(session.call(&get(&server.url("/"))).await.expect("allowed").status, 200);
}
