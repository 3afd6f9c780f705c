//! `artifacts.*`: what is stored comes back, and nothing else is stored.

use sha2::{Digest as _, Sha256};
use windlass_capability_local::Artifacts;
use windlass_capability_testing::{RUN, World, error};
use windlass_gate::api::artifacts::{Artifact, Get, List, Put};
use windlass_gate::{CallError, Session};

fn world() -> (World, Session) {
    let world = World::new(|gate| gate.with(Artifacts));
    let session = world.step(&["artifacts"], r#"{ artifacts = { read = ["**"], write = ["**"] } }"#);
    (world, session)
}

fn put(name: &str, content: &[u8]) -> Put {
    Put { name: name.to_owned(), content: content.to_vec() }
}

fn get(name: &str) -> Get {
    Get { name: name.to_owned() }
}

fn artifact(name: &str, content: &[u8]) -> Artifact {
    Artifact {
        name: name.to_owned(),
        size: content.len() as u64,
        digest: format!("sha256:{}", hex::encode(Sha256::digest(content))),
    }
}

#[tokio::test]
async fn what_is_stored_comes_back() {
    let (world, mut session) = world();
    assert_eq!(
        session.call(&put("reports/unit.xml", b"<ok/>")).await.expect("stored"),
        artifact("reports/unit.xml", b"<ok/>")
    );
    session.call(&put("a", &[0, 0xff])).await.expect("stored");
    session.call(&put("empty", b"")).await.expect("stored");
    assert_eq!(session.call(&get("reports/unit.xml")).await.expect("there").0, b"<ok/>");
    assert_eq!(session.call(&get("empty")).await.expect("there").0, b"");
    // The second replaces the first.
    session.call(&put("a", b"new")).await.expect("stored");
    assert_eq!(session.call(&get("a")).await.expect("there").0, b"new");
    // Another step of the run sees them, too.
    let listed = world.host().call(&List {}).await.expect("listed");
    assert_eq!(listed, [artifact("a", b"new"), artifact("empty", b""), artifact("reports/unit.xml", b"<ok/>")]);
    assert!(world.workspace().join(".windlass/artifacts").join(RUN).join("names/reports+unit.xml").is_file());
}

#[tokio::test]
async fn what_is_not_there_is_said_with_what_is() {
    let (_world, mut session) = world();
    let CallError::NotFound(message) = error(session.call(&get("report")).await) else { panic!("found") };
    assert!(message.contains("`report`") && message.contains("none yet"), "{message}");
    session.call(&put("reports", b"")).await.expect("stored");
    let CallError::NotFound(message) = error(session.call(&get("report")).await) else { panic!("found") };
    assert!(message.contains("it has `reports`"), "{message}");
}

#[tokio::test]
async fn names_and_sizes_are_bounded() {
    let (world, _) = world();
    let mut session = world.host();
    for bad in ["../escape", "/etc/passwd", "a/../../b", "", "a\0b"] {
        assert!(matches!(error(session.call(&put(bad, b"x")).await), CallError::Invalid(_)), "{bad:?}");
        assert!(matches!(error(session.call(&get(bad)).await), CallError::Invalid(_)), "{bad:?}");
    }
    session.call(&put("full", &vec![b'x'; 4 << 20])).await.expect("4 MiB fit");
    let CallError::Invalid(message) = error(session.call(&put("over", &vec![b'x'; (4 << 20) + 1])).await) else {
        panic!("it fits?")
    };
    assert!(message.contains("4 MiB"), "{message}");
    assert_eq!(session.call(&List {}).await.expect("listed").len(), 1);
}

#[tokio::test]
async fn steps_store_at_the_same_time() {
    let (world, _) = world();
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..16 {
        let mut session = world.host();
        tasks.spawn(async move { session.call(&put(&format!("part-{index}"), b"the same")).await.expect("stored") });
    }
    tasks.join_all().await;
    assert_eq!(world.host().call(&List {}).await.expect("listed").len(), 16);
}
