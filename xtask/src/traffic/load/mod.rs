//! The load: many clients of several kinds at once, each of whose requests is recorded with what became of it.
//!
//! It is a part of xtask and made of threads and plain sockets, as the rest of xtask is: some thirty connections need
//! no runtime, a client that hides nothing (no retry, no pool) is what can count, and xtask stays quick to build.

mod client;
mod record;
mod websocket;
mod workers;

pub(super) use client::Conn;
pub(super) use record::Records;

use crate::failure::{Failure, Result};
use record::{Kind, Record};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A load ends by itself after this.
const LONGEST: Duration = Duration::from_secs(900);

/// How many clients of each kind there are. Each has one request under way at most, and pauses between two.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// They keep their connection.
    pub(super) kept: usize,
    /// They make a new one for each request.
    pub(super) new: usize,
    /// They ask for what takes a second.
    pub(super) slow: usize,
    /// They send bodies of up to 1 MiB, every other one in chunks.
    pub(super) posts: usize,
    /// They hold a WebSocket, and send a message now and then.
    pub(super) sockets: usize,
    /// The pause after a short request.
    pub(super) pause: Duration,
    /// The hosts that are asked for; the clients of each kind take turns.
    pub(super) hosts: &'static [&'static str],
    /// Requests that are sent before an act and after it has settled.
    pub(super) around: u64,
}

impl Shape {
    /// About 600 requests a second.
    pub(super) const USUAL: Self = Self {
        kept: 8,
        new: 4,
        slow: 6,
        posts: 4,
        sockets: 6,
        pause: Duration::from_millis(20),
        hosts: &["traffic.test"],
        around: 200,
    };

    /// Thirty requests a minute: one client, one request every two seconds.
    pub(super) const THIN: Self = Self {
        kept: 1,
        new: 0,
        slow: 0,
        posts: 0,
        sockets: 0,
        pause: Duration::from_secs(2),
        hosts: &["traffic.test"],
        around: 3,
    };

    fn connections(self) -> usize {
        self.kept + self.new + self.slow + self.posts + self.sockets
    }
}

/// What the clients share.
struct Run {
    address: SocketAddr,
    began: Instant,
    stop: AtomicBool,
    pause: Duration,
    sent: AtomicU64,
}

impl Run {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && self.began.elapsed() < LONGEST && crate::proc::interrupted().is_none()
    }
}

/// A load that goes on until it is ended, or dropped.
pub(super) struct Load {
    run: Arc<Run>,
    clients: Vec<JoinHandle<Vec<Record>>>,
}

impl Load {
    /// Begins. Only what is on this machine can be a target.
    pub(super) fn begin(address: SocketAddr, shape: Shape) -> Result<Self> {
        if !address.ip().is_loopback() || shape.connections() > 200 {
            return Err(Failure::new(format!(
                "no load of {} connections is sent to {address}: at most 200, and to this machine only",
                shape.connections()
            )));
        }
        let run = Run {
            address,
            began: Instant::now(),
            stop: AtomicBool::new(false),
            pause: shape.pause,
            sent: AtomicU64::new(0),
        };
        let run = Arc::new(run);
        let kinds = [
            (Kind::Kept, shape.kept),
            (Kind::New, shape.new),
            (Kind::Slow, shape.slow),
            (Kind::Post, shape.posts),
            (Kind::Socket, shape.sockets),
        ];
        let clients = kinds.into_iter().flat_map(|(kind, count)| (0..count).map(move |at| (kind, at)));
        let clients = clients.map(|(kind, at)| {
            let run = Arc::clone(&run);
            let host = shape.hosts.get(at % shape.hosts.len().max(1)).copied().unwrap_or_default();
            std::thread::spawn(move || match kind {
                Kind::Socket | Kind::Message => workers::socket(&run, host),
                kind => workers::requests(&run, kind, at, host),
            })
        });
        Ok(Self { clients: clients.collect(), run })
    }

    /// The time in which the records count.
    pub(super) fn now(&self) -> Duration {
        self.run.began.elapsed()
    }

    /// When it began.
    pub(super) fn began(&self) -> Instant {
        self.run.began
    }

    /// Waits until this many requests more have been answered, or failed.
    pub(super) fn pass(&self, requests: u64) -> Result<()> {
        let until = self.run.sent.load(Ordering::Relaxed) + requests;
        while self.run.sent.load(Ordering::Relaxed) < until {
            if !self.run.goes_on() {
                return Err(Failure::new("the load has ended before its time"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Ends it; what is under way is waited for.
    pub(super) fn end(mut self) -> Result<Records> {
        self.run.stop.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        for client in std::mem::take(&mut self.clients) {
            all.extend(client.join().map_err(|_| Failure::new("a client of the load failed"))?);
        }
        Ok(Records::new(all))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.run.stop.store(true, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::record::Reason;
    use super::*;
    use crate::failure::Doing as _;
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    /// Answers every request with the next of these in turn; with nothing it hangs up.
    fn server(answers: &'static [&'static str]) -> Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").doing(|| "listen".to_owned())?;
        let address = listener.local_addr().doing(|| "read an address".to_owned())?;
        std::thread::spawn(move || {
            let mut turn = 0;
            for stream in listener.incoming().flatten() {
                let Ok(mut writer) = stream.try_clone() else { continue };
                let mut lines = BufReader::new(stream).lines().map_while(std::io::Result::ok);
                // The load of these tests is one client, so there is one connection at a time.
                while lines.any(|line| line.is_empty()) {
                    let answer = answers[turn % answers.len()];
                    turn += 1;
                    if answer.is_empty() || writer.write_all(answer.as_bytes()).is_err() {
                        break;
                    }
                }
            }
        });
        Ok(address)
    }

    fn records(address: SocketAddr, requests: u64) -> Result<Records> {
        let shape = Shape {
            kept: 1,
            new: 0,
            slow: 0,
            posts: 0,
            sockets: 0,
            pause: Duration::from_millis(1),
            hosts: &["a"],
            around: 0,
        };
        let load = Load::begin(address, shape)?;
        load.pass(requests)?;
        load.end()
    }

    const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nx-revision: v1\r\n\r\nv1\n";

    #[test]
    fn each_failure_has_its_reason() -> Result<()> {
        let address = server(&[
            GOOD,
            "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nx-revision: v1\r\n\r\n",
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nx-revision: v1\r\n\r\nv2\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-revision: v1\r\n\r\n3\r\nv1\n\r\n0\r\n\r\n",
            "",
        ])?;
        let records = records(address, 12)?;
        let failed: Vec<_> = records.all().iter().take(6).map(|record| record.failed).collect();
        let expected = [Some(Reason::Status(500)), Some(Reason::Status(503)), Some(Reason::WrongBody)];
        assert_eq!(failed, [&[None], &expected[..], &[None, Some(Reason::Closed)]].concat());
        let first = &records.all()[..6];
        assert_eq!(first.iter().filter(|record| record.is_revisions_own()).count(), 1);
        Ok(())
    }

    #[test]
    fn a_kept_connection_that_the_server_has_closed_is_not_used_again() -> Result<()> {
        const CLOSE: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 3\r\nx-revision: v1\r\n\r\nv1\n";
        let records = records(server(&[GOOD, CLOSE])?, 6)?;
        assert_eq!(records.explain(), [""; 0]);
        Ok(())
    }

    #[test]
    fn nobody_listens() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").doing(|| "listen".to_owned())?;
        let address = listener.local_addr().doing(|| "read an address".to_owned())?;
        drop(listener);
        let records = records(address, 2)?;
        assert!(records.all().iter().all(|record| record.failed == Some(Reason::Refused)));
        assert!(Load::begin(SocketAddr::from(([192, 0, 2, 1], 80)), Shape::USUAL).is_err(), "it is not this machine");
        Ok(())
    }
}
