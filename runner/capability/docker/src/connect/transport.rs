//! The connection to the daemon: a pool of kept-open connections over a socket, TCP or TLS.
//!
//! bollard's own transports open a new connection for every request and take whichever crypto
//! provider the process happens to have, so it is given this one.

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bollard::BollardRequest;
use bytes::Bytes;
use futures_util::Stream;
use http_body_util::{Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::http::uri::PathAndQuery;
use hyper::{Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use windlass_gate::CallError;

use super::{Address, tls};

/// The body of a request; the same type as bollard's.
pub(crate) type Body =
    Either<Full<Bytes>, StreamBody<Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, io::Error>> + Send>>>>;

/// A body that is sent as it comes.
pub(crate) fn stream_body(stream: impl Stream<Item = Result<Bytes, io::Error>> + Send + 'static) -> Body {
    use futures_util::TryStreamExt as _;
    Either::Right(StreamBody::new(Box::pin(stream.map_ok(Frame::data))))
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Incoming>, bollard::errors::Error>> + Send>>;

/// Sends requests to the daemon. Clones share the pool.
#[derive(Clone)]
pub(super) struct Transport {
    client: Client<Connector, Body>,
    connector: Connector,
    /// The API version that every path begins with, once it is agreed on.
    version: Arc<OnceLock<String>>,
}

impl Transport {
    pub(super) fn new(address: &Address) -> Result<Self, CallError> {
        let connector = match address {
            Address::Unix(path) => Connector::Unix(path.clone()),
            Address::Tcp { host, port } => Connector::Tcp(host.clone(), *port),
            Address::Tls { host, port, certificates } => {
                Connector::Tls(host.clone(), *port, TlsConnector::from(tls::client(certificates)?))
            }
        };
        let client = Client::builder(TokioExecutor::new()).build(connector.clone());
        Ok(Self { client, connector, version: Arc::default() })
    }

    /// From now on requests are for this version of the API.
    pub(super) fn speak(&self, version: String) {
        // Only set once, by the handshake.
        let _ = self.version.set(version);
    }

    /// Sends a request whose path has no version.
    pub(super) async fn send(&self, mut request: BollardRequest) -> io::Result<Response<Incoming>> {
        if let Some(version) = self.version.get() {
            let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
            let mut parts = request.uri().clone().into_parts();
            parts.path_and_query = Some(format!("/v{version}{path}").parse().map_err(io::Error::other)?);
            *request.uri_mut() = Uri::from_parts(parts).map_err(io::Error::other)?;
        }
        self.client.request(request).await.map_err(into_io)
    }

    /// Sends a request on a connection of its own.
    pub(super) async fn send_anew(&self, request: BollardRequest) -> io::Result<Response<Incoming>> {
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(self.connector.clone());
        client.request(request).await.map_err(into_io)
    }

    /// What bollard sends through.
    pub(super) fn bollard(&self) -> impl Fn(BollardRequest) -> Answer + Send + Sync + use<> {
        let transport = self.clone();
        move |request| {
            let transport = transport.clone();
            Box::pin(async move { Ok(transport.send(request).await?) }) as Answer
        }
    }
}

/// The innermost I/O error, which is the one that says what happened.
fn into_io(error: hyper_util::client::legacy::Error) -> io::Error {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(inner) = cause.downcast_ref::<io::Error>() {
            return io::Error::new(inner.kind(), inner.to_string());
        }
        if cause.source().is_none() {
            return io::Error::other(cause.to_string());
        }
        source = cause.source();
    }
    io::Error::other(error.to_string())
}

#[derive(Clone)]
pub(super) enum Connector {
    Unix(PathBuf),
    Tcp(String, u16),
    Tls(String, u16, TlsConnector),
}

pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Connection for Box<dyn Duplex> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn Duplex>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let stream: Box<dyn Duplex> = match connector {
                Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
                Self::Tcp(host, port) => Box::new(tcp(&host, port).await?),
                Self::Tls(host, port, tls) => {
                    let name = ServerName::try_from(unbracketed(&host).to_owned()).map_err(io::Error::other)?;
                    Box::new(tls.connect(name, tcp(&host, port).await?).await?)
                }
            };
            Ok(TokioIo::new(stream))
        })
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((unbracketed(host), port)).await?;
    // Requests are small, and each waits for its answer.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// URLs write IPv6 hosts in brackets, resolvers do not know them.
fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("version", &self.version.get()).finish_non_exhaustive()
    }
}
