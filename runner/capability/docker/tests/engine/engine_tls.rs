//! An engine that is spoken to over TLS, with certificates on both sides.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, UnixStream};
use tokio_rustls::TlsAcceptor;
use windlass_capability_docker::{Docker, DockerConfig};
use windlass_gate::CallError;
use windlass_gate::api::docker::Run;

use crate::common::{ALL, engine_with, shell, wanted};

struct Pair {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

fn pair(name: &str) -> Pair {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut parameters = rcgen::CertificateParams::new([name.to_owned()]).expect("a name");
    // Two signers of the same name would be taken for one another.
    parameters.distinguished_name.push(rcgen::DnType::CommonName, format!("signer {:?}", key.public_key_raw()));
    let certificate = parameters.self_signed(&key).expect("a certificate").der().clone();
    Pair { certificate, key: key.serialize_der() }
}

fn pem(kind: &str, bytes: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(bytes))
}

/// A folder as DOCKER_CERT_PATH names it.
fn certificates(folder: &Path, authority: &Pair, own: &Pair) {
    std::fs::create_dir_all(folder).expect("made");
    std::fs::write(folder.join("ca.pem"), pem("CERTIFICATE", &authority.certificate)).expect("written");
    std::fs::write(folder.join("cert.pem"), pem("CERTIFICATE", &own.certificate)).expect("written");
    std::fs::write(folder.join("key.pem"), pem("PRIVATE KEY", &own.key)).expect("written");
}

/// Stands before the engine and takes only connections of this client.
async fn guard(server: &Pair, client: &Pair) -> u16 {
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(client.certificate.clone()).expect("a root");
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .expect("a verifier");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![server.certificate.clone()], PrivatePkcs8KeyDer::from(server.key.clone()).into())
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let real = wanted("DOCKER_HOST").trim_start_matches("unix://").to_owned();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let (acceptor, real) = (acceptor.clone(), real.clone());
            tokio::spawn(async move {
                let Ok(mut here) = acceptor.accept(stream).await else { return };
                let mut there = UnixStream::connect(real).await.expect("connected");
                let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
            });
        }
    });
    port
}

fn secured(port: u16, certificates: &Path) -> DockerConfig {
    DockerConfig { certificates: Some(certificates.to_owned()), ..DockerConfig::at(format!("tcp://localhost:{port}")) }
}

#[test]
fn a_container_runs_over_tls() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let (server, client) = (pair("localhost"), pair("client"));
    certificates(folder.path(), &server, &client);
    let port = runtime.block_on(guard(&server, &client));
    engine_with(secured(port, folder.path()), |world| async move {
        let exit =
            world.step(ALL).call(&Run { spec: shell("echo in private"), timeout_ms: None }).await.expect("it ran");
        assert_eq!(exit.stdout_tail, "in private\n");
    });
}

#[tokio::test]
async fn strangers_on_either_side_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, client, stranger) = (pair("localhost"), pair("client"), pair("localhost"));
    let port = guard(&server, &client).await;
    for (name, authority, own, sign) in
        [("server", &stranger, &client, "certificate"), ("client", &server, &stranger, "")]
    {
        let at = folder.path().join(name);
        certificates(&at, authority, own);
        let error = Docker::new(secured(port, &at)).probe().await.expect_err(name);
        assert!(
            matches!(&error, CallError::Unavailable(text) if text.contains(&format!("tcp://localhost:{port}")) && text.contains(sign)),
            "{name}: {error:?}"
        );
    }
}

#[tokio::test]
async fn certificates_that_are_missing_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Docker::new(secured(2376, folder.path())).probe().await.expect_err("missing");
    let file = folder.path().join("ca.pem");
    assert!(
        matches!(&error, CallError::Unavailable(text) if text.contains(&file.display().to_string()) && text.contains("DOCKER_CERT_PATH")),
        "{error:?}"
    );
}
