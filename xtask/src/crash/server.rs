//! The HTTP server that the pipelines ask: it counts what changes something, and answers to that with an empty body,
//! which is also what a step gets to see of a request of which a person says that it was done.

use crate::failure::{Doing, Result};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// How often each path was asked by a method that changes something.
type Counts = Arc<Mutex<BTreeMap<String, u64>>>;

/// What Prometheus answers to a question for one number.
const NUMBER: &str = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"1.5"]}}"#;

/// It lives as long as the program.
pub(super) struct Counting {
    /// `127.0.0.1:PORT`.
    pub(super) address: String,
    counts: Counts,
}

impl Counting {
    pub(super) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").doing(|| "open a port for the counting server".to_owned())?;
        let address = listener.local_addr().doing(|| "find the port of the counting server".to_owned())?;
        let counts = Counts::default();
        let seen = Arc::clone(&counts);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || answer(stream, &seen));
            }
        });
        Ok(Self { address: address.to_string(), counts })
    }

    /// How often `/NAME/...` was asked, by what comes after the name.
    pub(super) fn asked(&self, name: &str) -> Vec<(String, u64)> {
        let prefix = format!("/{name}/");
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().filter_map(|(path, count)| Some((path.strip_prefix(&prefix)?.to_owned(), *count))).collect()
    }
}

/// One request; whoever breaks off asks for nothing.
fn answer(mut stream: TcpStream, counts: &Counts) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim();
        if header.is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = match method.as_str() {
        "GET" if path.starts_with("/api/v1/query?") => NUMBER,
        "GET" => "ok",
        _ => "",
    };
    if method != "GET" {
        *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(path).or_default() += 1;
    }
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Server, request};

    #[test]
    fn only_what_changes_something_is_counted() -> Result<()> {
        let counting = Counting::start()?;
        let server = Server::Tcp(counting.address.clone());
        for method in ["GET", "POST", "PUT", "POST"] {
            let expected = if method == "GET" { "ok" } else { "" };
            assert_eq!(request(&server, method, "/n/step", &[])?.text(), expected);
        }
        assert_eq!(counting.asked("n"), [("step".to_owned(), 3)]);
        assert_eq!(counting.asked("ste"), []);
        Ok(())
    }
}
