//! What each kind of target is asked, and by which calls.

use serde_json::json;
use windlass_capability_testing::error;
use windlass_gate::CallError;
use windlass_gate::api::health::{
    Check, ContainerCommand, ContainerHttp, ContainerPort, HttpProbe, Report, Target, UrlHttp,
};

use crate::script::{Script, container_seen, located, seen};

const GRANTED: &str = r#"{ health = ["shop", "http://127.0.0.1:*/**", "tcp://127.0.0.1:5432"] }"#;

async fn check(script: &Script, target: Target) -> Report {
    let report =
        script.world().step(&["health"], GRANTED).call(&Check { target, timeout_ms: 700 }).await.expect("an answer");
    assert!(script.is_over());
    report
}

fn port() -> ContainerPort {
    ContainerPort { container: "shop".to_owned(), port: 8080 }
}

#[tokio::test]
async fn a_url() {
    let script = Script::of([Ok(seen(false))]);
    let probe = HttpProbe { status_min: Some(204), status_max: None, body_contains: Some("ok".to_owned()) };
    let report = check(&script, Target::Url(UrlHttp { url: "http://127.0.0.1:1/x".to_owned(), probe })).await;
    assert_eq!((report.healthy, report.attempts, &*report.last), (false, 1, "HTTP 503"));
    let asked = json!({ "granted-as": "http://127.0.0.1:1/x", "url": "http://127.0.0.1:1/x", "status-min": 204, "status-max": 299, "body-contains": "ok", "timeout-ms": 700 });
    assert_eq!(script.made(), [("http.probe".to_owned(), asked)]);
}

#[tokio::test]
async fn a_tcp_address() {
    let script = Script::of([Ok(seen(true))]);
    assert!(check(&script, Target::Tcp("127.0.0.1:5432".to_owned())).await.healthy);
    let asked = json!({ "granted-as": "tcp://127.0.0.1:5432", "address": "127.0.0.1:5432", "timeout-ms": 700 });
    assert_eq!(script.made(), [("http.probe-tcp".to_owned(), asked)]);
}

#[tokio::test]
async fn a_path_of_a_container() {
    let script = Script::of([Ok(located("172.17.0.2:8080")), Ok(seen(true))]);
    let target = Target::ContainerHttp(ContainerHttp {
        port: port(),
        path: "/health?x=1".to_owned(),
        probe: HttpProbe::default(),
    });
    assert!(check(&script, target).await.healthy);
    let probe = json!({ "granted-as": "shop", "url": "http://172.17.0.2:8080/health?x=1", "status-min": 200, "status-max": 299, "body-contains": null, "timeout-ms": 700 });
    assert_eq!(
        script.made(),
        [("docker.locate".to_owned(), json!({ "container": "shop", "port": 8080 })), ("http.probe".to_owned(), probe)]
    );
}

#[tokio::test]
async fn a_port_of_a_container() {
    let script = Script::of([Ok(located("172.17.0.2:8080")), Ok(seen(true))]);
    assert!(check(&script, Target::ContainerTcp(port())).await.healthy);
    assert_eq!(script.made()[1].1, json!({ "granted-as": "shop", "address": "172.17.0.2:8080", "timeout-ms": 700 }));
}

#[tokio::test]
async fn a_container_without_an_address_is_not_asked() {
    let nowhere = || Ok(json!({ "address": "", "running": true, "state": "Docker is starting it again" }));
    let http = ContainerHttp { port: port(), path: "/health".to_owned(), probe: HttpProbe::default() };
    for target in [Target::ContainerHttp(http), Target::ContainerTcp(port())] {
        let script = Script::of([nowhere()]);
        let report = check(&script, target).await;
        assert_eq!((report.healthy, &*report.last), (false, "Docker is starting it again"));
        assert_eq!(script.names(), ["docker.locate"], "the host of a URL without an address would be its path");
    }
}

#[tokio::test]
async fn a_command_in_a_container() {
    let script = Script::of([Ok(container_seen(true, true, "exit code 0"))]);
    let command = ContainerCommand { container: "shop".to_owned(), command: vec!["pg_isready".to_owned()] };
    assert_eq!(check(&script, Target::Command(command)).await.last, "exit code 0");
    assert_eq!(
        script.made(),
        [(
            "docker.probe-command".to_owned(),
            json!({ "container": "shop", "command": ["pg_isready"], "timeout-ms": 700 })
        )]
    );
}

#[tokio::test]
async fn dockers_own_check() {
    let script = Script::of([Ok(container_seen(false, true, "starting"))]);
    let report = check(&script, Target::Docker("shop".to_owned())).await;
    assert_eq!((report.healthy, &*report.last), (false, "starting"));
    assert_eq!(script.made(), [("docker.probe-health".to_owned(), json!({ "container": "shop" }))]);
}

#[tokio::test]
async fn a_container_that_has_ended_is_not_probed() {
    for target in [
        Target::ContainerTcp(port()),
        Target::ContainerHttp(ContainerHttp { port: port(), path: "/".to_owned(), probe: HttpProbe::default() }),
    ] {
        let script = Script::of([Ok(located(""))]);
        let report = check(&script, target).await;
        assert_eq!(
            (report.healthy, report.attempts, &*report.last),
            (false, 1, "exited with code 1\npanic: no database")
        );
    }
}

#[tokio::test]
async fn what_no_attempt_could_reach_is_refused_without_one() {
    let script = Script::default();
    let world = script.world();
    let mut session = world.step(&["health"], GRANTED);
    let path = |path: &str| {
        Target::ContainerHttp(ContainerHttp { port: port(), path: path.to_owned(), probe: HttpProbe::default() })
    };
    let command = Target::Command(ContainerCommand { container: "shop".to_owned(), command: Vec::new() });
    for (target, timeout_ms) in [
        (path("health"), 1),
        (path("@127.0.0.1/"), 1),
        (path("/a b"), 1),
        (command, 1),
        (Target::Docker("shop".to_owned()), 0),
    ] {
        let refused = error(session.call(&Check { target: target.clone(), timeout_ms }).await);
        assert!(matches!(refused, CallError::Invalid(_)), "{target:?}: {refused:?}");
    }
    assert_eq!(script.made(), []);
}
