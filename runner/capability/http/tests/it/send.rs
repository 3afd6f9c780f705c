//! `http.send`: what goes out, what comes back, and where it ends.

use std::sync::Arc;

use windlass_capability_http::Http;
use windlass_capability_testing::{RUN, Setup, World, error};
use windlass_gate::api::http::{Request, Send};
use windlass_gate::api::{NamedValue, Value};
use windlass_gate::{CallError, Session};
use windlass_journal::Record;

use crate::server::{Received, Reply, Server, closed_port};

/// Everything on this machine.
const ANY: &str = r#"{ http = ["GET,HEAD,OPTIONS,POST,PUT,PATCH,DELETE http://127.0.0.1:*/**", "GET http://localhost:*/**"], secrets = ["token"] }"#;
const SECRETS: Setup = Setup { secrets: &[("token", "s3cr3t-t0ken")], env: &[] };

pub(crate) fn request(method: &str, url: &str) -> Send {
    Send {
        request: Request {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: None,
            timeout_ms: None,
            redirects: 0,
            max_body: None,
        },
    }
}

pub(crate) fn get(url: &str) -> Send {
    request("GET", url)
}

fn plain(name: &str, value: &str) -> NamedValue {
    NamedValue { name: name.to_owned(), value: Value::Plain(value.to_owned()) }
}

fn secret(name: &str) -> NamedValue {
    NamedValue { name: name.to_owned(), value: Value::Secret("token".to_owned()) }
}

fn world() -> (World, Session) {
    let world = World::with(&SECRETS, |gate| gate.with(Http::new()));
    let session = world.step(&["http"], ANY);
    (world, session)
}

#[tokio::test]
async fn a_request_arrives_as_it_is_and_the_answer_comes_back_whole() {
    let server = Server::start(|_| {
        Reply::status(201, [0, 0xff, b'x']).with("X-Answer", "yes").with("set-cookie", "a=1").with("set-cookie", "b=2")
    })
    .await;
    let (_world, mut session) = world();
    let mut send = request("PUT", &server.url("/a%20b?q=1"));
    send.request.headers = vec![plain("X-Twice", "1"), plain("x-twice", "2")];
    send.request.body = Some(vec![1, 2, 3]);
    let answer = session.call(&send).await.expect("an answer");
    assert_eq!((answer.status, &answer.body[..]), (201, &[0, 0xff, b'x'][..]));
    let headers: Vec<_> = answer.headers.iter().map(|pair| (&*pair.name, &*pair.value)).collect();
    assert!(
        headers.contains(&("x-answer", "yes"))
            && headers.contains(&("set-cookie", "a=1"))
            && headers.contains(&("set-cookie", "b=2"))
    );
    let received = &server.received()[0];
    assert_eq!((&*received.method, &*received.target, &received.body[..]), ("PUT", "/a%20b?q=1", &[1, 2, 3][..]));
    assert_eq!(received.headers.iter().filter(|(name, _)| name == "x-twice").count(), 2);
    assert!(received.header("user-agent").is_some_and(|agent| agent.starts_with("windlass/")));
    assert_eq!(received.header("idempotency-key"), None, "a PUT is safe to repeat as it is");
}

#[tokio::test]
async fn a_status_is_an_answer_not_an_error() {
    let server = Server::start(|_| Reply::status(503, "tired")).await;
    let (_world, mut session) = world();
    assert_eq!(session.call(&get(&server.url("/"))).await.expect("an answer").status, 503);
}

#[tokio::test]
async fn what_must_not_be_repeated_says_which_call_it_is() {
    let server = Server::start(|_| Reply::ok("")).await;
    let (world, mut session) = world();
    session.call(&request("POST", &server.url("/"))).await.expect("an answer");
    session.call(&request("PATCH", &server.url("/"))).await.expect("an answer");
    let mut send = request("POST", &server.url("/"));
    send.request.headers = vec![plain("Idempotency-Key", "mine")];
    session.call(&send).await.expect("an answer");
    let keys: Vec<_> =
        server.received().iter().map(|request| request.header("idempotency-key").map(str::to_owned)).collect();
    assert_eq!(keys, [Some(format!("{RUN}-0-1-0")), Some(format!("{RUN}-0-1-1")), Some("mine".to_owned())]);
    let started =
        world.entries().await.into_iter().filter(|entry| matches!(entry.record, Record::CallStarted { .. })).count();
    assert_eq!(started, 3, "they are effects");
}

#[tokio::test]
async fn a_secret_is_put_in_at_the_edge_and_is_nowhere_in_the_journal() {
    let server = Server::start(|request| Reply::ok(format!("you said {:?}", request.header("authorization")))).await;
    let (world, mut session) = world();
    let mut send = get(&server.url("/"));
    send.request.headers = vec![secret("Authorization")];
    let answer = session.call(&send).await.expect("an answer");
    assert_eq!(server.received()[0].header("authorization"), Some("s3cr3t-t0ken"));
    assert!(!String::from_utf8_lossy(&answer.body).contains("s3cr3t"), "{answer:?}");
    let journal = format!("{:?}", world.entries().await);
    assert!(!journal.contains("s3cr3t-t0ken") && journal.contains("token"), "{journal}");
}

#[tokio::test]
async fn redirects_are_followed_as_often_as_was_asked() {
    let server = Server::start(|request| match request.target.as_str() {
        "/1" => Reply::redirect(302, "/2"),
        "/2" => Reply::redirect(308, "3?x=1"),
        _ => Reply::ok(request.target.clone()),
    })
    .await;
    let (_world, mut session) = world();
    for (redirects, status, end) in [(0, 302, "/1"), (1, 308, "/2"), (2, 200, "/3?x=1"), (20, 200, "/3?x=1")] {
        let mut send = get(&server.url("/1"));
        send.request.redirects = redirects;
        let answer = session.call(&send).await.expect("an answer");
        assert_eq!((answer.status, answer.url), (status, server.url(end)));
    }
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let server = Server::start(|_| Reply::redirect(302, "/again")).await;
    let (_world, mut session) = world();
    let mut send = get(&server.url("/"));
    send.request.redirects = 20;
    assert_eq!(session.call(&send).await.expect("an answer").status, 302);
    assert_eq!(server.received().len(), 21);
    send.request.redirects = 21;
    assert!(matches!(error(session.call(&send).await), CallError::Invalid(_)));
}

#[tokio::test]
async fn methods_and_bodies_turn_as_in_browsers() {
    let server = Server::start(|request| match request.target.strip_prefix("/from/") {
        Some(status) => Reply::redirect(status.parse().expect("a status"), "/to"),
        None => Reply::ok(""),
    })
    .await;
    let (_world, mut session) = world();
    for (status, method, becomes, keeps) in [
        (301, "POST", "GET", false),
        (302, "POST", "GET", false),
        (303, "POST", "GET", false),
        (303, "PUT", "GET", false),
        (307, "POST", "POST", true),
        (308, "POST", "POST", true),
        (301, "PUT", "PUT", true),
        (302, "DELETE", "DELETE", true),
    ] {
        let mut send = request(method, &server.url(&format!("/from/{status}")));
        send.request.redirects = 1;
        send.request.body = Some(b"body".to_vec());
        send.request.headers = vec![plain("content-type", "text/plain"), plain("x-mine", "1")];
        session.call(&send).await.expect("an answer");
        let received = server.received();
        let last = received.last().expect("a request");
        assert_eq!((&*last.target, &*last.method), ("/to", becomes), "{status} {method}");
        assert_eq!(last.header("x-mine"), Some("1"));
        assert_eq!(
            (last.body.is_empty(), last.header("content-type").is_none()),
            (!keeps, !keeps),
            "{status} {method}"
        );
        if !keeps {
            assert_eq!(last.header("idempotency-key"), None, "{status} {method}");
        }
    }
    let mut send = request("HEAD", &server.url("/from/303"));
    send.request.redirects = 1;
    session.call(&send).await.expect("an answer");
    assert_eq!(server.received().last().expect("a request").method, "HEAD");
}

#[tokio::test]
async fn every_hop_is_checked_against_the_grants() {
    let other = Server::start(|_| Reply::ok("secret place")).await;
    let target = other.url("/private?token=abc");
    let server = Server::start(move |_| Reply::redirect(302, target.clone())).await;
    let world = World::new(|gate| gate.with(Http::new()));
    let mut session =
        world.step(&["http"], &format!("{{ http = [\"GET {}\", \"POST {}\"] }}", server.url("/**"), other.url("/**")));
    let mut send = get(&server.url("/public"));
    send.request.redirects = 5;
    let CallError::Denied(message) = error(session.call(&send).await) else { panic!("not denied") };
    for words in
        [&*server.url("/public"), &format!("GET {}", other.url("/private")), "`grants.http`", "`notify`", "`release`"]
    {
        assert!(message.contains(words), "no {words:?} in: {message}");
    }
    assert!(!message.contains("abc"), "{message}");
    assert_eq!(other.received().len(), 0, "nothing was sent there");
}

#[tokio::test]
async fn a_redirect_leads_only_to_the_web() {
    for to in ["ftp://127.0.0.1/", "file:///etc/passwd", "http://user:pass@127.0.0.1/"] {
        let server = Server::start(move |_| Reply::redirect(302, to)).await;
        let (_world, mut session) = world();
        let mut send = get(&server.url("/"));
        send.request.redirects = 1;
        assert!(matches!(error(session.call(&send).await), CallError::Denied(_)), "{to}");
    }
}

#[tokio::test]
async fn credentials_stay_with_their_host() {
    let home = Arc::new(std::sync::OnceLock::<String>::new());
    let back = Arc::clone(&home);
    let other = Server::start(move |request| match request.target.as_str() {
        "/back" => Reply::redirect(302, back.get().expect("known").clone()),
        _ => Reply::ok(""),
    })
    .await;
    let away = format!("http://localhost:{}/back", other.address.port());
    let server = Server::start(move |request| match request.target.as_str() {
        "/same" => Reply::redirect(302, "/end"),
        "/away" => Reply::redirect(302, away.clone()),
        _ => Reply::ok(""),
    })
    .await;
    home.set(server.url("/end")).expect("set once");
    let (_world, mut session) = world();
    let mut send = get(&server.url("/same"));
    send.request.redirects = 5;
    send.request.headers = vec![
        plain("Authorization", "Basic abc"),
        plain("Cookie", "a=b"),
        secret("X-Api-Key"),
        plain("X-Harmless", "1"),
    ];
    let credentials = |request: &Received| {
        ["authorization", "cookie", "x-api-key"].iter().filter(|name| request.header(name).is_some()).count()
    };

    session.call(&send).await.expect("an answer");
    let same = server.received().pop().expect("a request");
    assert_eq!((&*same.target, credentials(&same)), ("/end", 3), "the same host keeps them");

    send.request.url = server.url("/away");
    session.call(&send).await.expect("an answer");
    let away = other.received().pop().expect("a request");
    assert_eq!((credentials(&away), away.header("x-harmless")), (0, Some("1")), "another host does not get them");
    let back = server.received().pop().expect("a request");
    assert_eq!((&*back.target, credentials(&back)), ("/end", 0), "and nobody gets them after that");
}

#[tokio::test]
async fn large_bodies_are_refused_whether_announced_or_not() {
    let server = Server::start(|request| match request.target.as_str() {
        "/exact" => Reply::ok(vec![b'x'; 1000]),
        "/more" => Reply::ok(vec![b'x'; 1001]),
        "/mebibyte" => Reply::ok(vec![b'x'; 1 << 20]),
        "/beyond" => Reply::ok(vec![b'x'; (1 << 20) + 1]),
        _ => Reply::Endless,
    })
    .await;
    let (_world, mut session) = world();
    let mut fetch = async |path: &str, max_body: Option<u64>| {
        let mut send = get(&server.url(path));
        send.request.max_body = max_body;
        session.call(&send).await
    };
    assert_eq!(fetch("/exact", Some(1000)).await.expect("fits").body.len(), 1000);
    assert!(matches!(error(fetch("/more", Some(1000)).await), CallError::TooLarge(_)));
    assert_eq!(fetch("/mebibyte", None).await.expect("fits").body.len(), 1 << 20);
    let CallError::TooLarge(message) = error(fetch("/beyond", None).await) else { panic!("it fits?") };
    assert!(message.contains("larger than 1 MiB") && message.contains("16 MiB at most"), "{message}");
    assert!(matches!(error(fetch("/endless", None).await), CallError::TooLarge(_)));
    assert!(matches!(error(fetch("/exact", Some((16 << 20) + 1)).await), CallError::Invalid(_)));
}

#[tokio::test]
async fn servers_that_do_not_answer_are_given_up() {
    let server = Server::start(|request| if request.target == "/hang" { Reply::Hang } else { Reply::Endless }).await;
    let (_world, mut session) = world();
    for path in ["/hang", "/endless"] {
        let mut send = get(&server.url(path));
        send.request.timeout_ms = Some(100);
        send.request.max_body = Some(16 << 20);
        match error(session.call(&send).await) {
            CallError::TimedOut(message) => {
                assert!(message.contains(&server.url(path)) && message.contains("within 100 ms"), "{message}")
            }
            // A quick machine may read 16 MiB in that time.
            CallError::TooLarge(_) if path == "/endless" => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_dropped_call_closes_its_connection() {
    let mut server = Server::start(|_| Reply::Hang).await;
    let (_world, mut session) = world();
    let send = get(&server.url("/"));
    tokio::select! {
        answer = session.call(&send) => panic!("{answer:?}"),
        () = server.request_came() => {}
    }
    server.client_left().await;
}

#[tokio::test]
async fn what_cannot_be_reached_or_understood_is_unavailable() {
    let server = Server::start(|request| if request.target == "/cut" { Reply::BreakOff } else { Reply::Garbage }).await;
    let (_world, mut session) = world();
    let closed = format!("http://{}/", closed_port().await);
    for (url, words) in [
        (closed, "connection refused"),
        ("http://127.0.0.1:1/".to_owned(), "connection refused"),
        (server.url("/cut"), "broke off"),
        (server.url("/garbage"), "HTTP"),
    ] {
        let CallError::Unavailable(message) = error(session.call(&get(&url)).await) else { panic!("reached {url}") };
        assert!(message.contains(&url) && message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
    let server = Server::start(|_| Reply::ok("")).await;
    let world = World::with(&SECRETS, |gate| gate.with(Http::new()));
    let mut session = world.host();
    let url = server.url("/");
    let with = |change: &dyn Fn(&mut Request)| {
        let mut send = get(&url);
        change(&mut send.request);
        send
    };
    for send in [
        with(&|request| request.method = "get".to_owned()),
        with(&|request| request.method = "CONNECT".to_owned()),
        with(&|request| request.method = "GET / HTTP/1.1\r\n".to_owned()),
        with(&|request| request.url = "ftp://127.0.0.1/".to_owned()),
        with(&|request| request.url = url.replace("http://", "http://user:pass@")),
        with(&|request| request.url = "/relative".to_owned()),
        with(&|request| request.timeout_ms = Some(0)),
        with(&|request| request.headers = vec![plain("Host", "other.example")]),
        with(&|request| request.headers = vec![plain("Content-Length", "5")]),
        with(&|request| request.headers = vec![plain("Transfer-Encoding", "chunked")]),
        with(&|request| request.headers = vec![plain("a b", "c")]),
        with(&|request| request.headers = vec![plain("a", "b\r\nc: d")]),
    ] {
        let refused = error(session.call(&send).await);
        assert!(matches!(refused, CallError::Invalid(_)), "{send:?}: {refused:?}");
    }
    assert_eq!(server.received().len(), 0);
}
