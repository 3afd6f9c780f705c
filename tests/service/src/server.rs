//! Accepts connections, a thread for each, and ends without dropping a request.

use crate::answers::{Answers, Digest};
use crate::settings::Settings;
use crate::{http, websocket};
use std::io::{self, BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a connection may stay without a request, and a request without its next byte.
const IDLE: Duration = Duration::from_secs(60);
/// How soon an idle connection sees that the service ends.
const GLANCE: Duration = Duration::from_millis(50);

struct State {
    answers: Answers,
    ending: AtomicBool,
    connections: AtomicUsize,
}

/// A running server.
pub(crate) struct Server {
    state: Arc<State>,
    address: SocketAddr,
    acceptor: JoinHandle<()>,
}

impl Server {
    /// Starts to accept.
    pub(crate) fn start(listener: TcpListener, settings: Settings) -> io::Result<Self> {
        let (ending, connections) = (AtomicBool::new(false), AtomicUsize::new(0));
        let state = Arc::new(State { answers: Answers::new(settings), ending, connections });
        let address = listener.local_addr()?;
        let shared = Arc::clone(&state);
        let acceptor = thread::Builder::new().spawn(move || accept(&listener, &shared))?;
        Ok(Self { state, address, acceptor })
    }

    /// How many are open.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Accepts nothing more, and waits until all connections are done. Says whether they are.
    pub(crate) fn drain(self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        self.state.ending.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it is over.
        let _ = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], self.address.port())), GLANCE);
        let _ = self.acceptor.join();
        while self.state.connections.load(Ordering::SeqCst) > 0 {
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    loop {
        let accepted = listener.accept();
        // Who was accepted before the end is still served; the call that woke this thread says nothing.
        if let Ok((stream, _)) = accepted {
            state.connections.fetch_add(1, Ordering::SeqCst);
            let shared = Arc::clone(state);
            let thread = thread::Builder::new().stack_size(256 << 10).spawn(move || {
                // A client that goes away is not our failure.
                let _ = serve(&stream, &shared);
                shared.connections.fetch_sub(1, Ordering::SeqCst);
            });
            if thread.is_err() {
                state.connections.fetch_sub(1, Ordering::SeqCst);
            }
        } else {
            // No more files, say: not worth all of a processor.
            thread::sleep(GLANCE);
        }
        if state.ending.load(Ordering::SeqCst) {
            return;
        }
    }
}

fn serve(stream: &TcpStream, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        stream.set_read_timeout(Some(GLANCE))?;
        if !wait_for_request(&mut reader, state)? {
            return Ok(());
        }
        stream.set_read_timeout(Some(IDLE))?;
        if !one(&mut reader, stream, state)? {
            return Ok(());
        }
    }
}

/// Waits for the first byte of a request. `false` when there is not going to be one.
fn wait_for_request(reader: &mut BufReader<&TcpStream>, state: &State) -> io::Result<bool> {
    let since = Instant::now();
    loop {
        match reader.fill_buf() {
            Ok(bytes) => return Ok(!bytes.is_empty()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                if state.ending.load(Ordering::SeqCst) || since.elapsed() > IDLE {
                    return Ok(false);
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Answers a request. Says whether the connection stays.
fn one(reader: &mut BufReader<&TcpStream>, mut stream: &TcpStream, state: &State) -> io::Result<bool> {
    let Some(request) = http::read(reader)? else { return Ok(false) };
    let revision = state.answers.revision();
    if let Some(key) = request.websocket.filter(|_| request.path == "/ws") {
        if let Some(bad) = state.answers.fails() {
            http::write(&mut stream, &bad, revision, false)?;
            return Ok(false);
        }
        let early = reader.buffer().to_vec();
        websocket::serve(stream, &key, revision, &early, || state.ending.load(Ordering::SeqCst))?;
        return Ok(false);
    }
    let mut digest = Digest::new();
    http::body(reader, request.body, |piece| digest.update(piece))?;
    let answer = state.answers.answer(&request.method, &request.path, digest);
    // Asked at the very end: the client of a slow answer is told as well.
    let keep_alive = request.keep_alive && !state.ending.load(Ordering::SeqCst);
    http::write(&mut stream, &answer, revision, keep_alive)?;
    Ok(keep_alive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    fn server() -> (Server, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings::read(|name| (name == "VERSION").then(|| "v3".to_owned())).unwrap();
        (Server::start(listener, settings).unwrap(), address)
    }

    #[test]
    fn a_connection_is_kept_and_ending_drops_nobody() {
        let (server, address) = server();
        let mut client = TcpStream::connect(address).unwrap();
        let mut answer = [0; 512];
        for _ in 0..2 {
            client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
            let length = client.read(&mut answer).unwrap();
            let text = String::from_utf8_lossy(&answer[..length]);
            assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with("\r\n\r\nv3\n"), "{text}");
            assert!(text.contains("x-revision: v3"));
        }
        client.write_all(b"GET /slow HTTP/1.1\r\n\r\n").unwrap();
        thread::sleep(Duration::from_millis(100));
        let drained = thread::spawn(move || server.drain(Duration::from_secs(5)));
        let mut rest = String::new();
        client.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("connection: close") && rest.ends_with("v3\n"), "{rest}");
        assert!(drained.join().unwrap());
        assert!(TcpStream::connect(address).is_err());
    }

    #[test]
    fn a_websocket_is_told_when_the_service_ends() {
        let (server, address) = server();
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"GET /ws HTTP/1.1\r\nupgrade: websocket\r\nsec-websocket-key: a\r\n\r\n").unwrap();
        let mut bytes = [0; 512];
        let length = client.read(&mut bytes).unwrap();
        assert!(bytes[..length].starts_with(b"HTTP/1.1 101"));
        client.write_all(&[0x81, 0x82, 0, 0, 0, 0, b'h', b'i']).unwrap();
        let length = client.read(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], [0x81, 2, b'h', b'i']);
        let drained = thread::spawn(move || server.drain(Duration::from_secs(5)));
        let length = client.read(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], [0x88, 2, 3, 0xe9]);
        client.write_all(&[0x88, 0x80, 0, 0, 0, 0]).unwrap();
        assert!(drained.join().unwrap());
    }
}
