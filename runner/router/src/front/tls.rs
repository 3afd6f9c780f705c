//! TLS from certificate files, chosen by the host that the client asks for.

use crate::api::{Certificate, Tls};
use pingora_core::listeners::tls::Acceptor;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, version};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Reads the files, and prefers HTTP/2.
pub(super) fn acceptor(tls: &Tls) -> Result<Acceptor, String> {
    let mut first = None;
    let mut by_host = BTreeMap::new();
    for certificate in &tls.certificates {
        let key = Arc::new(read(certificate)?);
        first.get_or_insert_with(|| Arc::clone(&key));
        for host in &certificate.hosts {
            by_host.insert(host.to_ascii_lowercase(), Arc::clone(&key));
        }
    }
    let first = first.ok_or("TLS needs at least one certificate")?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS12, &version::TLS13])
        .map_err(|why| why.to_string())?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(ByHost { first, by_host }));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Acceptor::from_server_config(Arc::new(config)))
}

fn read(certificate: &Certificate) -> Result<CertifiedKey, String> {
    let bad = |path: &Path, why: String| format!("{}: {why}", path.display());
    let chain = CertificateDer::pem_file_iter(&certificate.chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|why| bad(&certificate.chain, why.to_string()))?;
    if chain.is_empty() {
        return Err(bad(&certificate.chain, "there is no certificate in it".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&certificate.key).map_err(|why| bad(&certificate.key, why.to_string()))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|why| {
        format!("{} and {} do not go together: {why}", certificate.chain.display(), certificate.key.display())
    })
}

#[derive(Debug)]
struct ByHost {
    first: Arc<CertifiedKey>,
    by_host: BTreeMap<String, Arc<CertifiedKey>>,
}

impl ResolvesServerCert for ByHost {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|host| self.by_host.get(&host.to_ascii_lowercase()));
        Some(Arc::clone(named.unwrap_or(&self.first)))
    }
}
