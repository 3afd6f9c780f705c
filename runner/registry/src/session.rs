//! One registry: how it is spoken to, and as whom.

use std::path::Path;
use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, WWW_AUTHENTICATE};
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciEnvelope};
use oci_client::manifest::OCI_IMAGE_MEDIA_TYPE;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, RegistryOperation};
use reqwest::{RequestBuilder, Response};

use crate::credentials::{self, Login};
use crate::digest;
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

/// The largest manifest that is looked at, in bytes. That of a plugin has less than a kilobyte.
const MAX_MANIFEST: usize = 1024 * 1024;

/// How much is read of what a registry says instead of a manifest, in bytes.
const MAX_ERROR: usize = 64 * 1024;

/// Where a registry says which digest a manifest has.
const DIGEST: &str = "docker-content-digest";

/// How Windlass names itself.
const USER_AGENT: &str = concat!("windlass/", env!("CARGO_PKG_VERSION"));

/// What is needed to talk to one registry.
pub(crate) struct Session {
    pub(crate) client: Client,
    /// For manifests: the client above reads whatever comes as a whole.
    http: reqwest::Client,
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
        let no_tls = |error: String| RegistryError::Unavailable {
            registry: reference.registry().to_owned(),
            reason: format!("this machine has no certificates to trust, or no TLS: {error}"),
        };
        let client = Client::try_from(config).map_err(|error| no_tls(error.to_string()))?;
        let http = reqwest::Client::builder()
            .https_only(!reference.is_local())
            .connect_timeout(CONNECT)
            .read_timeout(SILENT)
            .user_agent(USER_AGENT);
        let http = http.build().map_err(|error| no_tls(error.to_string()))?;
        let login = credentials::find(docker_config, reference.registry()).await?;
        client.store_auth_if_needed(reference.inner().resolve_registry(), &login.auth).await;
        Ok(Self { client, http, login })
    }

    /// The bytes of a manifest, as they come.
    pub(crate) async fn manifest(&self, reference: &Reference) -> Result<Vec<u8>, RegistryError> {
        within(SMALL, reference, self.pull_manifest(reference)).await
    }

    async fn pull_manifest(&self, reference: &Reference) -> Result<Vec<u8>, RegistryError> {
        let what = reference.to_string();
        let failed = |error| self.failed(error, reference, &what);
        let inner = reference.inner();
        // A registry that gives no token may have the manifest for everybody; if it has not, it says so below.
        let token = self.client.auth(inner, self.auth(), RegistryOperation::Pull).await.ok().flatten();
        let scheme = if reference.is_local() { "http" } else { "https" };
        let (registry, repository) = (inner.resolve_registry(), inner.repository());
        let named = inner.digest().or(inner.tag()).unwrap_or("latest");
        let url = format!("{scheme}://{registry}/v2/{repository}/manifests/{named}");
        let ask = || self.http.get(&url).header(ACCEPT, OCI_IMAGE_MEDIA_TYPE);
        let request = token.iter().fold(ask(), RequestBuilder::bearer_auth);
        let mut answer = request.send().await.map_err(|error| failed(error.into()))?;
        if let (None, RegistryAuth::Basic(user, password)) = (token, self.auth())
            && wants_password(&answer)
        {
            answer = ask().basic_auth(user, Some(password)).send().await.map_err(|error| failed(error.into()))?;
        }
        let status = answer.status();
        if status != StatusCode::OK {
            let said = body(&mut answer, MAX_ERROR).await.map_err(|error| failed(error.into()))?;
            return Err(failed(refused(status, url.clone(), &said)));
        }
        let bytes = body(&mut answer, MAX_MANIFEST + 1).await.map_err(|error| failed(error.into()))?;
        if bytes.len() > MAX_MANIFEST {
            let reason = format!("its manifest has more than {MAX_MANIFEST} bytes");
            return Err(RegistryError::NotAPlugin { what, reason });
        }
        // What stands between here and the registry may have kept something else.
        let announced = answer.headers().get(DIGEST).and_then(|digest| digest.to_str().ok());
        let got = digest::of(&bytes);
        match announced.filter(|announced| digest::digits(announced).is_some()) {
            Some(announced) if announced != got => {
                Err(RegistryError::Digest { what, expected: announced.to_owned(), got })
            }
            _ => Ok(bytes),
        }
    }

    /// Who asks.
    pub(crate) fn auth(&self) -> &RegistryAuth {
        &self.login.auth
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

/// As much of a body as is wanted.
async fn body(answer: &mut Response, limit: usize) -> reqwest::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while bytes.len() < limit
        && let Some(chunk) = answer.chunk().await?
    {
        bytes.extend_from_slice(&chunk[..chunk.len().min(limit - bytes.len())]);
    }
    Ok(bytes)
}

/// Whether a registry asks for a name and a password themselves, and for no token.
fn wants_password(answer: &Response) -> bool {
    let challenge = answer.headers().get(WWW_AUTHENTICATE).and_then(|challenge| challenge.to_str().ok());
    answer.status() == StatusCode::UNAUTHORIZED
        && challenge.and_then(|text| text.get(..5)).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))
}

/// What an answer without a manifest means, as for all other requests.
fn refused(status: StatusCode, url: String, said: &[u8]) -> OciDistributionError {
    if status == StatusCode::UNAUTHORIZED {
        return OciDistributionError::UnauthorizedError { url };
    }
    match serde_json::from_slice::<OciEnvelope>(said) {
        Ok(envelope) if status.is_client_error() => OciDistributionError::RegistryError { envelope, url },
        _ => {
            let message = String::from_utf8_lossy(said).into_owned();
            OciDistributionError::ServerError { code: status.as_u16(), url, message }
        }
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
