//! A service that says what a test wants it to, byte by byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// What it does when it has read a request.
pub(crate) enum Then {
    Say(&'static str),
    /// The same, and the connection ends.
    SayAndClose(&'static str),
    /// The same, and the connection is reset, as when a process dies.
    SayAndBreak(&'static str),
}

/// What a test sees of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Saw {
    /// A request's header, as it came, on the connection of this number.
    Request(usize, String),
    /// The router has closed this connection.
    Closed(usize),
    /// The service has, as the script says.
    Ended(usize),
}

pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    saw: UnboundedReceiver<Saw>,
}

impl Scripted {
    /// The script is asked with the numbers of the connection and of the request on it, both from 0.
    pub(crate) async fn new(script: fn(usize, usize) -> Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, saw) = unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (tell, connection) = (tell.clone(), connections.fetch_add(1, Ordering::SeqCst));
                tokio::spawn(async move {
                    for request in 0.. {
                        let mut header = Vec::new();
                        while !header.ends_with(b"\r\n\r\n") {
                            let Ok(byte) = stream.read_u8().await else {
                                let _ = tell.send(Saw::Closed(connection));
                                return;
                            };
                            header.push(byte);
                        }
                        let _ = tell.send(Saw::Request(connection, String::from_utf8(header).unwrap()));
                        let (text, over) = match script(connection, request) {
                            Then::Say(text) => (text, false),
                            Then::SayAndClose(text) => (text, true),
                            Then::SayAndBreak(text) => {
                                stream.set_zero_linger().unwrap();
                                (text, true)
                            }
                        };
                        let written = stream.write_all(text.as_bytes()).await;
                        if over {
                            drop(stream);
                            let _ = tell.send(Saw::Ended(connection));
                            return;
                        }
                        if written.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, saw }
    }

    pub(crate) async fn saw(&mut self) -> Saw {
        self.saw_within(Duration::from_secs(10)).await
    }

    pub(crate) async fn saw_within(&mut self, wait: Duration) -> Saw {
        tokio::time::timeout(wait, self.saw.recv()).await.expect("nothing happens at the service").unwrap()
    }

    /// What has happened so far and was not asked for yet.
    pub(crate) fn requests_so_far(&mut self) -> usize {
        let mut number = 0;
        while let Ok(saw) = self.saw.try_recv() {
            number += usize::from(matches!(saw, Saw::Request(..)));
        }
        number
    }
}
