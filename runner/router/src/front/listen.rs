//! Listeners and their connections.
//!
//! A listening socket can outlive this process: it is handed to the next router, and both have the
//! same queue of connections. So no client is refused while one takes over from the other.

use super::connection::Connection;
use super::cut::{one_by_one, unless_cut};
use super::direct::Direct;
use super::idle::Idle;
use super::log::AccessLog;
use super::proxy::Proxy;
use super::tls;
use super::tunnel;
use super::workers::Workers;
use crate::api::{Listener, Refusal};
use crate::run::{Cut, Traffic, Waiting};
use async_trait::async_trait;
use pingora_core::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream, ServerApp};
use pingora_core::listeners::tls::Acceptor;
use pingora_core::protocols::http::ServerSession;
use pingora_core::protocols::{ALPN, Stream};
use pingora_core::server::ShutdownWatch;
use pingora_core::server::configuration::ServerConf;
use pingora_proxy::{HttpProxy, http_proxy};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::net::{SocketAddr, TcpListener, TcpStream as StdStream};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4_096;
/// A client that says nothing during the handshake is not waited for longer.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// All listeners.
pub(crate) struct Front {
    traffic: Arc<Traffic>,
    log: Option<Arc<AccessLog>>,
    conf: Arc<ServerConf>,
    workers: Arc<Workers>,
    open: Mutex<BTreeMap<SocketAddr, Open>>,
    connections: TaskTracker,
    ending: watch::Sender<bool>,
    closing: CancellationToken,
    ended: Arc<Cut>,
}

struct Open {
    declared: Listener,
    socket: Arc<TcpListener>,
    accepting: CancellationToken,
    serving: Serving,
}

/// Who serves a listener's connections.
struct Serving {
    apps: Vec<Arc<App>>,
    /// Happens when connections that wait for a request have to end, those that are older than the apps too.
    idle_over: Arc<Cut>,
}

/// Listeners that are bound and whose files are read, before anything is changed.
pub(crate) struct Prepared(BTreeMap<SocketAddr, (Listener, Arc<TcpListener>, Option<Acceptor>)>);

struct App {
    direct: Direct,
    proxy: Arc<HttpProxy<Proxy>>,
    acceptor: Option<Arc<Acceptor>>,
    options: HttpServerOptions,
}

impl Front {
    pub(crate) fn new(traffic: Arc<Traffic>, log: Option<AccessLog>, workers: Workers) -> Self {
        let conf = ServerConf { upstream_keepalive_pool_size: 1_024, max_retries: 8, ..ServerConf::default() };
        Self {
            traffic,
            log: log.map(Arc::new),
            conf: Arc::new(conf),
            workers: Arc::new(workers),
            open: Mutex::default(),
            connections: TaskTracker::new(),
            ending: watch::Sender::new(false),
            closing: CancellationToken::new(),
            ended: Arc::default(),
        }
    }

    /// Binds what is new, and reads certificates. `inherited` are sockets of the router before this.
    pub(crate) fn prepare(
        &self,
        wanted: &BTreeMap<SocketAddr, Listener>,
        mut inherited: BTreeMap<SocketAddr, TcpListener>,
    ) -> Result<Prepared, Refusal> {
        let open = self.lock();
        let mut prepared = BTreeMap::new();
        for (address, listener) in wanted {
            let acceptor = listener.tls.as_ref().map(tls::acceptor).transpose();
            let acceptor = acceptor.map_err(|why| Refusal::Invalid { place: format!("listener {address}"), why })?;
            let socket = match (open.get(address), inherited.remove(address)) {
                (Some(open), _) => Ok(Arc::clone(&open.socket)),
                (None, Some(socket)) => adopt(socket).map(Arc::new),
                (None, None) => bind(*address).map(Arc::new),
            };
            let socket = socket.map_err(|why| Refusal::Listen { address: *address, why: why.to_string() })?;
            prepared.insert(*address, (listener.clone(), socket, acceptor));
        }
        Ok(Prepared(prepared))
    }

    /// Listens at these, and no others.
    pub(crate) fn commit(&self, prepared: Prepared) {
        let mut open = self.lock();
        for (_, gone) in open.extract_if(.., |address, _| !prepared.0.contains_key(address)) {
            let serving = gone.close();
            tokio::spawn(async move { serving.close_idle().await });
        }
        for (address, (declared, socket, acceptor)) in prepared.0 {
            // Certificates may have been renewed under the same names, so TLS is always made anew.
            if open.get(&address).is_some_and(|old| old.declared == declared && declared.tls.is_none()) {
                continue;
            }
            let acceptor = acceptor.map(Arc::new);
            // One for each worker, so that each has connections to endpoints of its own.
            let idle_over = open.get(&address).map(|old| Arc::clone(&old.serving.idle_over)).unwrap_or_default();
            let app = |_| Arc::new(self.app(address, acceptor.clone(), Arc::clone(&idle_over)));
            let apps: Vec<_> = (0..self.workers.len()).map(app).collect();
            let accepting = CancellationToken::new();
            let accept = Accept {
                socket: Arc::clone(&socket),
                apps: apps.clone(),
                workers: Arc::clone(&self.workers),
                accepting: accepting.clone(),
                connections: self.connections.clone(),
                ended: Arc::clone(&self.ended),
            };
            self.workers.next().1.spawn(accept.run());
            let serving = Serving { apps, idle_over };
            if let Some(old) = open.insert(address, Open { declared, socket, accepting, serving }) {
                old.accepting.cancel();
            }
        }
    }

    fn app(&self, listener: SocketAddr, acceptor: Option<Arc<Acceptor>>, idle_over: Arc<Cut>) -> App {
        let (traffic, log) = (Arc::clone(&self.traffic), self.log.clone());
        let (tls, ending, closing) = (acceptor.is_some(), self.ending.subscribe(), self.closing.clone());
        let proxy = Proxy { traffic, listener, tls, log, ending, idle_over, closing, idle: Idle::default() };
        let mut options = HttpServerOptions::default();
        options.h2_idle_timeout = Some(Duration::from_secs(180));
        App { direct: Direct::new(proxy.clone()), proxy: Arc::new(http_proxy(&self.conf, proxy)), acceptor, options }
    }

    /// The sockets, to hand them over.
    pub(crate) fn sockets(&self) -> Vec<(SocketAddr, Arc<TcpListener>)> {
        self.lock().iter().map(|(address, open)| (*address, Arc::clone(&open.socket))).collect()
    }

    /// From now on connections wait for whoever else has the sockets.
    pub(crate) fn accept_no_more(&self) {
        self.lock().values().for_each(|open| open.accepting.cancel());
    }

    /// Accepts no more, lets everything under way finish, and cuts it at the limit. Idle connections
    /// may send one more request, so that a client which sends one just now does not find a closed
    /// door; after `idle` they are closed.
    pub(crate) async fn drain(&self, limit: Duration, idle: Duration) {
        let serving: Vec<Serving> = std::mem::take(&mut *self.lock()).into_values().map(Open::close).collect();
        self.ending.send_replace(true);
        self.connections.close();
        let finish = async {
            if tokio::time::timeout(idle, self.connections.wait()).await.is_err() {
                for serving in &serving {
                    serving.close_idle().await;
                }
                self.connections.wait().await;
            }
        };
        if tokio::time::timeout(limit, finish).await.is_err() {
            self.closing.cancel();
            let goodbye = tunnel::GOODBYE + Duration::from_millis(100);
            // Whoever does not end by then is ended.
            let _ = tokio::time::timeout(goodbye, self.connections.wait()).await;
            self.ended.cut();
            self.connections.wait().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// From now on nobody can connect.
    fn close(self) -> Serving {
        self.accepting.cancel();
        self.serving
    }
}

impl Serving {
    /// Ends the connections that wait for a request.
    async fn close_idle(&self) {
        self.idle_over.cut();
        for app in &self.apps {
            app.proxy.http_cleanup().await;
        }
    }
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

fn adopt(socket: TcpListener) -> std::io::Result<TcpListener> {
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// One listening socket, and to whom its connections are given.
struct Accept {
    socket: Arc<TcpListener>,
    apps: Vec<Arc<App>>,
    workers: Arc<Workers>,
    accepting: CancellationToken,
    connections: TaskTracker,
    ended: Arc<Cut>,
}

impl Accept {
    async fn run(self) {
        // A file of its own: the task before this may still have the other one registered.
        let socket = match self.socket.try_clone().and_then(tokio::net::TcpListener::from_std) {
            Ok(socket) => socket,
            Err(why) => return tracing::error!("connections cannot be accepted any more: {why}"),
        };
        loop {
            let connection = tokio::select! {
                biased;
                () = self.accepting.cancelled() => return,
                connection = socket.accept() => connection,
            };
            match connection {
                Ok((stream, client)) => {
                    // It belongs to this thread until it is given away.
                    if let Ok(stream) = stream.into_std() {
                        self.give(stream, client);
                    }
                }
                Err(why) => {
                    // Out of file descriptors, most likely: others have to end first.
                    tracing::warn!("a connection could not be accepted: {why}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    /// Gives the connection to the worker whose turn it is.
    fn give(&self, stream: StdStream, client: SocketAddr) {
        let (at, worker) = self.workers.next();
        let Some(app) = self.apps.get(at).map(Arc::clone) else { return };
        let mut ended = Waiting::new(&self.ended);
        let connection = async move {
            // Out of room for it; the client sees a connection that ends.
            let Ok(stream) = TcpStream::from_std(stream) else { return };
            let mut serving = pin!(one_by_one(serve(stream, client, &app)));
            poll_fn(|context| match serving.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => ended.poll(context),
            })
            .await;
        };
        self.connections.spawn_on(connection, worker);
    }
}

async fn serve(stream: TcpStream, client: SocketAddr, app: &Arc<App>) {
    let stream = Connection::new(stream, client);
    let stream: Stream = match &app.acceptor {
        None => Box::new(stream),
        Some(acceptor) => match tokio::time::timeout(HANDSHAKE, acceptor.tls_handshake(stream)).await {
            Ok(Ok(stream)) => Box::new(stream),
            _ => return,
        },
    };
    if matches!(stream.selected_alpn_proto(), Some(ALPN::H2)) {
        app.process_new(stream, app.direct.ending()).await;
    } else {
        app.direct.serve(stream, client, app).await;
    }
}

#[async_trait]
impl HttpServerApp for App {
    async fn process_new_http(
        self: &Arc<Self>,
        session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        unless_cut(self.proxy.process_new_http(session, shutdown)).await.flatten()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        Some(&self.options)
    }
}
