//! Sends a request, follows its redirects, and reads the answer.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};
use tokio::time::timeout;
use url::Url;
use windlass_gate::api::Pair;
use windlass_gate::api::http::{Request, Response, Send};
use windlass_gate::{Authority, Call, CallError};
use windlass_pipeline::grants::vocabulary::METHODS;
use windlass_pipeline::{Demand, Grants};

use crate::body::{self, BodyError};
use crate::client::Clients;
use crate::headers::Headers;
use crate::{address, fault, words};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_BODY: u64 = 1 << 20;
/// An answer is held in memory and written into the journal.
const LARGEST_BODY: u64 = 16 << 20;
/// What browsers follow, too; more of them is a loop.
const MOST_REDIRECTS: u32 = 20;

/// Does what `http.send` asks.
pub(crate) async fn send(clients: &Clients, call: &Call) -> Result<Response, CallError> {
    let Send { request } = call.decode()?;
    let limits = Limits::of(&request)?;
    let message = Message::of(call, request)?;
    let what = message.to_string();
    timeout(limits.time, exchange(clients, call, message, &limits)).await.unwrap_or_else(|_| {
        Err(CallError::TimedOut(format!(
            "{what} got no complete answer within {}; give it a larger `timeout-ms` if it needs longer",
            words::time(limits.time)
        )))
    })
}

struct Limits {
    time: Duration,
    body: u64,
    redirects: u32,
}

impl Limits {
    fn of(request: &Request) -> Result<Self, CallError> {
        let time = request.timeout_ms.map_or(DEFAULT_TIMEOUT, Duration::from_millis);
        if time.is_zero() {
            return Err(CallError::Invalid("`timeout-ms` is 0; leave it out for 30 s".to_owned()));
        }
        let body = request.max_body.unwrap_or(DEFAULT_BODY);
        if body > LARGEST_BODY {
            return Err(CallError::Invalid(format!(
                "`max-body` is {body}; {} ({LARGEST_BODY}) is the most there can be",
                words::size(LARGEST_BODY)
            )));
        }
        let redirects = request.redirects;
        if redirects > MOST_REDIRECTS {
            return Err(CallError::Invalid(format!(
                "`redirects` is {redirects}; at most {MOST_REDIRECTS} are followed"
            )));
        }
        Ok(Self { time, body, redirects })
    }
}

/// A request on its way from address to address.
struct Message {
    method: Method,
    url: Url,
    headers: Headers,
    body: Option<Bytes>,
}

/// As errors name it: `GET http://127.0.0.1/`.
impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, words::shown(&self.url))
    }
}

impl Message {
    fn of(call: &Call, request: Request) -> Result<Self, CallError> {
        if !METHODS.contains(&request.method.as_str()) {
            return Err(CallError::Invalid(format!(
                "`{}` is not a method that can be sent; possible are {}",
                request.method,
                METHODS.join(", ")
            )));
        }
        let method =
            Method::from_bytes(request.method.as_bytes()).map_err(|error| CallError::Invalid(error.to_string()))?;
        let url = address::url(&request.url)?;
        let headers = Headers::of(call, &method, &request.headers)?;
        Ok(Self { method, url, headers, body: request.body.map(Bytes::from) })
    }

    /// Turns to where an answer points, as browsers do.
    fn turn(&mut self, status: StatusCode, to: Url) {
        let becomes_get = match status {
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            _ => false,
        };
        if becomes_get && self.method != Method::GET {
            self.method = Method::GET;
            self.body = None;
            self.headers.leave_body();
        }
        if to.origin() != self.url.origin() {
            self.headers.leave_host();
        }
        self.url = to;
    }
}

async fn exchange(
    clients: &Clients,
    call: &Call,
    mut message: Message,
    limits: &Limits,
) -> Result<Response, CallError> {
    let mut followed = 0;
    loop {
        let mut request = clients
            .of(&message.url)?
            .request(message.method.clone(), message.url.clone())
            .headers(message.headers.map());
        if let Some(body) = &message.body {
            request = request.body(body.clone());
        }
        let mut response = request.send().await.map_err(|error| fault::of_request(&message.to_string(), &error))?;
        if followed < limits.redirects
            && let Some(to) = redirect(&message, &response)?
        {
            let from = words::shown(&message.url);
            message.turn(response.status(), to);
            allowed(call, &message, &from)?;
            followed += 1;
            continue;
        }
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| Pair {
                name: name.as_str().to_owned(),
                value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
            })
            .collect();
        let body = body::whole(&mut response, limits.body).await.map_err(|error| match error {
            BodyError::TooLarge => CallError::TooLarge(format!(
                "the answer to {message} is larger than {}; give a larger `max-body`, {} at most",
                words::size(limits.body),
                words::size(LARGEST_BODY)
            )),
            BodyError::Broken(error) => fault::of_request(&message.to_string(), &error),
        })?;
        return Ok(Response { status, headers, body: without_secrets(call, body), url: message.url.into() });
    }
}

/// A server may say back what it was told. The gate takes secrets out of the whole answer, but a body
/// is base64 there, and would not be one any more afterwards.
fn without_secrets(call: &Call, body: Vec<u8>) -> Vec<u8> {
    let redactor = call.run.secrets.redactor();
    if redactor.is_empty() {
        return body;
    }
    match String::from_utf8(body) {
        Ok(text) => redactor.text(text).into_bytes(),
        Err(binary) => binary.into_bytes(),
    }
}

/// Where the answer points, if it is a redirect that says so.
fn redirect(message: &Message, response: &reqwest::Response) -> Result<Option<Url>, CallError> {
    let moves = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = response.headers().get(LOCATION).filter(|_| moves);
    let Some(location) = location else { return Ok(None) };
    let location = String::from_utf8_lossy(location.as_bytes());
    let to = message.url.join(&location).map_err(|error| {
        CallError::Other(format!(
            "{message} is redirected to `{location}`, which is not a URL: {error}; \
             with `redirects` 0 you get the redirect itself"
        ))
    })?;
    match address::fault(&to) {
        None => Ok(Some(to)),
        Some(fault) => {
            Err(CallError::Denied(format!("{message} is redirected to `{}`, which {fault}", words::shown(&to))))
        }
    }
}

/// Holds an address that a server chose against what the step may ask.
fn allowed(call: &Call, message: &Message, from: &str) -> Result<(), CallError> {
    let Authority::Step(authority) = &call.authority else { return Ok(()) };
    let demand = Demand::new("http", message.method.as_str(), message.url.as_str());
    if authority.grants.allows(&demand).is_some() {
        return Ok(());
    }
    let hint = Grants::denial_hint(&demand, &authority.stage, &authority.step);
    Err(CallError::Denied(format!("{from} redirects to {message}, which is not granted: {hint}")))
}
