//! A small HTTP server that does what a test says, the bad things included.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Answers.
    Answer { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// Never answers.
    Hang,
    /// Begins to answer and goes on for ever.
    Endless,
    /// Announces a body of so many bytes, sends some and closes.
    BreakOff,
    /// Says something that is not HTTP.
    Garbage,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    pub(crate) fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn redirect(status: u16, to: impl Into<String>) -> Self {
        Self::Answer { status, headers: vec![("location".to_owned(), to.into())], body: b"elsewhere".to_vec() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    /// Something for every request that has come.
    came: mpsc::UnboundedReceiver<()>,
    /// Something for every connection that the client has closed before it had its answer.
    left: mpsc::UnboundedReceiver<()>,
}

impl Server {
    pub(crate) async fn start(reply: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let received = Arc::new(Mutex::new(Vec::new()));
        let (coming, came) = mpsc::unbounded_channel();
        let (leaving, left) = mpsc::unbounded_channel();
        let reply = Arc::new(reply);
        let list = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (list, reply, coming, leaving) =
                    (Arc::clone(&list), Arc::clone(&reply), coming.clone(), leaving.clone());
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let Some(request) = read(&mut stream).await else { return };
                    let reply = reply(&request);
                    list.lock().expect("not poisoned").push(request);
                    let _ = coming.send(());
                    if !answer(&mut stream, reply).await {
                        let _ = leaving.send(());
                    }
                });
            }
        });
        Self { address, received, came, left }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("not poisoned").clone()
    }

    pub(crate) async fn request_came(&mut self) {
        self.came.recv().await.expect("the server runs");
    }

    pub(crate) async fn client_left(&mut self) {
        self.left.recv().await.expect("the server runs");
    }
}

/// Reads one request.
pub(crate) async fn read(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<Received> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|len| *len > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut received = Received { method, target, headers, body: Vec::new() };
    let length = received.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    received.body = vec![0; length];
    stream.read_exact(&mut received.body).await.ok()?;
    Some(received)
}

/// Answers; says whether the client stayed for all of it.
pub(crate) async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), reply: Reply) -> bool {
    match reply {
        Reply::Answer { status, headers, body } => {
            let mut text = format!("HTTP/1.1 {status} Words\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            text.push_str("\r\n");
            stream.write_all(text.as_bytes()).await.is_ok() && stream.write_all(&body).await.is_ok()
        }
        Reply::Hang => {
            // Nothing comes any more, so this ends when the client closes the connection.
            let _ = stream.read(&mut [0]).await;
            false
        }
        Reply::Endless => {
            let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
            let mut good = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.is_ok();
            while good {
                good = stream.write_all(chunk.as_bytes()).await.is_ok();
            }
            false
        }
        Reply::BreakOff => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.is_ok(),
        Reply::Garbage => stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.is_ok(),
    }
}

/// A port of this machine at which nobody listens.
pub(crate) async fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address")
}
