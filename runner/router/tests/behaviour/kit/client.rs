//! Clients: connections that are kept, and crowds of them.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A connection that is kept, and made again when the server has said that it closes.
pub(crate) struct Conn {
    address: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Conn {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, sender: None }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Reply, String> {
        self.send(Method::GET, path, &[], "").await
    }

    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Reply, String> {
        let mut kept = self.sender.take();
        if let Some(sender) = &mut kept
            && sender.ready().await.is_err()
        {
            kept = None;
        }
        let mut sender = match kept {
            Some(sender) => sender,
            None => {
                let stream = TcpStream::connect(self.address).await.map_err(|why| format!("connect: {why}"))?;
                let _ = stream.set_nodelay(true);
                let (sender, connection) =
                    http1::handshake(TokioIo::new(stream)).await.map_err(|why| format!("handshake: {why}"))?;
                tokio::spawn(connection);
                sender
            }
        };
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "test");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_owned())).map_err(|why| why.to_string())?;
        let response = sender.send_request(request).await.map_err(|why| format!("send: {why:?}"))?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|why| format!("body: {why:?}"))?.to_bytes();
        self.sender = Some(sender);
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Reply { status: parts.status, headers: parts.headers, body })
    }
}

/// One request on a connection of its own.
pub(crate) async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Reply {
    Conn::new(address).send(Method::GET, path, headers, "").await.unwrap()
}

/// `connections` at once send `requests` together; how often each body came.
pub(crate) async fn split(address: SocketAddr, connections: usize, requests: u64) -> BTreeMap<String, u64> {
    let left = Arc::new(AtomicU64::new(requests));
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let left = Arc::clone(&left);
        tasks.push(tokio::spawn(async move {
            let mut conn = Conn::new(address);
            let mut got = BTreeMap::new();
            while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
                let reply = conn.get("/").await.unwrap();
                assert!(reply.status.is_success(), "{reply:?}");
                *got.entry(reply.body).or_insert(0) += 1;
            }
            got
        }));
    }
    let mut all = BTreeMap::new();
    for task in tasks {
        for (name, count) in task.await.unwrap() {
            *all.entry(name).or_insert(0) += count;
        }
    }
    all
}

/// How often each body came, and what failed.
type Seen = (BTreeMap<String, u64>, Vec<String>);

/// Load that goes on until it is stopped.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Seen>>,
}

impl Load {
    /// Some connections are kept, the others are new for each request; every fifth request is a POST.
    pub(crate) fn begin(address: SocketAddr, kept: usize, new: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let tasks = (0..kept + new).map(|at| {
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                let (mut got, mut failed) = (BTreeMap::new(), Vec::new());
                let mut conn = Conn::new(address);
                let mut turn = at;
                while !stop.load(Ordering::Relaxed) {
                    turn += 1;
                    let method = if turn.is_multiple_of(5) { Method::POST } else { Method::GET };
                    let body = if method == Method::POST { "some=body" } else { "" };
                    match conn.send(method, "/", &[], body).await {
                        Ok(reply) if reply.status.is_success() => *got.entry(reply.body).or_insert(0) += 1,
                        Ok(reply) => failed.push(format!("{} {}", reply.status, reply.body)),
                        Err(why) => failed.push(why),
                    }
                    if at >= kept {
                        conn = Conn::new(address);
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
                (got, failed)
            })
        });
        Self { tasks: tasks.collect(), stop }
    }

    /// How often each body came, and what failed.
    pub(crate) async fn end(self) -> Seen {
        self.stop.store(true, Ordering::SeqCst);
        let (mut all, mut failures) = (BTreeMap::new(), Vec::new());
        for task in self.tasks {
            let (got, failed) = task.await.unwrap();
            got.into_iter().for_each(|(name, n)| *all.entry(name).or_insert(0) += n);
            failures.extend(failed);
        }
        (all, failures)
    }
}

/// A WebSocket, as far as a router can tell.
pub(crate) async fn websocket(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let ask = b"GET /ws HTTP/1.1\r\nhost: test\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(ask).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream
}

pub(crate) async fn echoes(stream: &mut TcpStream) -> bool {
    let mut back = [0; 5];
    stream.write_all(b"hello").await.is_ok() && stream.read_exact(&mut back).await.is_ok() && back == *b"hello"
}
