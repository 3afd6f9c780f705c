//! The control API: generations, identities, and words for what is wrong.

use crate::kit::{Backend, Router, Stand, service};
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use windlass_router::ClientError;
use windlass_router::api::{Apply, Change, Refusal, Weight};

fn weights(v1: u8, v2: u8) -> Change {
    let weights = [("v1", v1), ("v2", v2)].map(|(r, w)| (r.to_owned(), Weight::percent(w)));
    Change::Weights { name: "shop".to_owned(), weights: BTreeMap::from(weights) }
}

#[tokio::test]
async fn a_generation_is_its_service_s_own() {
    let a = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&a]), ("v2", 0, &[])]).await;
    let seen = router.shop_state().await.generation;
    let mut other = service(&[("v1", 100, &[&a])]);
    other.routes[0].path = "/other".to_owned();
    router.declare("other", other).await.unwrap();
    let apply = Apply { by: "one".to_owned(), expect: seen, holder: None, change: weights(100, 0) };
    router.client.apply(&apply).await.unwrap();
}

#[tokio::test]
async fn the_same_identity_is_applied_once_also_after_a_crash() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let mut router = Router::start().await;
    router.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let expect = router.client.state().await.unwrap().services["shop"].generation;
    let apply = Apply { by: "run-7/deploy/3".to_owned(), expect, holder: None, change: weights(75, 25) };
    let first = router.client.apply(&apply).await.unwrap();
    router.kill("-9");
    router.child.wait().await.unwrap();
    router.child = crate::kit::router::process(router.folder.path(), &[]);
    router.is_up(|_| true).await;
    let again = router.client.apply(&apply).await.unwrap();
    assert_eq!((again.generation, again.repeated), (first.generation, true));
    let other = Apply { change: weights(0, 100), ..apply };
    let refused = router.client.apply(&other).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(Refusal::IdentityReused { .. })), "{refused}");
    assert_eq!(router.client.state().await.unwrap().services["shop"].by, "run-7/deploy/3");
}

/// As it goes over the wire: the status, and the body.
async fn raw(router: &Router, method: &str, path: &str, body: &str) -> (u16, serde_json::Value) {
    let mut stream = UnixStream::connect(router.folder.path().join("control.sock")).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let status = text[9..12].parse().unwrap();
    (status, serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap())
}

#[tokio::test]
async fn bad_input_is_answered_in_words_and_changes_nothing() {
    let a = Backend::new("a").await;
    let router = Router::start().await;
    router.shop(&[("v1", 100, &[&a])]).await;
    let generation = router.client.health().await.unwrap().generation;
    let apply = |change: &str| format!(r#"{{"by":"x","expect":{generation},"change":{change}}}"#);
    let shop = |field: &str| {
        apply(&format!(r#"{{"kind":"service","name":"shop","service":{{"routes":[],"replicas":1,{field}}}}}"#))
    };
    let cases = [
        ("POST", "/v1/apply", "{".to_owned(), 422, "invalid", "the body"),
        ("POST", "/v1/apply", "[]".to_owned(), 422, "invalid", "the body"),
        ("POST", "/v1/apply", apply(r#"{"kind":"nonsense"}"#), 422, "invalid", "nonsense"),
        (
            "POST",
            "/v1/apply",
            apply(r#"{"kind":"weights","name":"shop","weights":{"v1":101}}"#),
            422,
            "invalid",
            "101 is no weight",
        ),
        (
            "POST",
            "/v1/apply",
            apply(r#"{"kind":"weights","name":"shop","weights":{"v1":60}}"#),
            422,
            "weight-sum",
            "add up to 60",
        ),
        (
            "POST",
            "/v1/apply",
            apply(r#"{"kind":"weights","name":"shop","weights":{"v7":100}}"#),
            404,
            "unknown-revision",
            "v7",
        ),
        (
            "POST",
            "/v1/apply",
            r#"{"by":"x","expect":0,"change":{"kind":"remove-service","name":"none"}}"#.to_owned(),
            404,
            "unknown-service",
            "none",
        ),
        ("POST", "/v1/apply", shop(r#""colour":1"#), 422, "invalid", "colour"),
        ("POST", "/v1/apply", shop(r#""override_header":"a b""#), 422, "invalid", "no name of a header"),
        (
            "POST",
            "/v1/apply",
            shop(
                r#""revisions":{"v1":{"weight":100,"endpoints":[{"container":"c","address":"1.2.3.4:0","ready":true}]}}"#,
            ),
            422,
            "invalid",
            "port 0",
        ),
        (
            "POST",
            "/v1/apply",
            shop(r#""revisions":{"v1":{"weight":100,"endpoints":[]}}"#),
            422,
            "over-capacity",
            "0 of the 1",
        ),
        ("POST", "/v1/apply", shop(r#""health":{"path":"no"}"#), 422, "invalid", "`path`"),
        ("POST", "/v1/hold", r#"{"service":"none","limit_ms":1}"#.to_owned(), 404, "unknown-service", "none"),
        ("GET", "/v1/measurements?service=shop", String::new(), 422, "invalid", "last_ms"),
        ("GET", "/v1/measurements?service=shop&last_ms=x", String::new(), 422, "invalid", "last_ms"),
        ("GET", "/v1/measurements?service=shop&from_ms=9&to_ms=3", String::new(), 422, "invalid", "ends before"),
        ("DELETE", "/v1/state", String::new(), 404, "unknown-call", "DELETE /v1/state"),
    ];
    for (method, path, body, status, kind, words) in cases {
        let (got, answer) = raw(&router, method, path, &body).await;
        assert_eq!((got, answer["error"]["kind"].as_str()), (status, Some(kind)), "{body}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains(words), "{body}: {answer}");
    }
    assert_eq!(router.client.health().await.unwrap().generation, generation);
}

#[tokio::test]
async fn only_the_owner_can_open_the_control_socket() {
    use std::os::unix::fs::PermissionsExt;
    let router = Router::start().await;
    let mode = |name: &str| std::fs::metadata(router.folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("control.sock"), 0o600);
    assert_eq!(mode("table.json"), 0o600);
    assert_eq!(mode("handover.sock"), 0o600);
}
