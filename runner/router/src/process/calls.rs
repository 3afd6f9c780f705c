//! The control API's HTTP: paths, bodies and statuses.

use super::sway::Sway;
use crate::api::{ErrorBody, Refusal, Stop, Window};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Somebody on this connection has asked for the router's end, with this limit. It begins when they
/// have their answer: a router with nothing under way would be gone before.
pub(super) type EndAsked = OnceLock<Option<Duration>>;

/// A table of thousands of endpoints is smaller.
const LARGEST: usize = 16 << 20;

pub(super) async fn answer(
    request: Request<Incoming>,
    sway: Arc<Sway>,
    end: Arc<EndAsked>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match call(request, sway, &end).await {
        Ok(body) => {
            let mut response = json(StatusCode::OK, body);
            if end.get().is_some() {
                response.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
            }
            response
        }
        Err(error) => {
            let status = status(&error);
            let message = error.to_string();
            json(status, serde_json::to_vec(&ErrorBody { error, message }).unwrap_or_default())
        }
    })
}

async fn call(request: Request<Incoming>, sway: Arc<Sway>, end: &EndAsked) -> Result<Vec<u8>, Refusal> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    match (&method, path.as_str()) {
        (&Method::GET, "/v1/health") => answered(&sway.health()),
        (&Method::GET, "/v1/state") => answered(&sway.state()),
        (&Method::GET, "/v1/measurements") => {
            let query = request.uri().query().unwrap_or_default();
            let (service, window) = window(query, sway.traffic.books.clock.now_ms())?;
            answered(&sway.measurements(&service, window)?)
        }
        (&Method::POST, "/v1/apply") => {
            let apply = body(request).await?;
            // It waits for the disk.
            let done = tokio::task::spawn_blocking(move || sway.apply(&apply)).await;
            answered(&done.map_err(|why| Refusal::NotDurable { why: why.to_string() })??)
        }
        (&Method::POST, "/v1/drain") => answered(&sway.drain(&body(request).await?).await?),
        (&Method::POST, "/v1/hold") => answered(&sway.hold(&body(request).await?)?),
        (&Method::POST, "/v1/release") => answered(&sway.release(&body(request).await?)?),
        (&Method::POST, "/v1/stop") => {
            let stop: Stop = body(request).await?;
            // Asking twice on one connection changes nothing.
            let _ = end.set(stop.limit_ms.map(Duration::from_millis));
            answered(&sway.health())
        }
        _ => Err(Refusal::UnknownCall { method: method.to_string(), path }),
    }
}

fn answered(answer: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(answer).map_err(|why| invalid("the answer", why))
}

async fn body<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Refusal> {
    let body = Limited::new(request.into_body(), LARGEST).collect().await;
    let body = body.map_err(|why| invalid("the body", why))?.to_bytes();
    serde_json::from_slice(&body).map_err(|why| invalid("the body", why))
}

/// `service=NAME` and `from_ms=T&to_ms=T`, or `last_ms=N`. Names need no escapes.
fn window(query: &str, now_ms: u64) -> Result<(String, Window), Refusal> {
    let get = |name: &str| query.split('&').filter_map(|p| p.split_once('=')).find(|(n, _)| *n == name).map(|(_, v)| v);
    let number = |name: &str| {
        let value = get(name).map(|v| v.parse::<u64>().map_err(|why| invalid(name, why)));
        value.transpose()
    };
    let service = get("service").ok_or_else(|| invalid("service", "it is missing"))?;
    let window = match (number("last_ms")?, number("from_ms")?) {
        (Some(last), None) => Window { from_ms: now_ms.saturating_sub(last), to_ms: now_ms },
        (None, Some(from_ms)) => {
            let to_ms = number("to_ms")?.unwrap_or(now_ms);
            if from_ms > to_ms {
                return Err(invalid("the window", "it ends before it begins"));
            }
            // The second that is not over is left to the next window: told now, it would be told as a whole, and what
            // still happens in it would be in no window.
            let whole = |ms: u64| ms - ms % 1_000;
            Window { from_ms, to_ms: to_ms.min(whole(now_ms)).max(whole(from_ms)) }
        }
        _ => return Err(invalid("the window", "either `last_ms`, or `from_ms` and perhaps `to_ms`, is needed")),
    };
    Ok((service.to_owned(), window))
}

fn invalid(place: &str, why: impl ToString) -> Refusal {
    Refusal::Invalid { place: place.to_owned(), why: why.to_string() }
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Stale { .. }
        | Refusal::IdentityReused { .. }
        | Refusal::Serving { .. }
        | Refusal::Owned { .. }
        | Refusal::Reserved { .. }
        | Refusal::Downtime { .. }
        | Refusal::NotBegun { .. }
        | Refusal::OutOfTurn { .. } => StatusCode::CONFLICT,
        Refusal::UnknownService { .. } | Refusal::UnknownRevision { .. } | Refusal::UnknownCall { .. } => {
            StatusCode::NOT_FOUND
        }
        Refusal::HandingOver => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::NotDurable { .. } => StatusCode::INSUFFICIENT_STORAGE,
        Refusal::OverCapacity { .. }
        | Refusal::WeightSum { .. }
        | Refusal::RouteConflict { .. }
        | Refusal::Invalid { .. }
        | Refusal::Unsupported { .. }
        | Refusal::Inexpressible { .. }
        | Refusal::Proxy { .. }
        | Refusal::Listen { .. } => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn json(status: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
