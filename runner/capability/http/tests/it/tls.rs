//! https: who is trusted, and what is said of who is not.

use std::sync::Arc;

use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use windlass_capability_http::Http;
use windlass_capability_testing::{World, error};
use windlass_gate::CallError;

use crate::send::get;
use crate::server::{Reply, answer, read};

const ANY: &str = r#"{ http = ["GET https://localhost:*/**", "GET https://127.0.0.1:*/**"] }"#;

/// A server whose certificate it signed itself, for the name `localhost`: its port, and the certificate.
async fn start() -> (u16, Vec<u8>) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).expect("a name");
    // Two signers of the same name would be taken for one another.
    parameters.distinguished_name.push(rcgen::DnType::CommonName, format!("signer {:?}", key.public_key_raw()));
    let certificate = parameters.self_signed(&key).expect("a certificate").der().clone();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust us closes the connection.
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let mut stream = BufReader::new(stream);
            if read(&mut stream).await.is_some() {
                answer(&mut stream, Reply::ok("in private")).await;
            }
        }
    });
    (port, certificate.to_vec())
}

#[tokio::test]
async fn a_trusted_certificate_is_enough() {
    let (port, certificate) = start().await;
    let world = World::new(|gate| gate.with(Http::trusting([certificate])));
    let mut session = world.step(&["http"], ANY);
    let answer = session.call(&get(&format!("https://localhost:{port}/"))).await.expect("an answer");
    assert_eq!(answer.body, b"in private");
}

#[tokio::test]
async fn an_unknown_or_wrong_certificate_is_not() {
    let (port, certificate) = start().await;
    let (_, other) = start().await;
    for (trusted, host, words) in
        [(other, "localhost", "nobody whom this machine trusts"), (certificate, "127.0.0.1", "not acceptable")]
    {
        let world = World::new(|gate| gate.with(Http::trusting([trusted])));
        let mut session = world.step(&["http"], ANY);
        let CallError::Unavailable(message) = error(session.call(&get(&format!("https://{host}:{port}/"))).await)
        else {
            panic!("trusted")
        };
        assert!(message.contains(words), "{message}");
    }
}
