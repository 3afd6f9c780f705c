//! A registry within a test: it keeps what is pushed, asks for a password if it is told to, and lies where a test
//! wants it to. It speaks as much of the protocol as clients need, on a port of its own.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

/// A registry that a test can look into.
pub struct FakeRegistry {
    address: String,
    state: Arc<Mutex<State>>,
}

/// What it does instead of answering as it should.
#[derive(Clone, Debug)]
pub enum Lie {
    /// Answers with this status, and a page that no registry would send.
    Status(u16),
    /// Sends these bytes, whatever was asked for.
    Bytes(Vec<u8>),
    /// Sends these bytes in the place of those that its headers are about.
    Body(Vec<u8>),
    /// Announces a body of so many bytes, and sends for ever.
    Endless(u64),
    /// Announces the whole, sends half of it and is gone.
    Half,
}

#[derive(Default)]
struct State {
    blobs: HashMap<String, Vec<u8>>,
    /// By repository and tag or digest.
    manifests: HashMap<(String, String), Vec<u8>>,
    uploads: HashMap<String, Vec<u8>>,
    requests: Vec<String>,
    /// By a part of the path.
    lies: Vec<(String, Lie)>,
    /// The `Authorization` that it wants.
    login: Option<String>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    authorization: String,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// `sha256:...` of these bytes.
pub fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

impl FakeRegistry {
    /// Starts one. Its threads end with the test's process.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    /// `localhost:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// From now on it wants this login, as `Authorization: Basic ...` has it.
    pub fn wants(&self, login: &str) {
        self.state.lock().unwrap().login = Some(format!("Basic {login}"));
    }

    /// From now on it lies about every path that has this part.
    pub fn lies_about(&self, part: &str, lie: Lie) {
        self.state.lock().unwrap().lies.push((part.to_owned(), lie));
    }

    /// It tells the truth again.
    pub fn is_honest(&self) {
        self.state.lock().unwrap().lies.clear();
    }

    /// Lets a tag point to other bytes, as somebody who has a key to the registry can.
    pub fn put_manifest(&self, repository: &str, tag: &str, manifest: &[u8]) {
        let key = (repository.to_owned(), tag.to_owned());
        self.state.lock().unwrap().manifests.insert(key, manifest.to_vec());
    }

    /// Puts bytes in, and gives their digest.
    pub fn put_blob(&self, bytes: &[u8]) -> String {
        let digest = digest_of(bytes);
        self.state.lock().unwrap().blobs.insert(digest.clone(), bytes.to_vec());
        digest
    }

    /// The bytes of this digest.
    pub fn blob(&self, digest: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().blobs.get(digest).cloned()
    }

    /// The manifest that a tag points to.
    pub fn manifest(&self, repository: &str, tag: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().manifests.get(&(repository.to_owned(), tag.to_owned())).cloned()
    }

    /// Every request so far, as `GET /v2/...`; and forgets them.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(request) = read(&mut reader) {
        let (answer, lie) = {
            let mut state = state.lock().unwrap();
            state.requests.push(format!("{} {}", request.method, request.path));
            let lie =
                state.lies.iter().find(|(part, _)| request.path.contains(part.as_str())).map(|(_, lie)| lie.clone());
            (state.answer(&request), lie)
        };
        if send(&mut stream, &request.method, answer, lie).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let (method, rest) = line.split_once(' ')?;
    let target = rest.split(' ').next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => authorization = value.trim().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, query, authorization, body })
}

fn send(stream: &mut TcpStream, method: &str, answer: Answer, lie: Option<Lie>) -> std::io::Result<()> {
    let mut answer = answer;
    let (mut length, mut endless) = (answer.body.len() as u64, false);
    match lie {
        Some(Lie::Status(status)) => {
            answer = Answer { status, headers: Vec::new(), body: b"<h1>\x1b[31mnot\r\nnow</h1>".to_vec() };
            length = answer.body.len() as u64;
        }
        Some(Lie::Bytes(bytes)) => {
            length = bytes.len() as u64;
            answer = Answer { status: 200, headers: Vec::new(), body: bytes };
        }
        Some(Lie::Body(bytes)) => {
            length = bytes.len() as u64;
            answer.body = bytes;
        }
        Some(Lie::Endless(announced)) => (length, endless) = (announced, true),
        Some(Lie::Half) => answer.body.truncate(answer.body.len() / 2),
        None => {}
    }
    let mut head = format!("HTTP/1.1 {} Whatever\r\nContent-Length: {length}\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    if method != "HEAD" {
        stream.write_all(&answer.body)?;
    }
    if endless {
        loop {
            // It ends when the client has had enough.
            stream.write_all(&[0; 64 * 1024])?;
        }
    }
    // What was announced and not sent ends the connection.
    if length != answer.body.len() as u64 && method != "HEAD" {
        Err(std::io::ErrorKind::BrokenPipe.into())
    } else {
        Ok(())
    }
}

fn answer(status: u16, body: &[u8]) -> Answer {
    Answer { status, headers: Vec::new(), body: body.to_vec() }
}

fn unknown(code: &str) -> Answer {
    answer(404, format!(r#"{{"errors":[{{"code":"{code}","message":"it is not known"}}]}}"#).as_bytes())
}

impl Answer {
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        if self.login.as_ref().is_some_and(|login| *login != request.authorization) {
            let body = br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
            return answer(401, body).with("WWW-Authenticate", r#"Basic realm="test""#);
        }
        if request.path == "/v2/" {
            return answer(200, b"{}");
        }
        let path = request.path.trim_start_matches("/v2/");
        if let Some((repository, reference)) = path.split_once("/manifests/") {
            return self.manifest(request, repository, reference);
        }
        if let Some((repository, upload)) = path.split_once("/blobs/uploads/") {
            return self.upload(request, repository, upload);
        }
        match path.split_once("/blobs/").and_then(|(_, digest)| Some((digest, self.blobs.get(digest)?))) {
            Some((digest, blob)) => answer(200, blob).with("Docker-Content-Digest", digest),
            None => unknown("BLOB_UNKNOWN"),
        }
    }

    fn manifest(&mut self, request: &Request, repository: &str, reference: &str) -> Answer {
        if request.method == "PUT" {
            let digest = digest_of(&request.body);
            for key in [reference, &digest] {
                self.manifests.insert((repository.to_owned(), key.to_owned()), request.body.clone());
            }
            return answer(201, b"").with("Location", format!("/v2/{repository}/manifests/{digest}"));
        }
        match self.manifests.get(&(repository.to_owned(), reference.to_owned())) {
            Some(manifest) => answer(200, manifest)
                .with("Docker-Content-Digest", digest_of(manifest))
                .with("Content-Type", "application/vnd.oci.image.manifest.v1+json"),
            None => unknown("MANIFEST_UNKNOWN"),
        }
    }

    fn upload(&mut self, request: &Request, repository: &str, upload: &str) -> Answer {
        let id = if upload.is_empty() { self.requests.len().to_string() } else { upload.to_owned() };
        let so_far = self.uploads.entry(id.clone()).or_default();
        so_far.extend_from_slice(&request.body);
        if request.method != "PUT" {
            return answer(202, b"").with("Location", format!("/v2/{repository}/blobs/uploads/{id}"));
        }
        let blob = self.uploads.remove(&id).unwrap_or_default();
        let digest = digest_of(&blob);
        let wanted = request.query.rsplit('=').next().unwrap_or_default().replace("%3A", ":");
        if wanted != digest {
            return answer(400, br#"{"errors":[{"code":"DIGEST_INVALID","message":"another digest"}]}"#);
        }
        self.blobs.insert(digest.clone(), blob);
        answer(201, b"").with("Location", format!("/v2/{repository}/blobs/{digest}"))
    }
}
