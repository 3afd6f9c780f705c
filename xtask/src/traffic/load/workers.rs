//! What each client does until the load ends.

use super::Run;
use super::client::{Ask, Conn, Reply};
use super::record::{Kind, Reason, Record};
use super::websocket::{Event, Socket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The sizes of bodies, in turn.
const BODIES: [usize; 5] = [0, 1_000, 64 << 10, 10, 1 << 20];
/// The pause between two bodies, and between two messages of a WebSocket.
const REST: Duration = Duration::from_millis(100);
/// A message that takes longer has failed.
const ECHO: Duration = Duration::from_secs(15);

/// The records of one client.
struct Book<'a> {
    run: &'a Run,
    records: Vec<Record>,
    /// The name that was seen last: most records have the same.
    last: Option<Arc<str>>,
}

impl<'a> Book<'a> {
    fn new(run: &'a Run) -> Self {
        Self { run, records: Vec::new(), last: None }
    }

    fn name(&mut self, name: Option<&str>) -> Option<Arc<str>> {
        let name = name?;
        if self.last.as_deref() != Some(name) {
            self.last = Some(Arc::from(name));
        }
        self.last.clone()
    }

    fn note(&mut self, kind: Kind, sent: Duration, revision: Option<Arc<str>>, failed: Option<Reason>) {
        self.run.sent.fetch_add(1, Ordering::Relaxed);
        self.records.push(Record { sent, over: self.run.began.elapsed(), kind, revision, failed });
    }

    /// Sleeps, but not beyond the end.
    fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        while self.run.goes_on() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}

/// Plain requests of this kind.
pub(super) fn requests(run: &Run, kind: Kind, at: usize, host: &'static str) -> Vec<Record> {
    let mut book = Book::new(run);
    let mut conn = Conn::new(run.address, host);
    // Each body with the answer to it, made once: they are what costs most here.
    let content = if kind == Kind::Post { vec![b'x'; 1 << 20] } else { Vec::new() };
    let bodies = BODIES.map(|size| content.get(..size).unwrap_or_default());
    let answers = bodies.map(|body| format!("{} {:016x}\n", body.len(), hash(body)));
    // They do not all do the same at the same time.
    for turn in at.. {
        if !run.goes_on() {
            break;
        }
        let (body, echoed) = (bodies[turn % BODIES.len()], &answers[turn % BODIES.len()]);
        let ask = match kind {
            Kind::Post => Ask {
                method: "POST",
                path: "/echo",
                body,
                chunked: turn.is_multiple_of(2),
                last: turn.is_multiple_of(7),
            },
            Kind::Slow => Ask { method: "GET", path: "/slow", body, chunked: false, last: turn.is_multiple_of(3) },
            _ => Ask { method: "GET", path: "/", body, chunked: false, last: kind == Kind::New },
        };
        let sent = run.began.elapsed();
        let (revision, failed) = match conn.send(&ask) {
            Ok(reply) => (book.name(reply.revision.as_deref()), judge(&reply, (kind == Kind::Post).then_some(echoed))),
            Err(reason) => (None, Some(reason)),
        };
        book.note(kind, sent, revision, failed);
        book.rest(if kind == Kind::Post { REST } else { run.pause });
    }
    book.records
}

/// Is it the answer to this request? All but echoes answer with the revision's name.
fn judge(reply: &Reply, echoed: Option<&String>) -> Option<Reason> {
    if reply.status != 200 {
        return Some(Reason::Status(reply.status));
    }
    let own = format!("{}\n", reply.revision.as_deref().unwrap_or_default());
    (reply.body != echoed.unwrap_or(&own).as_bytes()).then_some(Reason::WrongBody)
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A WebSocket that is held, and opened again when it was closed cleanly, or was not.
pub(super) fn socket(run: &Run, host: &str) -> Vec<Record> {
    let mut book = Book::new(run);
    while run.goes_on() {
        let sent = run.began.elapsed();
        match Socket::open(run.address, host) {
            Ok(socket) => {
                let revision = socket.revision.clone();
                book.note(Kind::Socket, sent, revision.clone(), None);
                if let Err(reason) = hold(run, &mut book, socket) {
                    let now = run.began.elapsed();
                    book.note(Kind::Socket, now, revision, Some(reason));
                }
            }
            Err((revision, reason)) => {
                book.note(Kind::Socket, sent, revision, Some(reason));
                book.rest(REST);
            }
        }
    }
    book.records
}

/// Sends messages until either side ends it.
fn hold(run: &Run, book: &mut Book<'_>, mut socket: Socket) -> Result<(), Reason> {
    for number in 0u64.. {
        if !run.goes_on() {
            return socket.close();
        }
        let sent = run.began.elapsed();
        let text = format!("message {number}");
        if let Err(reason) = socket.say(&text) {
            // A goodbye may have come before that, and not have been read.
            return if socket.next(REST) == Ok(Event::Closed) { Ok(()) } else { Err(reason) };
        }
        match socket.next(ECHO)? {
            Event::Echo(payload) => {
                let failed = (payload != text.as_bytes()).then_some(Reason::WrongBody);
                book.note(Kind::Message, sent, socket.revision.clone(), failed);
            }
            // It crossed with the goodbye: not an answer, and not a failure either.
            Event::Closed => return Ok(()),
            Event::Nothing => return Err(Reason::TimedOut),
        }
        // Pings and a goodbye come while nothing is sent, too.
        let until = Instant::now() + REST;
        while Instant::now() < until && run.goes_on() {
            match socket.next(Duration::from_millis(10))? {
                Event::Closed => return Ok(()),
                Event::Echo(_) => return Err(Reason::WrongBody),
                Event::Nothing => {}
            }
        }
    }
    Ok(())
}
