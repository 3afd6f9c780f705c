//! From a reference to a component on the disk.

use std::path::PathBuf;

use futures_util::StreamExt as _;

use crate::error::RegistryError;
use crate::reference::Reference;
use crate::session::Session;
use crate::{MAX_COMPONENT, Registry, artifact, digest};

/// What a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The digest of the manifest.
    pub manifest: String,
    /// The digest of the component.
    pub component: String,
    /// How many bytes the component has.
    pub size: u64,
}

impl Registry {
    /// Asks the registry what a reference leads to now. Nothing of it is pulled yet.
    ///
    /// # Errors
    ///
    /// If there is nothing there, or something that is no plugin, or the registry cannot be asked.
    pub async fn resolve(&self, reference: &Reference) -> Result<Resolved, RegistryError> {
        let session = self.session(reference).await?;
        let manifest = manifest(&session, reference).await?;
        let (component, size) = artifact::component(&manifest, &reference.to_string())?;
        Ok(Resolved { manifest: digest::of(&manifest), component, size })
    }

    /// The file of a component of a reference's repository, by the digest of its bytes. It is pulled unless it is in
    /// the cache, and pulled again if it was damaged there.
    ///
    /// # Errors
    ///
    /// If it cannot be pulled, or if what comes has another digest: nothing of that is kept.
    pub async fn fetch(&self, reference: &Reference, component: &str) -> Result<PathBuf, RegistryError> {
        if let Some(there) = self.cache.find_whole(component) {
            return Ok(there);
        }
        let session = self.session(reference).await?;
        session.large(reference, self.pull(&session, reference, component)).await
    }

    async fn pull(&self, session: &Session, reference: &Reference, expected: &str) -> Result<PathBuf, RegistryError> {
        let what = format!("{reference} (component {expected})");
        if digest::digits(expected).is_none() {
            return Err(RegistryError::NotAPlugin { what, reason: "it is known by no sha256 digest".to_owned() });
        }
        let too_large = |size| RegistryError::TooLarge { what: what.clone(), size, limit: MAX_COMPONENT };
        let request = session.client.pull_blob_stream(reference.inner(), expected);
        let mut blob = request.await.map_err(|error| session.failed(error, reference, &what))?;
        if let Some(size) = blob.content_length.filter(|size| *size > MAX_COMPONENT) {
            return Err(too_large(size));
        }
        let mut incoming = self.cache.begin()?;
        while let Some(bytes) = blob.stream.next().await {
            let bytes = bytes.map_err(|error| RegistryError::io(error, reference, &what))?;
            incoming.push(&bytes).map_err(|error| self.cache.failed(&error))?;
            if incoming.size > MAX_COMPONENT {
                return Err(too_large(incoming.size));
            }
        }
        let got = incoming.digest();
        if got != expected {
            return Err(RegistryError::Digest { what, expected: expected.to_owned(), got });
        }
        self.cache.keep(expected, incoming)
    }
}

/// The bytes of a manifest. If the reference has a digest, they have it.
pub(crate) async fn manifest(session: &Session, reference: &Reference) -> Result<Vec<u8>, RegistryError> {
    let (what, bytes) = (reference.to_string(), session.manifest(reference).await?);
    let got = digest::of(&bytes);
    match reference.digest() {
        Some(expected) if expected != got => Err(RegistryError::Digest { what, expected: expected.to_owned(), got }),
        _ => Ok(bytes),
    }
}
