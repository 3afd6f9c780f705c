//! A server behind the router. What it does is in the path: `/slow/250`, `/status/500`, `/big/64`,
//! `/count` (the body's bytes), `/sse`, `/ws`, `/break`; anything else is answered with its name.

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

type Body = BoxBody<Bytes, Infallible>;

pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    pub(crate) name: String,
    pub(crate) seen: Arc<AtomicU64>,
    pub(crate) posts: Arc<AtomicU64>,
    pub(crate) well: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Backend {
    pub(crate) async fn new(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(name, listener)
    }

    pub(crate) fn on(name: &str, listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let (seen, posts, well) = (Arc::default(), Arc::default(), Arc::new(AtomicBool::new(true)));
        let me =
            Me { name: name.to_owned(), seen: Arc::clone(&seen), posts: Arc::clone(&posts), well: Arc::clone(&well) };
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let me = me.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(request, me.clone()));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
                });
            }
        });
        Self { address, name: name.to_owned(), seen, posts, well, task }
    }

    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::SeqCst)
    }

    pub(crate) fn posts(&self) -> u64 {
        self.posts.load(Ordering::SeqCst)
    }

    /// Its port refuses connections from now on.
    pub(crate) async fn stop(mut self) -> SocketAddr {
        self.task.abort();
        let _ = (&mut self.task).await;
        self.address
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Me {
    name: String,
    seen: Arc<AtomicU64>,
    posts: Arc<AtomicU64>,
    well: Arc<AtomicBool>,
}

async fn answer(mut request: Request<Incoming>, me: Me) -> Result<Response<Body>, std::io::Error> {
    let path = request.uri().path().to_owned();
    let mut parts = path.split('/').skip(1);
    let (what, number) = (parts.next().unwrap_or(""), parts.next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0));
    if what == "health" {
        let status = if me.well.load(Ordering::SeqCst) { 204 } else { 500 };
        return Ok(Response::builder().status(status).body(text("")).unwrap());
    }
    me.seen.fetch_add(1, Ordering::SeqCst);
    if request.method() == http::Method::POST {
        me.posts.fetch_add(1, Ordering::SeqCst);
    }
    Ok(match what {
        "slow" => {
            tokio::time::sleep(Duration::from_millis(number)).await;
            Response::new(text(&me.name))
        }
        "status" => Response::builder().status(u16::try_from(number).unwrap()).body(text(&me.name)).unwrap(),
        "break" => return Err(std::io::Error::other("as asked")),
        "count" => {
            let mut sum = 0;
            while let Some(frame) = request.body_mut().frame().await {
                sum += frame.map_err(std::io::Error::other)?.data_ref().map_or(0, Bytes::len);
            }
            Response::new(text(&sum.to_string()))
        }
        "big" => {
            let chunk = Bytes::from(vec![b'x'; 1 << 20]);
            let chunks = stream::iter((0..number).map(move |_| Ok(Frame::data(chunk.clone()))));
            Response::new(StreamBody::new(chunks).boxed())
        }
        "sse" => {
            let events = stream::unfold(0, |n| async move {
                if n == 5 {
                    return None;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                Some((Ok(Frame::data(Bytes::from(format!("data: {n}\n\n")))), n + 1))
            });
            let body = BodyExt::boxed(StreamBody::new(SyncStream(Box::pin(events))));
            Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
        }
        "ws" => {
            tokio::spawn(async move {
                let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
                let mut stream = TokioIo::new(upgraded);
                let mut bytes = [0; 1024];
                while let Ok(n) = stream.read(&mut bytes).await {
                    if n == 0 || stream.write_all(&bytes[..n]).await.is_err() {
                        return;
                    }
                }
            });
            let switch = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
            // To the key that the clients of these tests send; HAProxy looks at it.
            let switch = switch.header("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
            switch.header("connection", "upgrade").header("upgrade", "websocket").body(text("")).unwrap()
        }
        "headers" => {
            let lines: Vec<String> =
                request.headers().iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap_or("?"))).collect();
            Response::new(text(&lines.join("\n")))
        }
        _ => Response::new(text(&me.name)),
    })
}

fn text(text: &str) -> Body {
    Full::from(text.to_owned()).boxed()
}

/// A boxed body must be `Sync`; this one is only ever polled by its owner.
struct SyncStream(std::pin::Pin<Box<dyn futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + Sync>>);

impl futures_util::Stream for SyncStream {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}
