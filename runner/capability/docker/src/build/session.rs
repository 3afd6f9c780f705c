//! The session beside a BuildKit build: BuildKit asks back for secrets and logins.
//!
//! The daemon turns a request into a connection on which it is the client: gRPC over HTTP/2, of
//! which three methods are served here.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::stream;
use http_body_util::{BodyExt as _, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, UPGRADE};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinHandle;

use super::proto::{Fields, put_bytes, put_number};
use crate::connect::Engine;
use crate::credentials::{self, Login};

const HEALTH: &str = "/grpc.health.v1.Health/Check";
const SECRET: &str = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
const LOGIN: &str = "/moby.filesync.v1.Auth/Credentials";

/// gRPC's codes for "there is no such thing" and "that is not served".
const NOT_FOUND: u8 = 5;
const UNIMPLEMENTED: u8 = 12;

/// No request is larger: they carry names.
const LARGEST: usize = 64 * 1024;

/// What BuildKit may ask for.
pub(super) struct Answers {
    /// Build secrets, by id.
    pub(super) secrets: HashMap<String, Vec<u8>>,
    /// Logins, by registry.
    pub(super) logins: BTreeMap<String, Login>,
}

/// An open session; closed when dropped.
pub(super) struct Session {
    id: String,
    serving: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Tells sessions of one process apart; the call's identity tells processes apart.
static NEXT: AtomicU64 = AtomicU64::new(0);

impl Session {
    /// Opens a session and begins to serve it.
    pub(super) async fn open(
        engine: &Engine,
        identity: &str,
        answers: Answers,
    ) -> Result<Self, bollard::errors::Error> {
        let id = format!("windlass-{identity}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut headers = HeaderMap::from_iter([
            (CONNECTION, HeaderValue::from_static("Upgrade")),
            (UPGRADE, HeaderValue::from_static("h2c")),
            (
                HeaderName::from_static("x-docker-expose-session-uuid"),
                HeaderValue::from_str(&id).map_err(std::io::Error::other)?,
            ),
            (HeaderName::from_static("x-docker-expose-session-name"), HeaderValue::from_static("windlass")),
        ]);
        for method in [HEALTH, SECRET, LOGIN] {
            headers.append("x-docker-expose-session-grpc-method", HeaderValue::from_static(method));
        }
        let answer = engine.send(Method::POST, "/session", headers, crate::connect::empty()).await?;
        let upgraded = hyper::upgrade::on(answer).await?;
        let answers = Arc::new(answers);
        let serving = tokio::spawn(async move {
            let service = service_fn(move |request| serve(request, Arc::clone(&answers)));
            // It ends when the build does; an error says only how.
            if let Err(error) = http2::Builder::new(TokioExecutor::new()).serve_connection(upgraded, service).await {
                tracing::debug!(%error, "a build's session ended");
            }
        });
        Ok(Self { id, serving })
    }

    /// The id by which the build names it.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

type Reply = Response<StreamBody<stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>>;

async fn serve(request: Request<Incoming>, answers: Arc<Answers>) -> Result<Reply, Infallible> {
    let (head, body) = request.into_parts();
    let message = match Limited::new(body, LARGEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(reply(Err(UNIMPLEMENTED))),
    };
    // A gRPC message comes after a flag and its length.
    let message = message.get(5..).unwrap_or_default();
    Ok(reply(answer(head.uri.path(), message, &answers)))
}

fn answer(method: &str, message: &[u8], answers: &Answers) -> Result<Vec<u8>, u8> {
    // Both requests have what is asked for in their first field.
    let asked = Fields(message).find(|(number, _)| *number == 1).map(|(_, field)| field.text()).unwrap_or_default();
    let mut reply = Vec::new();
    match method {
        // SERVING
        HEALTH => put_number(&mut reply, 1, 1),
        SECRET => put_bytes(&mut reply, 1, answers.secrets.get(&asked).ok_or(NOT_FOUND)?),
        LOGIN => {
            // Without a login the reply is empty: then BuildKit asks the registry as nobody.
            if let Some(login) = credentials::for_host(&answers.logins, &asked) {
                put_bytes(&mut reply, 1, login.username.as_bytes());
                put_bytes(&mut reply, 2, login.secret().as_bytes());
            }
        }
        _ => return Err(UNIMPLEMENTED),
    }
    Ok(reply)
}

fn reply(result: Result<Vec<u8>, u8>) -> Reply {
    let mut trailers = HeaderMap::new();
    let mut frames = Vec::new();
    match result {
        Ok(message) => {
            let mut framed = BytesMut::with_capacity(message.len() + 5);
            framed.put_u8(0);
            framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
            framed.put_slice(&message);
            frames.push(Ok(Frame::data(framed.freeze())));
            trailers.insert("grpc-status", HeaderValue::from_static("0"));
        }
        Err(code) => {
            trailers.insert("grpc-status", HeaderValue::from(u16::from(code)));
        }
    }
    frames.push(Ok(Frame::trailers(trailers)));
    let mut response = Response::new(StreamBody::new(stream::iter(frames)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &str, text: &str) -> Result<Vec<u8>, u8> {
        let mut message = Vec::new();
        put_bytes(&mut message, 1, text.as_bytes());
        let answers = Answers {
            secrets: HashMap::from([("token".to_owned(), b"s3cret".to_vec())]),
            logins: BTreeMap::from([("localhost:5001".to_owned(), Login::new("ada", "pw", "localhost:5001"))]),
        };
        answer(method, &message, &answers)
    }

    #[test]
    fn only_what_the_build_was_given_is_told() {
        assert_eq!(
            ask(SECRET, "token").map(|reply| Fields(&reply).next().map(|(_, field)| field.text())),
            Ok(Some("s3cret".to_owned()))
        );
        assert_eq!(ask(SECRET, "other"), Err(NOT_FOUND));
        assert_eq!(ask("/moby.filesync.v1.FileSync/DiffCopy", "x"), Err(UNIMPLEMENTED));
        assert_eq!(ask(LOGIN, "elsewhere"), Ok(Vec::new()));
        assert_eq!(
            ask(LOGIN, "localhost:5001").map(|reply| Fields(&reply).map(|(_, field)| field.text()).collect::<Vec<_>>()),
            Ok(vec!["ada".to_owned(), "pw".to_owned()])
        );
    }
}
