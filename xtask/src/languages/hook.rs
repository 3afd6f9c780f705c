//! A web hook: it hears one request, and answers it.

use crate::failure::{Doing, Result};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

const ANSWER: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-length: 6\r\nconnection: close\r\n\r\nnoted\n";

/// It listens on a free port of this machine, until it was told something.
pub(super) struct Hook {
    pub(super) url: String,
    told: Receiver<String>,
}

impl Hook {
    pub(super) fn listen() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").doing(|| "listen on a free port".to_owned())?;
        let address = listener.local_addr().doing(|| "ask for the port".to_owned())?;
        let (sender, told) = channel();
        thread::spawn(move || listener.accept().and_then(|(visitor, _)| hear(visitor, &sender)));
        Ok(Self { url: format!("http://{address}/releases"), told })
    }

    /// What it was told, if anything: whoever was answered has told it by then.
    pub(super) fn told(self) -> Option<String> {
        self.told.try_recv().ok()
    }
}

fn hear(mut visitor: TcpStream, told: &Sender<String>) -> io::Result<()> {
    let mut request = BufReader::new(visitor.try_clone()?);
    let (mut line, mut length) = (String::new(), 0);
    while request.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = String::new();
    request.take(length).read_to_string(&mut body)?;
    // Nobody waits for it any more if the run is over.
    let _ = told.send(body);
    visitor.write_all(ANSWER)
}
