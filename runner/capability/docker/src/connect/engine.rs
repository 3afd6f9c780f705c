//! A daemon that answers: what it can do, and how to ask it.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Method, Request, Response};
use serde::Deserialize;
use windlass_gate::CallError;
use windlass_gate::api::docker::Builder;

use super::fresh::Fresh;
use super::transport::Transport;
use super::{Address, Body, Endpoint};
use crate::DockerConfig;
use crate::fault;

/// The newest API that is spoken: the one that bollard's types are of.
const NEWEST: Version = Version(1, 53);

/// The oldest API that is spoken: Docker 20.10, the oldest that this is tested with.
const OLDEST: Version = Version(1, 41);

/// How long a daemon may take for its first word.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a daemon may take to say that it is there.
const ALIVE: Duration = Duration::from_secs(3);

/// How long a daemon may take to begin an answer.
const ANSWER: u64 = 120;

/// What `windlass doctor` tells of the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonInfo {
    /// Its address.
    pub address: String,
    /// Where that address comes from.
    pub origin: String,
    /// Its version, as `20.10.24`.
    pub version: String,
    /// The newest API that it speaks.
    pub api: String,
    /// The API that is spoken with it.
    pub spoken: String,
    /// Its storage driver, as `overlay2`.
    pub driver: String,
    /// Its system and architecture, as `linux/x86_64`.
    pub platform: String,
    /// The builder that builds use.
    pub builder: Builder,
}

/// A daemon that answers.
#[derive(Clone)]
pub(crate) struct Engine {
    /// Typed requests.
    pub(crate) api: bollard::Docker,
    /// Where it is.
    pub(crate) endpoint: Arc<Endpoint>,
    /// What the host was told.
    pub(crate) config: Arc<DockerConfig>,
    /// What was made and not started yet.
    pub(crate) fresh: Arc<Fresh>,
    /// The builder that builds use.
    pub(crate) builder: Builder,
    api_version: Version,
    spoken: Version,
    transport: Transport,
}

impl Engine {
    /// Connects, and agrees on a version of the API.
    pub(crate) async fn connect(config: &Arc<DockerConfig>) -> Result<Self, CallError> {
        let endpoint = Endpoint::resolve(config)?;
        let transport = Transport::new(&endpoint.address)?;
        let ping = Request::get("http://docker/_ping")
            .body(empty())
            .map_err(|error| fault::unreachable(&endpoint, &io::Error::other(error)))?;
        // Read to its end, so that the connection can be used again.
        let hello = async {
            let (head, body) = transport.send(ping).await?.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            Ok::<_, io::Error>((head.status, head.headers, String::from_utf8_lossy(&body).trim().to_owned()))
        };
        let (status, headers, text) = match tokio::time::timeout(HANDSHAKE, hello).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(fault::unreachable(&endpoint, &error)),
            Err(_) => {
                return Err(fault::unreachable(
                    &endpoint,
                    &io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {HANDSHAKE:?}")),
                ));
            }
        };
        if !status.is_success() {
            return Err(CallError::Unavailable(format!(
                "the Docker daemon at {endpoint} answers its first request with {status}: {text}; look at the daemon's own log"
            )));
        }
        let Some(api_version) = header(&headers, "api-version").and_then(Version::parse) else {
            return Err(CallError::Unavailable(format!(
                "what answers at {endpoint} does not say which version of Docker's API it speaks, so it is no Docker daemon; check the address"
            )));
        };
        if api_version < OLDEST {
            return Err(CallError::Unavailable(format!(
                "the Docker daemon at {endpoint} speaks API {api_version}, but {OLDEST} (Docker 20.10) is the oldest that is supported; update Docker"
            )));
        }
        let spoken = api_version.min(NEWEST);
        transport.speak(spoken.to_string());
        let api = bollard::Docker::connect_with_custom_transport(
            transport.bollard(),
            Some("http://docker"),
            ANSWER,
            bollard::API_DEFAULT_VERSION,
        )
        .map_err(|error| fault::of(&endpoint, "cannot set up the connection", error))?;
        let builder = config.builder.clone().unwrap_or_else(|| default_builder(&headers));
        Ok(Self {
            api,
            endpoint: Arc::new(endpoint),
            config: Arc::clone(config),
            fresh: Arc::default(),
            builder,
            api_version,
            spoken,
            transport,
        })
    }

    /// What `windlass doctor` tells.
    pub(crate) async fn info(&self) -> Result<DaemonInfo, CallError> {
        let info =
            self.api.info().await.map_err(|error| self.fault("cannot ask the Docker daemon about itself", error))?;
        Ok(DaemonInfo {
            address: self.endpoint.address.to_string(),
            origin: self.endpoint.origin.clone(),
            version: info.server_version.unwrap_or_default(),
            api: self.api_version.to_string(),
            spoken: self.spoken.to_string(),
            driver: info.driver.unwrap_or_default(),
            platform: format!("{}/{}", info.os_type.unwrap_or_default(), info.architecture.unwrap_or_default()),
            builder: self.builder.clone(),
        })
    }

    /// An error in the words of the gate; `what` says what was being done.
    pub(crate) fn fault(&self, what: impl fmt::Display, error: bollard::errors::Error) -> CallError {
        fault::of(&self.endpoint, what, error)
    }

    /// Whether the daemon takes new connections. One that is told to end stops doing so at once, and only then ends
    /// its containers; on connections that are open it still answers.
    pub(crate) async fn alive(&self) -> bool {
        let Ok(ping) = Request::get("http://docker/_ping").body(empty()) else { return false };
        let answer = tokio::time::timeout(ALIVE, self.transport.send_anew(ping)).await;
        matches!(answer, Ok(Ok(answer)) if answer.status().is_success())
    }

    /// Comes back when the daemon has given no sign of life for as long as the host has patience with it. A call
    /// that waits for the daemon hangs for ever on a connection that was cut without a word, so it is watched from
    /// beside it.
    pub(crate) async fn lost(&self) {
        let patience = self.config.patience;
        let mut heard = tokio::time::Instant::now();
        loop {
            tokio::time::sleep(patience / 4).await;
            if self.alive().await {
                heard = tokio::time::Instant::now();
            } else if heard.elapsed() >= patience {
                return;
            }
        }
    }

    /// The address at which ports that the daemon publishes on the loopback interface are reached.
    pub(crate) fn host(&self) -> &str {
        match &self.endpoint.address {
            Address::Unix(_) => "127.0.0.1",
            Address::Tcp { host, .. } | Address::Tls { host, .. } => host,
        }
    }

    /// Whether containers' own addresses are reached from here: the daemon's machine is this one, and no virtual
    /// machine lies between.
    pub(crate) fn is_here(&self) -> bool {
        let local = match &self.endpoint.address {
            Address::Unix(_) => true,
            Address::Tcp { host, .. } | Address::Tls { host, .. } => {
                ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str())
            }
        };
        local && cfg!(target_os = "linux")
    }

    /// Sends a request that bollard has no good form of. An answer that is no success is an error.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Incoming>, bollard::errors::Error> {
        let mut request = Request::builder().method(method).uri(format!("http://docker{path}")).body(body)?;
        *request.headers_mut() = headers;
        let answer = self.transport.send(request).await?;
        let status = answer.status();
        if status.is_success() || status == hyper::StatusCode::SWITCHING_PROTOCOLS {
            return Ok(answer);
        }
        let text = answer.into_body().collect().await?.to_bytes();
        let message = serde_json::from_slice::<Message>(&text)
            .map_or_else(|_| String::from_utf8_lossy(&text).trim().to_owned(), |body| body.message);
        Err(bollard::errors::Error::DockerResponseServerError { status_code: status.as_u16(), message })
    }
}

/// A request without a body.
pub(crate) fn empty() -> Body {
    Either::Left(Full::new(Bytes::new()))
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// BuildKit wherever it is: every Docker daemon for Linux that speaks a supported API has it, and
/// its Dockerfiles are what people write. Podman answers as Docker does, but has a builder of its
/// own, which speaks the classic protocol.
fn default_builder(headers: &HeaderMap) -> Builder {
    let linux = header(headers, "ostype").is_none_or(|os| os == "linux");
    if linux && !headers.contains_key("libpod-api-version") { Builder::Buildkit } else { Builder::Classic }
}

/// A version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(Version::parse("1.9") < Version::parse("1.41"));
        assert_eq!(Version::parse("1.41").map(|version| version.to_string()).as_deref(), Some("1.41"));
        assert_eq!(Version::parse("one"), None);
    }

    #[test]
    fn buildkit_is_the_builder_of_docker_on_linux() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(name, value)| {
                    (hyper::header::HeaderName::from_static(name), hyper::header::HeaderValue::from_static(value))
                })
                .collect::<HeaderMap>()
        };
        assert_eq!(default_builder(&headers(&[("ostype", "linux"), ("builder-version", "1")])), Builder::Buildkit);
        assert_eq!(default_builder(&headers(&[("ostype", "windows")])), Builder::Classic);
        assert_eq!(
            default_builder(&headers(&[("ostype", "linux"), ("libpod-api-version", "5.0.0")])),
            Builder::Classic
        );
    }
}
