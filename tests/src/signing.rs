//! Signs as `cosign sign --key` does, for tests of those who check signatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use crate::registry::{FakeRegistry, digest_of};

/// What stands before the point of a P-256 key in its DER form.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A key of `cosign generate-key-pair`.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Default for SigningKey {
    fn default() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        Self { pair, random }
    }
}

impl SigningKey {
    /// `cosign.pub`.
    pub fn public(&self) -> String {
        let der = [P256, self.pair.public_key().as_ref()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    /// Signs the manifest that a tag points to, and puts the signature where cosign does.
    pub fn sign(&self, registry: &FakeRegistry, repository: &str, tag: &str) {
        let digest = digest_of(&registry.manifest(repository, tag).unwrap());
        self.sign_as(registry, repository, tag, &digest);
    }

    /// The same, but what is signed names this digest.
    pub fn sign_as(&self, registry: &FakeRegistry, repository: &str, tag: &str, named: &str) {
        let manifest = digest_of(&registry.manifest(repository, tag).unwrap());
        let payload = json!({
            "critical": {
                "identity": { "docker-reference": repository },
                "image": { "docker-manifest-digest": named },
                "type": "cosign container image signature",
            },
            "optional": null,
        })
        .to_string();
        let signature = self.pair.sign(&self.random, payload.as_bytes()).unwrap();
        let layer = json!({
            "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
            "digest": registry.put_blob(payload.as_bytes()),
            "size": payload.len(),
            "annotations": { "dev.cosignproject.cosign/signature": STANDARD.encode(signature) },
        });
        let config =
            json!({ "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(b"{}"), "size": 2 });
        let beside = json!({ "schemaVersion": 2, "config": config, "layers": [layer] }).to_string();
        registry.put_manifest(repository, &format!("{}.sig", manifest.replace(':', "-")), beside.as_bytes());
    }
}
