//! Accepts connections, a thread for each, and ends without dropping a request.

use std::io::{self, BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::{http, pages};

/// More connections at a time wait in the system's queue.
const MOST_CONNECTIONS: usize = 512;

/// How long a connection may stay without a request, and a request without its end.
const IDLE: Duration = Duration::from_secs(60);

/// How soon an idle connection sees that the service ends.
const GLANCE: Duration = Duration::from_millis(100);

#[derive(Default)]
struct State {
    ending: AtomicBool,
    connections: AtomicUsize,
    requests: AtomicUsize,
}

/// A running server.
pub(crate) struct Server {
    state: Arc<State>,
    address: SocketAddr,
    acceptor: JoinHandle<()>,
}

impl Server {
    /// Starts to accept.
    pub(crate) fn start(listener: TcpListener) -> io::Result<Self> {
        let state = Arc::new(State::default());
        let address = listener.local_addr()?;
        let shared = Arc::clone(&state);
        let acceptor = thread::Builder::new().spawn(move || accept(&listener, &shared))?;
        Ok(Self { state, address, acceptor })
    }

    /// Requests that are being answered.
    pub(crate) fn under_way(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
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
        }
        while state.connections.load(Ordering::SeqCst) >= MOST_CONNECTIONS && !state.ending.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
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
        state.requests.fetch_add(1, Ordering::SeqCst);
        let done = one(&mut reader, stream, state);
        state.requests.fetch_sub(1, Ordering::SeqCst);
        if !done? {
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
    let ending = state.ending.load(Ordering::SeqCst);
    let keep_alive = request.keep_alive && !ending;
    let answer = pages::answer(&request, ending);
    http::write(&mut stream, &answer, request.method == "HEAD", keep_alive)?;
    Ok(keep_alive)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn answers_keep_the_connection_and_ending_drops_nobody() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::start(listener).unwrap();
        let mut client = TcpStream::connect(address).unwrap();
        let mut answer = [0; 512];
        for _ in 0..2 {
            client.write_all(b"GET /health HTTP/1.1\r\n\r\n").unwrap();
            let length = client.read(&mut answer).unwrap();
            assert!(answer[..length].starts_with(b"HTTP/1.1 200 OK"));
        }
        // A request that is under way when the end begins is answered.
        client.write_all(b"GET /version HTTP/1.1\r\n").unwrap();
        thread::sleep(Duration::from_millis(50));
        assert_eq!(server.under_way(), 1);
        let drained = thread::spawn(move || server.drain(Duration::from_secs(5)));
        thread::sleep(Duration::from_millis(50));
        client.write_all(b"\r\n").unwrap();
        let mut rest = String::new();
        client.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("connection: close") && rest.contains("storefront"), "{rest}");
        assert!(drained.join().unwrap());
        assert!(TcpStream::connect(address).is_err());
    }
}
