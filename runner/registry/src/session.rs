//! One registry: how it is spoken to, and as whom.

use std::path::Path;
use std::time::Duration;

use oci_client::Client;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;

use crate::credentials::{self, Login};
use crate::error::RegistryError;
use crate::reference::Reference;

/// For how long a registry may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(15);
/// For how long it may be silent.
const SILENT: Duration = Duration::from_secs(60);
/// How long a request about a manifest may take, and what goes before it to log in.
const SMALL: Duration = Duration::from_secs(90);
/// How long a component may take, one that comes in drops included.
const LARGE: Duration = Duration::from_secs(15 * 60);

/// How Windlass names itself.
const USER_AGENT: &str = concat!("windlass/", env!("CARGO_PKG_VERSION"));

/// What is needed to talk to one registry.
pub(crate) struct Session {
    pub(crate) client: Client,
    login: Login,
}

impl Session {
    /// Gets ready; the registry itself is not asked yet.
    pub(crate) async fn open(reference: &Reference, docker_config: Option<&Path>) -> Result<Self, RegistryError> {
        // Whoever has installed another one before is welcome to it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = ClientConfig {
            protocol: if reference.is_local() { ClientProtocol::Http } else { ClientProtocol::Https },
            // A plugin is the same on every platform, so an index of platforms is no plugin.
            platform_resolver: None,
            connect_timeout: Some(CONNECT),
            read_timeout: Some(SILENT),
            user_agent: USER_AGENT,
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|error| RegistryError::Unavailable {
            registry: reference.registry().to_owned(),
            reason: format!("this machine has no certificates to trust, or no TLS: {error}"),
        })?;
        let login = credentials::find(docker_config, reference.registry()).await?;
        client.store_auth_if_needed(reference.inner().resolve_registry(), &login.auth).await;
        Ok(Self { client, login })
    }

    /// Who asks.
    pub(crate) fn auth(&self) -> &RegistryAuth {
        &self.login.auth
    }

    /// A short request about `what`.
    pub(crate) async fn small<T>(
        &self,
        reference: &Reference,
        what: &str,
        request: impl Future<Output = Result<T, OciDistributionError>>,
    ) -> Result<T, RegistryError> {
        within(SMALL, reference, async { request.await.map_err(|error| self.failed(error, reference, what)) }).await
    }

    /// Something that moves a whole component.
    pub(crate) async fn large<T>(
        &self,
        reference: &Reference,
        transfer: impl Future<Output = Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        within(LARGE, reference, transfer).await
    }

    /// What a failed request means.
    pub(crate) fn failed(&self, error: OciDistributionError, reference: &Reference, what: &str) -> RegistryError {
        RegistryError::of(error, reference, what, &self.login.words)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("login", &self.login.words).finish_non_exhaustive()
    }
}

async fn within<T>(
    time: Duration,
    reference: &Reference,
    work: impl Future<Output = Result<T, RegistryError>>,
) -> Result<T, RegistryError> {
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| {
        Err(RegistryError::Unavailable {
            registry: reference.registry().to_owned(),
            reason: format!("it took more than {} seconds", time.as_secs()),
        })
    })
}
