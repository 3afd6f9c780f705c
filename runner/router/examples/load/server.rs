//! A server that does next to nothing: what a proxy costs is to be seen in front of it.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n\r\nHello, world!";
/// What is answered to a POST, in bytes.
const LARGE: usize = 64 << 10;

/// Answers until it is ended.
pub(super) async fn serve(address: SocketAddr) {
    let listener = TcpListener::bind(address).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(connection(stream));
    }
}

async fn connection(mut stream: TcpStream) {
    let large = [format!("HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n").as_bytes(), &[b'.'; LARGE]].concat();
    let mut bytes = vec![0; 64 << 10];
    let mut len = 0;
    while let Ok(n @ 1..) = stream.read(&mut bytes[len..]).await {
        len += n;
        let answer = match &bytes[..len] {
            asked if asked.starts_with(b"POST") && super::length(asked).is_some_and(|whole| whole <= len) => &large[..],
            asked if asked.starts_with(b"GET") && asked.ends_with(b"\r\n\r\n") => ANSWER,
            _ => continue,
        };
        len = 0;
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}
