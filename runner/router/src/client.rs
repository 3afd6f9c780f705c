//! Asking a router: the control API from the caller's side.

use crate::api::{
    Applied, Apply, Drain, DrainAnswer, ErrorBody, Health, Hold, HoldAnswer, Measurements, Refusal, Release, State,
    Stop, Window,
};
use crate::process::Folder;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;

/// Whatever is asked is answered by then; a drain that waits takes its own time besides.
const PATIENCE: Duration = Duration::from_secs(30);

/// The router in a folder.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) folder: Folder,
    socket: PathBuf,
}

/// The router did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no router answers at {}: {why}. `windlass router start` starts one", socket.display())]
    Unreachable {
        /// Where it was looked for.
        socket: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// The same of HAProxy.
    #[error(
        "HAProxy does not answer at {}: {why}. It has to run, with `stats socket {} level admin` in the part `global` of its configuration",
        socket.display(), socket.display()
    )]
    NoHaproxy {
        /// Its admin socket.
        socket: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// The folder of a HAProxy's table cannot be used.
    #[error("cannot use {}: {why}", path.display())]
    Folder {
        /// What it was about.
        path: PathBuf,
        /// What is wrong.
        why: std::io::Error,
    },
    /// Its table.
    #[error(transparent)]
    Table(#[from] crate::LoadError),
    /// It answered, and said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The connection broke, or what came is no answer. It is not known whether the call was done:
    /// the same identity asks again.
    #[error("the router's answer to {call} did not come or makes no sense: {why}")]
    Broken {
        /// What was asked.
        call: String,
        /// What is wrong.
        why: String,
    },
}

impl Client {
    /// For the router in this folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let folder = Folder::new(folder);
        Self { socket: folder.control(), folder }
    }

    /// Is it well?
    pub async fn health(&self) -> Result<Health, ClientError> {
        self.get("/v1/health").await
    }

    /// Everything.
    pub async fn state(&self) -> Result<State, ClientError> {
        self.get("/v1/state").await
    }

    /// Changes the table.
    pub async fn apply(&self, apply: &Apply) -> Result<Applied, ClientError> {
        self.post("/v1/apply", apply, PATIENCE).await
    }

    /// Drains a revision or a container.
    pub async fn drain(&self, drain: &Drain) -> Result<DrainAnswer, ClientError> {
        self.post("/v1/drain", drain, PATIENCE + Duration::from_millis(drain.wait_ms)).await
    }

    /// Holds requests back.
    pub async fn hold(&self, hold: &Hold) -> Result<HoldAnswer, ClientError> {
        self.post("/v1/hold", hold, PATIENCE).await
    }

    /// Lets them go on.
    pub async fn release(&self, release: &Release) -> Result<HoldAnswer, ClientError> {
        self.post("/v1/release", release, PATIENCE).await
    }

    /// Reads a window.
    pub async fn measurements(&self, service: &str, window: Window) -> Result<Measurements, ClientError> {
        let Window { from_ms, to_ms } = window;
        self.get(&format!("/v1/measurements?service={service}&from_ms={from_ms}&to_ms={to_ms}")).await
    }

    /// Reads the window that ends now.
    pub async fn measurements_of_last(&self, service: &str, last: Duration) -> Result<Measurements, ClientError> {
        self.get(&format!("/v1/measurements?service={service}&last_ms={}", last.as_millis())).await
    }

    /// Ends it, after it has drained. Returns when it is about to begin.
    pub async fn stop(&self, stop: &Stop) -> Result<Health, ClientError> {
        self.post("/v1/stop", stop, PATIENCE).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path, Bytes::new(), PATIENCE).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        patience: Duration,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(|why| broken(path, why))?;
        self.call(Method::POST, path, body.into(), patience).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        patience: Duration,
    ) -> Result<T, ClientError> {
        let stream = UnixStream::connect(&self.socket).await;
        let stream = stream.map_err(|why| ClientError::Unreachable { socket: self.socket.clone(), why })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|why| broken(path, why))?;
        let request = Request::builder().method(method).uri(path).header("host", "router").body(Full::new(body));
        let request = request.map_err(|why| broken(path, why))?;
        let exchange = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            Ok::<_, hyper::Error>((status, response.into_body().collect().await?.to_bytes()))
        };
        let exchange = async {
            // Both are one task: when the caller stops waiting, the connection goes too.
            tokio::pin!(connection);
            tokio::pin!(exchange);
            tokio::select! {
                done = &mut exchange => done,
                ended = &mut connection => match ended {
                    Err(why) => Err(why),
                    Ok(()) => exchange.await,
                },
            }
        };
        let answer = tokio::time::timeout(patience, exchange).await;
        let (status, body) = answer.map_err(|_| broken(path, "it took too long"))?.map_err(|why| broken(path, why))?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|why| broken(path, why));
        }
        let error: ErrorBody = serde_json::from_slice(&body).map_err(|why| broken(path, why))?;
        Err(error.error.into())
    }
}

fn broken(call: &str, why: impl ToString) -> ClientError {
    ClientError::Broken { call: call.to_owned(), why: why.to_string() }
}
