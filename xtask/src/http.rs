//! As much HTTP/1.1 as asking a Docker Engine and a registry takes, over TCP or a Unix socket.
//!
//! One request per connection: `Connection: close` makes the end of an answer unmistakable, and
//! a hung server meets the time-out. A client crate would be most of this tool's build time.

use crate::failure::{Doing, Failure, Result};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Server {
    /// A Unix socket's path.
    Unix(String),
    /// `host:port`.
    Tcp(String),
}

impl Server {
    /// From the value of DOCKER_HOST.
    pub(crate) fn from_docker_host(value: &str) -> Result<Self> {
        match value.split_once("://") {
            Some(("unix", path)) => Ok(Self::Unix(path.to_owned())),
            Some(("tcp" | "http", address)) => Ok(Self::Tcp(address.trim_end_matches('/').to_owned())),
            _ => Err(Failure::new(format!(
                "DOCKER_HOST={value} cannot be used here: it must begin with unix:// or tcp://"
            ))),
        }
    }

    /// As a value for DOCKER_HOST.
    pub(crate) fn to_docker_host(&self) -> String {
        match self {
            Self::Unix(path) => format!("unix://{path}"),
            Self::Tcp(address) => format!("tcp://{address}"),
        }
    }
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).doing(|| format!("read the answer `{}`", self.text()))
    }

    /// The body for a message.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim().to_owned()
    }
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// Sends one request without a body and reads the whole answer.
pub(crate) fn request(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    send(server, method, path, headers, b"")
}

/// Sends one request and reads the whole answer.
pub(crate) fn send(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
    let what = || format!("ask {}{path}", server.to_docker_host());
    let mut stream = connect(server, Some(Duration::from_secs(30))).doing(what)?;
    let host = match server {
        Server::Unix(_) => "localhost",
        Server::Tcp(address) => address,
    };
    let length = body.len();
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).doing(what)?;
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).doing(what)?;
    parse(&raw).ok_or_else(|| Failure::new(format!("cannot {}: the answer is not HTTP", what())))
}

/// Asks for what has no end, and gives it line by line, its head among the lines.
pub(crate) fn follow(server: &Server, path: &str) -> Result<impl Iterator<Item = String> + use<>> {
    let what = || format!("follow {}{path}", server.to_docker_host());
    let mut stream = connect(server, None).doing(what)?;
    // An answer to HTTP/1.0 comes without chunks.
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).doing(what)?;
    Ok(BufReader::new(stream).lines().map_while(std::io::Result::ok))
}

fn connect(server: &Server, limit: Option<Duration>) -> std::io::Result<Box<dyn Stream>> {
    match server {
        Server::Unix(socket) => {
            let stream = UnixStream::connect(socket)?;
            stream.set_read_timeout(limit).and_then(|()| stream.set_write_timeout(limit))?;
            Ok(Box::new(stream))
        }
        Server::Tcp(address) => {
            // A name may stand for several addresses (localhost: ::1 and 127.0.0.1): any will do.
            let mut last = std::io::Error::other("it has no address");
            for one in address.to_socket_addrs()? {
                match TcpStream::connect_timeout(&one, Duration::from_secs(3)) {
                    Ok(stream) => {
                        stream.set_read_timeout(limit).and_then(|()| stream.set_write_timeout(limit))?;
                        return Ok(Box::new(stream));
                    }
                    Err(why) => last = why,
                }
            }
            Err(last)
        }
    }
}

/// `GET`, without more.
pub(crate) fn get(server: &Server, path: &str) -> Result<Answer> {
    request(server, "GET", path, &[])
}

fn parse(raw: &[u8]) -> Option<Answer> {
    let end = raw.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&raw[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    if !first.next()?.starts_with("HTTP/1.") {
        return None;
    }
    let status = first.next()?.parse().ok()?;
    let headers =
        lines.filter_map(|l| l.split_once(':')).map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned())).collect();
    let mut answer = Answer { status, headers, body: raw[end + 4..].to_vec() };
    if answer.header("Transfer-Encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        answer.body = join_chunks(&answer.body)?;
    } else if let Some(length) = answer.header("Content-Length").and_then(|v| v.parse().ok()) {
        answer.body.truncate(length);
    }
    Some(answer)
}

fn join_chunks(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        rest = &rest[end + 2..];
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

/// Percent-encodes what may not stand in a query.
pub(crate) fn query(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_with_a_length() {
        let answer = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDocker-Content-Digest: sha256:ab\r\n\r\nOK");
        let answer = answer.unwrap_or_else(|| Answer { status: 0, headers: vec![], body: vec![] });
        assert_eq!((answer.status, answer.text().as_str()), (200, "OK"));
        assert_eq!(answer.header("docker-content-digest"), Some("sha256:ab"));
    }

    #[test]
    fn an_answer_in_chunks() {
        let raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2;x=y\r\n2]\r\n0\r\n\r\n";
        assert_eq!(parse(raw).map(|a| a.text()), Some("[1,2]".to_owned()));
        assert_eq!(parse(&raw[..raw.len() - 8]), None, "a cut answer is no answer");
    }

    #[test]
    fn rubbish_is_refused() {
        assert_eq!(parse(b"SSH-2.0-x\r\n\r\n"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn docker_hosts() {
        let unix = Server::from_docker_host("unix:///run/d.sock").ok();
        assert_eq!(unix, Some(Server::Unix("/run/d.sock".into())));
        assert!(Server::from_docker_host("ssh://x").is_err());
    }

    #[test]
    fn queries_are_encoded() {
        assert_eq!(query(r#"{"a":["b=c"]}"#), "%7B%22a%22%3A%5B%22b%3Dc%22%5D%7D");
    }
}
