//! What a router does all day, for a build that counts it: kept and new connections, bodies both ways, HTTP/2 with TLS.

use super::compare::load;
use super::{Router, free, runtime, servers};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const HOST: &str = "shop.example";
/// What is sent by a POST, in bytes.
const BODY: usize = 16 << 10;

pub(super) fn practise(program: &Path, time: Duration) {
    let folder = tempfile::TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
    let [chain, key] = ["chain.pem", "key.pem"].map(|name| folder.path().join(name));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (servers, _own) = servers();
    let [plain, secure] = free();
    let listen = [
        format!("--listen={plain}"),
        format!("--listen-tls={secure}"),
        format!("--certificate={}", chain.display()),
        format!("--key={}", key.display()),
    ];
    let _router = Router::start(program, &listen, servers);
    runtime().block_on(async {
        // Most of what a router does are requests on kept connections.
        let kept = load(plain, time / 2).await;
        println!("practised: {:.0} requests a second on kept connections", kept.rate());
        let until = Instant::now() + time / 2;
        let connector = connector(&chain);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            tasks.spawn(new_connections(plain, until));
            tasks.spawn(bodies(plain, until));
            tasks.spawn(http_2(secure, connector.clone(), until));
        }
        for done in tasks.join_all().await {
            assert!(done > 0, "a kind of request was not practised");
        }
    });
}

fn request(body: Option<usize>) -> http::Request<Full<Bytes>> {
    let (method, body) = body.map_or(("GET", Bytes::new()), |bytes| ("POST", vec![b'.'; bytes].into()));
    let uri = format!("https://{HOST}/");
    http::Request::builder().method(method).uri(uri).header("accept", "*/*").body(Full::new(body)).unwrap()
}

/// As HTTP/1.1 wants it: the host in a header.
fn request_1(body: Option<usize>) -> http::Request<Full<Bytes>> {
    let mut request = request(body);
    *request.uri_mut() = "/".parse().unwrap();
    request.headers_mut().insert("host", HOST.parse().unwrap());
    request
}

async fn whole(answer: http::Response<hyper::body::Incoming>) {
    assert_eq!(answer.status(), 200);
    answer.into_body().collect().await.unwrap();
}

async fn http_1(address: SocketAddr) -> http1::SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn new_connections(address: SocketAddr, until: Instant) -> usize {
    let mut done = 0;
    while Instant::now() < until {
        whole(http_1(address).await.send_request(request_1(None)).await.unwrap()).await;
        done += 1;
    }
    done
}

async fn bodies(address: SocketAddr, until: Instant) -> usize {
    let (mut done, mut sender) = (0, http_1(address).await);
    while Instant::now() < until {
        sender.ready().await.unwrap();
        whole(sender.send_request(request_1(Some(BODY))).await.unwrap()).await;
        done += 1;
    }
    done
}

async fn http_2(address: SocketAddr, connector: TlsConnector, until: Instant) -> usize {
    let mut done = 0;
    while Instant::now() < until {
        let stream = TcpStream::connect(address).await.unwrap();
        let stream = connector.connect(ServerName::try_from(HOST).unwrap(), stream).await.unwrap();
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        for round in 0..100 {
            sender.ready().await.unwrap();
            whole(sender.send_request(request((round % 10 == 0).then_some(BODY))).await.unwrap()).await;
            done += 1;
        }
    }
    done
}

fn connector(chain: &Path) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(chain).unwrap()).unwrap();
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsConnector::from(Arc::new(config))
}
