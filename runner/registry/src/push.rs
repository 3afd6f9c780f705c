//! A component becomes an artifact in a registry.

use bytes::Bytes;
use http::HeaderValue;
use oci_client::manifest::OCI_IMAGE_MEDIA_TYPE;

use crate::artifact::{Artifact, ComponentInfo};
use crate::error::RegistryError;
use crate::pull::Resolved;
use crate::reference::Reference;
use crate::session::Session;
use crate::{MAX_COMPONENT, Registry, digest};

impl Registry {
    /// Pushes a component, and lets the tag of the reference point to it. What the registry has already is not sent
    /// again.
    ///
    /// # Errors
    ///
    /// If the registry does not take it.
    pub async fn push(
        &self,
        reference: &Reference,
        component: Vec<u8>,
        info: &ComponentInfo,
    ) -> Result<Resolved, RegistryError> {
        if reference.digest().is_some() {
            return Err(RegistryError::Reference {
                text: reference.to_string(),
                reason: "the digest is what comes of a push; name a tag instead".to_owned(),
            });
        }
        let size = component.len() as u64;
        if size > MAX_COMPONENT {
            return Err(RegistryError::TooLarge { what: "the component".to_owned(), size, limit: MAX_COMPONENT });
        }
        let made = Artifact::of(&component, info).map_err(|error| RegistryError::NotAPlugin {
            what: "the component".to_owned(),
            reason: format!("its manifest cannot be written: {error}"),
        })?;
        let session = self.session(reference).await?;
        let manifest = digest::of(&made.manifest);
        session.large(reference, send(&session, reference, component.into(), &made)).await?;
        Ok(Resolved { manifest, component: made.component_digest, size })
    }
}

/// The parts first: a registry takes no manifest of something that it does not have.
async fn send(
    session: &Session,
    reference: &Reference,
    component: Bytes,
    made: &Artifact,
) -> Result<(), RegistryError> {
    let what = reference.to_string();
    blob(session, reference, component, &made.component_digest).await?;
    blob(session, reference, made.config.clone().into(), &made.config_digest).await?;
    let kind = HeaderValue::from_static(OCI_IMAGE_MEDIA_TYPE);
    let request = session.client.push_manifest_raw(reference.inner(), made.manifest.clone(), kind);
    request.await.map(drop).map_err(|error| session.failed(error, reference, &what))
}

async fn blob(session: &Session, reference: &Reference, bytes: Bytes, digest: &str) -> Result<(), RegistryError> {
    let what = reference.to_string();
    let (client, name) = (&session.client, reference.inner());
    // A registry that does not answer this one may still take the push; if not, that says why.
    if client.blob_exists(name, digest).await.unwrap_or(false) {
        return Ok(());
    }
    client.push_blob(name, bytes, digest).await.map(drop).map_err(|error| session.failed(error, reference, &what))
}
