//! Signatures: what carries none, or not the right one, is refused.

use windlass_registry::{PublicKey, RegistryError};
use windlass_tests::{FakeRegistry, SigningKey, digest_of};

use crate::support::{Here, pushed};

#[tokio::test]
async fn only_what_the_key_has_signed_is_trusted() {
    let server = FakeRegistry::start();
    let (name, it) = pushed(&server, "team/audit:1").await;
    let (ours, theirs) = (SigningKey::default(), SigningKey::default());
    let key = PublicKey::parse(&ours.public()).unwrap();
    let here = Here::new();
    let verify = || here.registry.verify(&name, &it.manifest, &key);
    let refused = |error: RegistryError, why: &str| {
        assert!(matches!(error, RegistryError::Signature { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    };

    refused(verify().await.unwrap_err(), "carries no signature");
    theirs.sign(&server, "team/audit", "1");
    refused(verify().await.unwrap_err(), "another key");
    ours.sign_as(&server, "team/audit", "1", &digest_of(b"another plugin"));
    refused(verify().await.unwrap_err(), "of another plugin");
    ours.sign(&server, "team/audit", "1");
    verify().await.unwrap();
}
