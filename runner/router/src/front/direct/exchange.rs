//! One request of the short way: out to a service, and the answer back.

use super::answer::{Answer, Malformed};
use super::asked::Asked;
use super::line::Line;
use crate::front::answer::plain;
use crate::front::proxy::{Outcome, Proxy, Request};
use crate::stats::End;
use pingora_core::protocols::http::date::get_cached_date;
use std::borrow::Cow;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Read from a service at a time, in bytes: at first, and from one that has much to say.
const PIECE: usize = 8 << 10;
const LARGE: usize = 64 << 10;
/// A client that is too far ahead is not heard to leave; so it is not waited with for longer than this.
const DEAF: Duration = Duration::from_secs(60);

/// Room for a request's texts, which others use again.
#[derive(Default)]
pub(super) struct Room {
    /// To the service.
    pub(super) asked: Vec<u8>,
    /// From the service.
    said: Vec<u8>,
    /// To the client.
    told: Vec<u8>,
    /// The service has filled the room for what it says.
    much: bool,
}

impl Room {
    /// It is worth keeping.
    pub(super) fn is_small(&self) -> bool {
        self.asked.capacity() + self.said.capacity() + self.told.capacity() <= 4 * PIECE
    }
}

/// Why there is no whole answer.
enum Failed {
    /// No endpoint can be reached; what to tell the client.
    Unreachable(u16, String),
    /// A connection that had been used before was closed before a word of the answer.
    Closed,
    Broken(Malformed),
    Late,
    /// The client has gone.
    Left,
}

impl Failed {
    /// To the client, if it is there.
    fn says(&self) -> Option<(u16, Cow<'_, str>)> {
        match self {
            Self::Unreachable(status, text) => Some((*status, text.into())),
            Self::Closed => Some((502, "the service broke the connection off".into())),
            Self::Broken(why) => Some((502, format!("the service's answer cannot be passed on: {why}").into())),
            Self::Late => Some((504, "the service took too long to answer".into())),
            Self::Left => None,
        }
    }

    /// In the access log.
    fn name(&self) -> &'static str {
        match self {
            Self::Unreachable(..) => "ConnectError",
            Self::Closed | Self::Left => "ConnectionClosed",
            Self::Broken(why) => why,
            Self::Late => "ReadTimedout",
        }
    }
}

/// A request under way.
pub(super) struct Exchange<'a> {
    proxy: &'a Proxy,
    asked: &'a Asked<'a>,
    client: SocketAddr,
    line: &'a mut Line,
    room: &'a mut Room,
    /// The status that the client has seen; 0: none, as yet.
    status: u16,
    /// Bytes of the answer's body.
    sent: u64,
}

impl<'a> Exchange<'a> {
    /// The request is in the room as it goes out.
    pub(super) fn new(
        proxy: &'a Proxy,
        asked: &'a Asked<'a>,
        client: SocketAddr,
        line: &'a mut Line,
        room: &'a mut Room,
    ) -> Self {
        line.last = asked.last;
        Self { proxy, asked, client, line, room, status: 0, sent: 0 }
    }

    /// To its end, whatever it is.
    pub(super) async fn run(mut self) {
        let mut request = Request::new();
        let failed = match self.line.unless_left(self.proxy.find(self.asked, &mut request)).await {
            Some(Ok(())) => self.serve(&mut request).await.err(),
            Some(Err((status, text))) => self.tell(status, &text).await.err(),
            None => Some(Failed::Left),
        };
        if let Some(failed) = &failed {
            self.line.last = true;
            if let Some((status, text)) = failed.says().filter(|_| self.status == 0) {
                // The client may be gone; then there is nobody to tell.
                let _ = self.tell(status, &text).await;
            }
        }
        let end = match failed {
            None => End::Answered(self.status),
            Some(Failed::Left) => End::Aborted,
            Some(_) => End::Broken,
        };
        let outcome = Outcome {
            client: Some(self.client),
            method: self.asked.method,
            status: self.status,
            sent: self.sent,
            end,
            error: failed.as_ref().map(Failed::name),
        };
        self.proxy.ended(self.asked, &mut request, outcome);
    }

    async fn serve(&mut self, request: &mut Request) -> Result<(), Failed> {
        let kept =
            request.flight.as_ref().and_then(|flight| self.proxy.idle.take(flight.endpoint.address, self.asked.once));
        if let Some(stream) = kept {
            match self.ask(stream, request).await {
                // It may have been closed just as the request went out.
                Err(Failed::Closed) if !self.asked.once => {}
                asked => return asked,
            }
        }
        let reached = self.line.unless_left(self.proxy.reach(request)).await.ok_or(Failed::Left)?;
        let (stream, _) = reached.map_err(|(status, text)| Failed::Unreachable(status, text))?;
        self.ask(stream, request).await
    }

    /// Sends the request, and passes the answer on.
    async fn ask(&mut self, mut service: TcpStream, request: &mut Request) -> Result<(), Failed> {
        let Some((address, patience)) =
            request.flight.as_ref().map(|f| (f.endpoint.address, f.endpoint.read_timeout()))
        else {
            return Err(Failed::Broken("no endpoint was chosen"));
        };
        service.write_all(&self.room.asked).await.map_err(|_| Failed::Closed)?;
        self.room.said.clear();
        self.room.told.clear();
        self.room.much = false;
        let mut heard = false;
        let mut answer = loop {
            if let Some(answer) = Answer::read(&self.room.said, &mut self.room.told).map_err(Failed::Broken)? {
                self.room.said.drain(..answer.length);
                match answer.status {
                    101 => return Err(Failed::Broken("a 101 that nobody asked for")),
                    _ if !answer.is_informational() => break answer,
                    _ => {
                        self.room.told.extend_from_slice(b"\r\n");
                        self.send().await?;
                        continue;
                    }
                }
            }
            match self.more(&mut service, patience).await {
                Ok(0) | Err(Failed::Broken(_)) if !heard => return Err(Failed::Closed),
                Ok(0) => return Err(Failed::Broken("it broke off in its header")),
                more => more?,
            };
            heard = true;
        };
        request.answered();
        self.head(&answer, request);
        while !answer.framing.is_over() {
            let (used, passed) = answer.framing.pass(&self.room.said, &mut self.room.told).map_err(Failed::Broken)?;
            self.room.said.drain(..used);
            self.sent += passed;
            if answer.framing.is_over() {
                break;
            }
            self.status = answer.status;
            self.send().await?;
            let ended = self.more(&mut service, patience).await? == 0;
            if ended && !answer.framing.end(&mut self.room.told) {
                return Err(Failed::Broken("it broke off"));
            }
        }
        self.status = answer.status;
        self.send().await?;
        if answer.stays && self.room.said.is_empty() {
            self.proxy.idle.put(address, service);
        }
        Ok(())
    }

    /// The end of the answer's header: what the router says to it.
    fn head(&mut self, answer: &Answer, request: &Request) {
        self.line.last |= self.proxy.ends();
        let told = &mut self.room.told;
        if let Some(cookie) = self.proxy.cookie(request) {
            told.extend_from_slice(b"Set-Cookie: ");
            told.extend_from_slice(cookie.as_bytes());
            told.extend_from_slice(b"\r\n");
        }
        if !answer.dated {
            told.extend_from_slice(b"Date: ");
            told.extend_from_slice(get_cached_date().as_bytes());
            told.extend_from_slice(b"\r\n");
        }
        told.extend_from_slice(if self.line.last { b"Connection: close\r\n\r\n" } else { b"\r\n" });
    }

    /// Tells the client what the router itself has to say.
    async fn tell(&mut self, status: u16, text: &str) -> Result<(), Failed> {
        self.line.last |= self.proxy.ends();
        self.room.told.clear();
        self.sent = plain(status, text, self.line.last, &mut self.room.told);
        self.status = status;
        self.send().await
    }

    /// Sends the client what there is for it.
    async fn send(&mut self) -> Result<(), Failed> {
        if !self.room.told.is_empty() {
            self.line.stream.write_all(&self.room.told).await.map_err(|_| Failed::Left)?;
            self.line.stream.flush().await.map_err(|_| Failed::Left)?;
            self.room.told.clear();
        }
        Ok(())
    }

    /// Waits for more from the service, unless the client goes first.
    async fn more(&mut self, service: &mut TcpStream, patience: Option<Duration>) -> Result<usize, Failed> {
        self.line.deadline.set(patience.map(|patience| Instant::now() + patience));
        let (Room { said, much, .. }, line) = (&mut *self.room, &mut *self.line);
        said.reserve(if *much { LARGE } else { PIECE });
        poll_fn(|context| {
            if let Poll::Ready(read) = pin!(service.read_buf(said)).poll(context) {
                *much = said.len() == said.capacity();
                return Poll::Ready(read.map_err(|_| Failed::Broken("the connection broke")));
            }
            if line.poll_left(context).is_ready() {
                return Poll::Ready(Err(Failed::Left));
            }
            if patience.is_none() && line.is_full() && !line.deadline.is_set() {
                line.deadline.set(Some(Instant::now() + DEAF));
            }
            line.deadline.poll(context).map(|()| Err(if patience.is_some() { Failed::Late } else { Failed::Left }))
        })
        .await
    }
}
