//! The short way of most requests: HTTP/1.1, there as a whole, and with nothing in their headers that is for the router.
//!
//! Pingora's proxying keeps every header in maps, copies and edits them, and has both directions at work at once, with a
//! channel each way. Where the body is there with the header, or there is none, none of that is needed: the request goes out,
//! the answer comes back, and its body is passed on as it arrives. That is a sixth of the computing for a request.
//! Whatever is out of the ordinary, be it wrong or only rare, goes to pingora as it came.

mod answer;
mod asked;
mod body;
mod exchange;
mod line;
mod wait;

use super::cut::unless_cut;
use super::proxy::Proxy;
use crate::run::Waiting;
use asked::{Asked, Client};
use bytes::BytesMut;
use exchange::{Exchange, Room};
use line::Line;
use pingora_core::apps::HttpServerApp;
use pingora_core::protocols::Stream;
use pingora_core::protocols::http::ServerSession;
use pingora_core::server::ShutdownWatch;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;
use wait::Deadline;

/// A client that waits longer than this with its next request is let go.
const IDLE: Duration = Duration::from_secs(60);
/// Room for a request, in bytes. One that is longer, or comes in pieces, goes the long way.
const REQUEST: usize = 4 << 10;
/// A client that does not answer the goodbye is left without.
const GOODBYE: Duration = Duration::from_secs(2);
/// Rooms that are kept, for one listener and worker.
const ROOMS: usize = 256;

/// The short way of a listener's requests.
pub(super) struct Direct {
    proxy: Proxy,
    /// Only requests under way need one, and the one that was used last is at hand.
    rooms: Mutex<Vec<Room>>,
}

impl Direct {
    pub(super) fn new(proxy: Proxy) -> Self {
        Self { proxy, rooms: Mutex::default() }
    }

    /// Serves a connection of HTTP/1.1 to its end; `long` serves the requests that are not for this way.
    pub(super) async fn serve<A: HttpServerApp>(&self, stream: Stream, client: SocketAddr, long: &Arc<A>) {
        let who = Client { by: client.ip().to_string(), tls: self.proxy.tls };
        let mut line = Line { stream, ahead: Vec::new(), deadline: Deadline::new(Instant::now() + IDLE), last: false };
        let (mut said, mut idle_over) = (Vec::new(), Waiting::new(&self.proxy.idle_over));
        loop {
            said.clear();
            if !line.ahead.is_empty() {
                std::mem::swap(&mut said, &mut line.ahead);
            } else if !next(&mut line, &mut said, &mut idle_over).await {
                break;
            }
            let mut room = self.room();
            if let Some(asked) = Asked::read(&said, &who, &mut room.asked) {
                line.ahead.extend_from_slice(said.get(asked.length..).unwrap_or_default());
                let exchange = Exchange::new(&self.proxy, &asked, client, &mut line, &mut room);
                if unless_cut(exchange.run()).await.is_none() {
                    return;
                }
                self.keep(room);
                if line.last {
                    // The client may be gone already.
                    let _ = tokio::time::timeout(GOODBYE, line.end()).await;
                    return;
                }
            } else {
                self.keep(room);
                let mut session = ServerSession::new_http1(line.stream);
                session.set_keepalive((!self.proxy.ends()).then_some(IDLE.as_secs()));
                session.set_pipelined_prefix(BytesMut::from(said.as_slice()));
                let Some(stays) = long.process_new_http(session, self.ending()).await else { return };
                line.stream = stays.consume().0;
            }
        }
        // The client may have been first.
        let _ = tokio::time::timeout(GOODBYE, line.stream.shutdown()).await;
    }

    pub(super) fn ending(&self) -> &ShutdownWatch {
        &self.proxy.ending
    }

    fn room(&self) -> Room {
        let mut room = self.rooms().pop().unwrap_or_default();
        room.asked.clear();
        room
    }

    fn keep(&self, room: Room) {
        let mut rooms = self.rooms();
        if room.is_small() && rooms.len() < ROOMS {
            rooms.push(room);
        }
    }

    fn rooms(&self) -> MutexGuard<'_, Vec<Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the next request; false: there will be none.
async fn next(line: &mut Line, said: &mut Vec<u8>, idle_over: &mut Waiting) -> bool {
    // A client that had much to say does not keep the room for it.
    for bytes in [&mut *said, &mut line.ahead] {
        bytes.shrink_to(REQUEST);
    }
    said.reserve(REQUEST);
    line.deadline.set(Some(Instant::now() + IDLE));
    poll_fn(|context| {
        if let Poll::Ready(read) = pin!(line.stream.read_buf(said)).poll(context) {
            return Poll::Ready(read.is_ok_and(|number| number > 0));
        }
        if idle_over.poll(context).is_ready() {
            return Poll::Ready(false);
        }
        line.deadline.poll(context).map(|()| false)
    })
    .await
}
