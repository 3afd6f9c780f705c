//! Pushing.

use windlass_registry::RegistryError;
use windlass_tests::{FakeRegistry, digest_of};

use crate::support::{Here, component, info, reference};

#[tokio::test]
async fn what_is_pushed_is_what_is_pulled() {
    let server = FakeRegistry::start();
    let name = reference(&server, "team/audit:1.2");
    let there = Here::new();
    let pushed = there.registry.push(&name, component(), &info()).await.unwrap();
    assert_eq!(pushed.component, digest_of(&component()));
    assert_eq!(pushed.manifest, digest_of(&server.manifest("team/audit", "1.2").unwrap()));

    let here = Here::new();
    assert_eq!(here.registry.resolve(&name).await.unwrap(), pushed);
    let file = here.registry.fetch(&name, &pushed.component).await.unwrap();
    assert_eq!(std::fs::read(file).unwrap(), component());
    assert_eq!(here.registry.read(&pushed.component).unwrap(), component());
}

#[tokio::test]
async fn pushing_again_sends_no_bytes_again_and_gives_the_same_digests() {
    let server = FakeRegistry::start();
    let name = reference(&server, "audit:1");
    let first = Here::new().registry.push(&name, component(), &info()).await.unwrap();
    server.requests();
    assert_eq!(Here::new().registry.push(&name, component(), &info()).await.unwrap(), first);
    let requests = server.requests();
    assert!(!requests.iter().any(|request| request.contains("/uploads/")), "{requests:?}");
}

#[tokio::test]
async fn a_digest_cannot_be_pushed_to() {
    let server = FakeRegistry::start();
    let name = reference(&server, "audit:1").at(&digest_of(b"x"));
    let error = Here::new().registry.push(&name, component(), &info()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Reference { .. }), "{error}");
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_registry_that_wants_a_login_gets_that_of_docker() {
    let server = FakeRegistry::start();
    server.wants("YWRhOmh1bnRlcjoy");
    let name = reference(&server, "audit:1");

    let stranger = Here::new();
    let error = stranger.registry.push(&name, component(), &info()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unauthorized { .. }), "{error}");
    assert!(error.help().unwrap().starts_with("docker login localhost:"), "{:?}", error.help());

    let wrong = Here::new();
    wrong.log_in(server.address(), "YWRhOndyb25n");
    let error = wrong.registry.resolve(&name).await.unwrap_err().to_string();
    assert!(error.contains("the login of `ada`") && !error.contains("wrong"), "{error}");

    let ada = Here::new();
    ada.log_in(server.address(), "YWRhOmh1bnRlcjoy");
    let pushed = ada.registry.push(&name, component(), &info()).await.unwrap();
    ada.registry.fetch(&name, &pushed.component).await.unwrap();
}
