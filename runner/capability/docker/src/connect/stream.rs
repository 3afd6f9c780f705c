//! The daemon's stream of events about a build, push or pull: one JSON object a line.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::Value as Json;

/// One event.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Event {
    /// The layer it is about; for a build's side data what kind of data it is.
    pub(crate) id: Option<String>,
    /// What is happening, of a push or pull.
    pub(crate) status: Option<String>,
    /// Output of a build.
    pub(crate) stream: Option<String>,
    /// That it failed, in the old form.
    error: Option<String>,
    /// That it failed.
    #[serde(rename = "errorDetail")]
    detail: Option<Detail>,
    /// How far it is.
    #[serde(rename = "progressDetail")]
    pub(crate) progress: Option<Progress>,
    /// Side data.
    pub(crate) aux: Option<Json>,
}

#[derive(Debug, Deserialize)]
struct Detail {
    message: Option<String>,
}

/// How far a layer is, in bytes.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Progress {
    pub(crate) current: Option<i64>,
    pub(crate) total: Option<i64>,
}

impl Event {
    /// Why it failed, if it did.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.detail.as_ref().and_then(|detail| detail.message.as_deref()).or(self.error.as_deref())
    }
}

/// Why there is no next event.
#[derive(Debug)]
pub(crate) enum Silence {
    /// Nothing came for as long as was allowed.
    Idle,
    /// The connection broke.
    Broken(String),
}

/// Events as they come.
pub(crate) struct Events {
    body: Incoming,
    buffer: BytesMut,
    idle: Option<Duration>,
    ended: bool,
}

impl Events {
    /// The events of an answer, which may be silent for so long, or for ever.
    pub(crate) fn new(body: Incoming, idle: Option<Duration>) -> Self {
        Self { body, buffer: BytesMut::new(), idle, ended: false }
    }

    /// The next event, or `None` at the end. A line that is no event is passed over.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Silence> {
        loop {
            while let Some(line) = self.line() {
                if let Ok(event) = serde_json::from_slice(&line) {
                    return Ok(Some(event));
                }
            }
            if self.ended {
                return Ok(None);
            }
            let frame = match self.idle {
                Some(idle) => tokio::time::timeout(idle, self.body.frame()).await.map_err(|_| Silence::Idle)?,
                None => self.body.frame().await,
            };
            match frame {
                None => self.ended = true,
                Some(Err(error)) => return Err(Silence::Broken(error.to_string())),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }

    fn line(&mut self) -> Option<Bytes> {
        match self.buffer.iter().position(|&byte| byte == b'\n') {
            Some(end) => Some(self.buffer.split_to(end + 1).freeze()),
            None if self.ended && !self.buffer.is_empty() => Some(self.buffer.split().freeze()),
            None => None,
        }
    }
}
