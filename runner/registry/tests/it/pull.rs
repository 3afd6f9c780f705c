//! Pulling: what is not what it should be is not kept, and told.

use windlass_registry::{Reference, RegistryError};
use windlass_tests::{FakeRegistry, Lie, digest_of};

use crate::support::{Here, component, pushed, reference};

#[tokio::test]
async fn what_was_pulled_is_not_pulled_again() {
    let server = FakeRegistry::start();
    let (name, it) = pushed(&server, "audit:1").await;
    let here = Here::new();
    here.registry.fetch(&name, &it.component).await.unwrap();
    assert_eq!(server.requests().iter().filter(|request| request.contains("/blobs/")).count(), 1);
    let here = here.again();
    here.registry.fetch(&name, &it.component).await.unwrap();
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_damaged_in_the_cache_is_pulled_again() {
    let server = FakeRegistry::start();
    let (name, it) = pushed(&server, "audit:1").await;
    let here = Here::new();
    let file = here.registry.fetch(&name, &it.component).await.unwrap();
    let here = here.again();
    std::fs::write(&file, b"damaged").unwrap();
    // What comes instead has to be as good as what came first.
    let mut other = component();
    other[4_500_000] ^= 1;
    server.lies_about("/blobs/", Lie::Bytes(other));
    let error = here.registry.fetch(&name, &it.component).await.unwrap_err();
    assert!(matches!(error, RegistryError::Digest { .. }), "{error}");
    server.is_honest();
    assert_eq!(here.registry.fetch(&name, &it.component).await.unwrap(), file);
    assert_eq!(std::fs::read(&file).unwrap(), component());
    assert_eq!((here.files(), here.registry.read(&it.component).unwrap()), (1, component()));
}

#[tokio::test]
async fn a_component_with_other_bytes_is_refused_and_not_kept() {
    let server = FakeRegistry::start();
    let (name, it) = pushed(&server, "audit:1").await;
    let mut other = component();
    other[4_500_000] ^= 1;
    server.lies_about("/blobs/", Lie::Bytes(other.clone()));
    let here = Here::new();
    match here.registry.fetch(&name, &it.component).await.unwrap_err() {
        RegistryError::Digest { what, expected, got } => {
            assert_eq!((expected, got), (it.component.clone(), digest_of(&other)));
            assert!(what.contains("audit:1"), "{what}");
        }
        error => panic!("{error}"),
    }
    assert_eq!((here.files(), here.registry.cached(&it.component)), (0, None));
    server.is_honest();
    here.registry.fetch(&name, &it.component).await.unwrap();
}

#[tokio::test]
async fn a_component_that_breaks_off_is_not_kept() {
    let server = FakeRegistry::start();
    let (name, it) = pushed(&server, "audit:1").await;
    server.lies_about("/blobs/", Lie::Half);
    let here = Here::new();
    let error = here.registry.fetch(&name, &it.component).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
    assert_eq!(here.files(), 0);
}

#[tokio::test]
async fn a_component_without_end_is_given_up_at_the_limit() {
    let server = FakeRegistry::start();
    let (name, it) = pushed(&server, "audit:1").await;
    let here = Here::new();
    // Announced, it is not even begun; and one that lies about its size is not believed.
    for announced in [1 << 40, 65 << 20] {
        server.is_honest();
        server.lies_about("/blobs/", Lie::Endless(announced));
        let error = here.registry.fetch(&name, &it.component).await.unwrap_err();
        assert!(matches!(error, RegistryError::TooLarge { .. }), "{error}");
    }
    assert_eq!(here.files(), 0);
}

#[tokio::test]
async fn a_manifest_without_end_is_given_up() {
    let server = FakeRegistry::start();
    let (name, _) = pushed(&server, "audit:1").await;
    let here = Here::new();
    server.lies_about("/manifests/", Lie::Endless(1 << 40));
    let error = here.registry.resolve(&name).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotAPlugin { .. }), "{error}");
    assert!(error.to_string().contains("more than 1048576 bytes"), "{error}");
}

#[tokio::test]
async fn a_manifest_that_was_changed_on_its_way_is_refused() {
    let server = FakeRegistry::start();
    let (name, _) = pushed(&server, "audit:1").await;
    let here = Here::new();
    let other = server.manifest("audit", "1").unwrap().repeat(2);
    server.lies_about("/manifests/", Lie::Body(other.clone()));
    let error = here.registry.resolve(&name).await.unwrap_err();
    assert!(matches!(&error, RegistryError::Digest { got, .. } if *got == digest_of(&other)), "{error}");
}

#[tokio::test]
async fn what_a_registry_says_instead_of_a_manifest_is_told() {
    let server = FakeRegistry::start();
    let (name, _) = pushed(&server, "audit:1").await;
    let here = Here::new();
    for (status, part) in [
        (401, "does not give access"),
        (403, "does not give access"),
        (404, "is not there"),
        (429, "asked too often"),
        (500, "answers 500"),
    ] {
        server.is_honest();
        server.lies_about("/manifests/", Lie::Status(status));
        let error = here.registry.resolve(&name).await.unwrap_err();
        assert!(error.to_string().contains(part), "{status}: {error}");
        assert!(error.to_string().len() < 600 && !error.to_string().contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn a_manifest_is_what_its_digest_says_whatever_the_tag_does() {
    let server = FakeRegistry::start();
    let (name, it) = pushed(&server, "audit:1").await;
    let pinned = name.at(&it.manifest);
    let here = Here::new();
    assert_eq!(here.registry.resolve(&pinned).await.unwrap(), it);
    server.put_manifest("audit", &it.manifest, &server.manifest("audit", "1").unwrap().repeat(2));
    let error = here.registry.resolve(&pinned).await.unwrap_err();
    assert!(matches!(error, RegistryError::Digest { .. }), "{error}");
}

#[tokio::test]
async fn what_is_not_there_or_is_no_plugin_is_told() {
    let server = FakeRegistry::start();
    let here = Here::new();
    let missing = here.registry.resolve(&reference(&server, "audit:1")).await.unwrap_err();
    assert!(matches!(missing, RegistryError::NotFound { .. }), "{missing}");
    let (name, _) = pushed(&server, "audit:1").await;
    let missing = here.registry.fetch(&name, &digest_of(b"never")).await.unwrap_err();
    assert!(matches!(missing, RegistryError::NotFound { .. }), "{missing}");

    let image = br#"{"schemaVersion":2,"config":{"mediaType":"x","digest":"y","size":1},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"z","size":1}]}"#;
    server.put_manifest("image", "1", image);
    let image = here.registry.resolve(&reference(&server, "image:1")).await.unwrap_err();
    assert!(matches!(image, RegistryError::NotAPlugin { .. }), "{image}");
}

#[tokio::test]
async fn a_registry_that_is_not_there_or_not_well_is_unavailable() {
    let here = Here::new();
    let nobody = Reference::parse("localhost:1/audit:1").unwrap();
    let error = here.registry.resolve(&nobody).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
    assert!(error.to_string().to_lowercase().contains("refused"), "{error}");

    let server = FakeRegistry::start();
    server.lies_about("/manifests/", Lie::Status(503));
    let error = here.registry.resolve(&reference(&server, "audit:1")).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
    assert!(!error.to_string().contains(['\u{1b}', '\n']), "{error:?}");
}
