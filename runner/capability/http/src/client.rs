//! The clients: one for plain HTTP, one for TLS, each made when it is first needed.

use std::sync::{Arc, OnceLock};

use reqwest::redirect::Policy;
use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;
use url::Url;
use windlass_gate::CallError;

/// How Windlass names itself to servers.
const USER_AGENT: &str = concat!("windlass/", env!("CARGO_PKG_VERSION"));

/// The clients of a run.
///
/// There are two, so that the health check of a container does not wait for the machine's
/// certificates to be read, and works where there are none.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    plain: OnceLock<Result<reqwest::Client, CallError>>,
    secure: OnceLock<Result<reqwest::Client, CallError>>,
    /// Certificates to trust beside those of the machine.
    trusted: Vec<CertificateDer<'static>>,
}

impl Clients {
    /// The client for a URL.
    pub(crate) fn of(&self, url: &Url) -> Result<&reqwest::Client, CallError> {
        let client = if url.scheme() == "https" {
            self.secure.get_or_init(|| secure(&self.trusted))
        } else {
            self.plain.get_or_init(plain)
        };
        client.as_ref().map_err(CallError::clone)
    }

    /// Clients that trust these certificates as well.
    pub(crate) fn trusting(trusted: Vec<CertificateDer<'static>>) -> Self {
        Self { trusted, ..Self::default() }
    }
}

/// The provider is named here and nowhere installed for the whole process: others may bring their own.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn plain() -> Result<reqwest::Client, CallError> {
    let config =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(no_client)?;
    // The client wants a TLS configuration even if it never uses one; this trusts nobody.
    build(config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

fn secure(trusted: &[CertificateDer<'static>]) -> Result<reqwest::Client, CallError> {
    let verifier = Verifier::new_with_extra_roots(trusted.iter().cloned(), provider()).map_err(|error| {
        CallError::Unavailable(format!(
            "https needs the certificates that this machine trusts, and they cannot be read: {error}; \
             install them (the package `ca-certificates`), or name a file of them in SSL_CERT_FILE"
        ))
    })?;
    let config =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(no_client)?;
    // "Dangerous" is any verifier that is not rustls' own; this one is the platform's.
    build(config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

fn build(tls: ClientConfig) -> Result<reqwest::Client, CallError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(USER_AGENT)
        // Every address that is asked has to be granted: no redirects, proxies and retries behind our back.
        .redirect(Policy::none())
        .no_proxy()
        .retry(reqwest::retry::never())
        .referer(false)
        // A connection that a stopped container left behind would look like a failure of the next one.
        .pool_max_idle_per_host(0)
        .build()
        .map_err(no_client)
}

fn no_client(error: impl std::error::Error) -> CallError {
    CallError::Other(format!("the HTTP client cannot be set up: {error}"))
}
