//! Plugins in container registries: pushed, pulled, verified while they come, and cached by digest.
//!
//! A plugin is an artifact in the layout that the CNCF's Wasm working group describes: a manifest with a config of the
//! type `application/vnd.wasm.config.v0+json` and one layer of the type `application/wasm`, the component itself.
//!
//! Two digests name it. That of the *component* is what is run, journaled and cached; with it alone a plugin can be
//! fetched. That of the *manifest* is what a tag points to at the moment, and what signatures sign.
//!
//! ```text
//! reference --resolve--> manifest and component digest --fetch--> bytes, hashed while they come --> cache
//! ```
//!
//! Nothing that a registry sends is believed: a manifest has to have the digest that was asked for, and a component is
//! put into the cache under its digest only after all of its bytes gave that digest. What is read from the cache is
//! hashed once more.

#![allow(clippy::disallowed_methods, reason = "this crate owns the cache of pulled plugins, and reads Docker's logins")]

mod artifact;
mod cache;
mod credentials;
mod digest;
mod error;
mod pull;
mod push;
mod reference;
mod session;
mod signature;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use cache::Cache;
use session::Session;

pub use artifact::ComponentInfo;
pub use error::RegistryError;
pub use pull::Resolved;
pub use reference::Reference;
pub use signature::PublicKey;

/// The largest component that is pulled or pushed; the sandbox compiles no larger one.
pub const MAX_COMPONENT: u64 = 64 * 1024 * 1024;

/// Where things are.
#[derive(Clone, Debug)]
pub struct Options {
    /// The cache folder of the user.
    pub cache: PathBuf,
    /// The folder of Docker's `config.json`, which has the logins. Nobody is logged in without it.
    pub docker_config: Option<PathBuf>,
}

/// Talks to registries, and keeps what came from them.
///
/// Nothing is connected, and no login is looked up, before the first request to a registry.
#[derive(Debug)]
pub struct Registry {
    options: Options,
    cache: Cache,
    sessions: tokio::sync::Mutex<HashMap<String, Arc<Session>>>,
}

impl Registry {
    /// A registry client with this cache. The folder is made when something is put into it.
    pub fn new(options: Options) -> Self {
        let cache = Cache::in_folder(&options.cache);
        Self { options, cache, sessions: tokio::sync::Mutex::default() }
    }

    /// Where the component of this digest is, if it was pulled before.
    pub fn cached(&self, digest: &str) -> Option<PathBuf> {
        self.cache.find(digest)
    }

    /// The bytes of a component that was pulled.
    ///
    /// # Errors
    ///
    /// If they are not there, or no longer have this digest. Damaged ones are removed, so that they are pulled again.
    pub fn read(&self, digest: &str) -> Result<Vec<u8>, RegistryError> {
        self.cache.read(digest)
    }

    /// The session with the registry of a reference.
    async fn session(&self, reference: &Reference) -> Result<Arc<Session>, RegistryError> {
        let mut sessions = self.sessions.lock().await;
        if let Some(known) = sessions.get(reference.registry()) {
            return Ok(Arc::clone(known));
        }
        let session = Arc::new(Session::open(reference, self.options.docker_config.as_deref()).await?);
        sessions.insert(reference.registry().to_owned(), Arc::clone(&session));
        Ok(session)
    }
}
