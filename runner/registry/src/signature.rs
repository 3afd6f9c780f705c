//! Signatures as `cosign sign --key` makes them: an artifact beside the plugin's, whose layers are small documents that
//! name the digest of a manifest, each with an ECDSA signature in an annotation.
//!
//! Only keys of one's own are known here. Certificates and transparency logs would need a service to ask.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde::Deserialize;

use crate::error::RegistryError;
use crate::reference::Reference;
use crate::session::Session;
use crate::{Registry, digest, pull};

/// The type of a layer that is such a document.
const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Where the signature of it is.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// What the document says that it is.
const KIND: &str = "cosign container image signature";
/// The largest document that is looked at, and how many of them are.
const MAX_PAYLOAD: usize = 64 * 1024;
const MAX_SIGNATURES: usize = 16;

/// What stands before the point of a P-256 key in its DER form.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A public key of `cosign generate-key-pair`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    point: Vec<u8>,
    digest: String,
}

impl PublicKey {
    /// Reads `cosign.pub`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn parse(pem: &str) -> Result<Self, String> {
        let inner = pem
            .trim()
            .strip_prefix("-----BEGIN PUBLIC KEY-----")
            .and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----"))
            .ok_or("it is no public key in PEM form")?;
        let text: String = inner.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let der = STANDARD.decode(text).map_err(|error| format!("it is no PEM: {error}"))?;
        let point = der.strip_prefix(P256).filter(|point| point.len() == 65 && point[0] == 4);
        let point = point.ok_or("it is no ECDSA key on the curve P-256, as `cosign generate-key-pair` makes them")?;
        Ok(Self { point: point.to_vec(), digest: digest::of(&der) })
    }

    /// `sha256:...`, by which it is told from others.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

impl Registry {
    /// Checks that a manifest of this repository was signed with a key.
    ///
    /// # Errors
    ///
    /// If there is no such signature, or the registry cannot be asked.
    pub async fn verify(&self, reference: &Reference, manifest: &str, key: &PublicKey) -> Result<(), RegistryError> {
        let refused = |reason: String| RegistryError::Signature { what: format!("{reference} ({manifest})"), reason };
        let digits = digest::digits(manifest).ok_or_else(|| refused("it has no digest".to_owned()))?;
        let place = reference.tagged(&format!("sha256-{digits}.sig"));
        let session = self.session(reference).await?;
        let found = match pull::manifest(&session, &place).await {
            Ok(found) => found,
            Err(RegistryError::NotFound { .. }) => return Err(refused("it carries no signature".to_owned())),
            Err(error) => return Err(error),
        };
        let found: OciImageManifest =
            serde_json::from_slice(&found).map_err(|_| refused("what it carries is no signature".to_owned()))?;
        let mut reason = "what it carries is no signature".to_owned();
        for layer in found.layers.iter().filter(|layer| layer.media_type == PAYLOAD).take(MAX_SIGNATURES) {
            let payload = payload(&session, &place, layer).await?;
            match check(&payload, layer, manifest, key) {
                Ok(()) => return Ok(()),
                Err(why) => reason = why,
            }
        }
        Err(refused(reason))
    }
}

/// Whether this document says that this manifest was signed, and was itself signed with this key.
fn check(payload: &[u8], layer: &OciDescriptor, manifest: &str, key: &PublicKey) -> Result<(), String> {
    let signature = layer.annotations.as_ref().and_then(|all| all.get(SIGNATURE)).ok_or("it has no signature")?;
    let signature = STANDARD.decode(signature.trim()).map_err(|_| "its signature cannot be read")?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key.point)
        .verify(payload, &signature)
        .map_err(|_| "it was signed with another key")?;
    // From here on it is what the owner of the key has written.
    let Payload { critical } = serde_json::from_slice(payload).map_err(|_| "what was signed is no signature")?;
    if critical.kind != KIND {
        return Err("what was signed is something else".to_owned());
    }
    if critical.image.digest != manifest {
        return Err("its signature is that of another plugin".to_owned());
    }
    Ok(())
}

/// The document of a layer.
async fn payload(session: &Session, place: &Reference, layer: &OciDescriptor) -> Result<Vec<u8>, RegistryError> {
    let what = place.to_string();
    let wrong = |got: String| RegistryError::Digest { what: what.clone(), expected: layer.digest.clone(), got };
    let work = async {
        let request = session.client.pull_blob_stream(place.inner(), layer.digest.as_str());
        let mut blob = request.await.map_err(|error| session.failed(error, place, &what))?;
        let mut bytes = Vec::new();
        while let Some(some) = blob.stream.next().await {
            bytes.extend_from_slice(&some.map_err(|error| RegistryError::io(error, place, &what))?);
            if bytes.len() > MAX_PAYLOAD {
                let (size, limit) = (bytes.len() as u64, MAX_PAYLOAD as u64);
                return Err(RegistryError::TooLarge { what: what.clone(), size, limit });
            }
        }
        Ok(bytes)
    };
    let bytes = session.large(place, work).await?;
    let got = digest::of(&bytes);
    if got == layer.digest { Ok(bytes) } else { Err(wrong(got)) }
}

#[cfg(test)]
mod tests {
    use super::PublicKey;

    #[test]
    fn only_a_p256_key_is_one() {
        // From `openssl ecparam -name prime256v1`.
        let good = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE17slh365cD38CQdk+8pTxr4gLStC\nTTHxtU0lBrRpgQR6nTkS7Ng4dTIWrxN4fDvbJzB3mWbMAFBzQ98zyU6+FQ==\n-----END PUBLIC KEY-----\n";
        let key = PublicKey::parse(good).unwrap();
        assert_eq!(key, PublicKey::parse(&good.replace('\n', "\r\n")).unwrap());
        assert!(key.digest().starts_with("sha256:"));
        for bad in [
            "",
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        ] {
            assert!(PublicKey::parse(bad).is_err(), "{bad}");
        }
        assert!(PublicKey::parse(&good.replace("PUBLIC", "PRIVATE")).is_err());
    }
}
