//! TLS to a daemon: its certificate is verified against `ca.pem`, and ours is shown to it.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use windlass_gate::CallError;

/// The client's side, from a folder as Docker's tools lay it out.
pub(super) fn client(folder: &Path) -> Result<Arc<ClientConfig>, CallError> {
    let wrong = |file: &str, error: &dyn std::fmt::Display| {
        CallError::Unavailable(format!(
            "cannot speak TLS to the Docker daemon: {}: {error}; DOCKER_CERT_PATH has to name a folder with ca.pem, and cert.pem and key.pem if the daemon asks for a client certificate",
            folder.join(file).display()
        ))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(folder.join("ca.pem")).map_err(|error| wrong("ca.pem", &error))? {
        let certificate = certificate.map_err(|error| wrong("ca.pem", &error))?;
        roots.add(certificate).map_err(|error| wrong("ca.pem", &error))?;
    }
    if roots.is_empty() {
        return Err(wrong("ca.pem", &"has no certificate"));
    }
    // Named, not the process's default: which one that is depends on who else is linked in.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("ca.pem", &error))?
        .with_root_certificates(roots);
    if !folder.join("cert.pem").exists() {
        return Ok(Arc::new(builder.with_no_client_auth()));
    }
    let chain: Vec<_> = CertificateDer::pem_file_iter(folder.join("cert.pem"))
        .and_then(Iterator::collect)
        .map_err(|error| wrong("cert.pem", &error))?;
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).map_err(|error| wrong("key.pem", &error))?;
    let config = builder.with_client_auth_cert(chain, key).map_err(|error| wrong("cert.pem", &error))?;
    Ok(Arc::new(config))
}
