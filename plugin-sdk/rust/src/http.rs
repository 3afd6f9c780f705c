//! HTTP requests to granted addresses.
//!
//! ```no_run
//! use windlass_plugin::{Failure, Value, ensure};
//! use windlass_plugin::http::{self, Request};
//!
//! # fn f() -> Result<(), Failure> {
//! let request = Request::post("https://api.example/releases", r#"{"version":"1.2"}"#)
//!     .header("content-type", "application/json")
//!     .header("authorization", Value::Secret("api-token".to_owned()));
//! let answer = http::send(&request)?;
//! ensure!(answer.is_success(), "{}: {}", answer.status, answer.text());
//! # Ok(()) }
//! ```

use std::borrow::Cow;

pub use crate::bindings::windlass::http::http::{Error, Request, Response};
use crate::host::host;
use crate::{NamedValue, Value};

host! {
    "http", crate::bindings::windlass::http::http =>
    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// Why it was not done.
    fn send(request: &Request) -> Result<Response, Error>;
}

impl Request {
    /// A request with any method.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            timeout_ms: None,
            redirects: 0,
            max_body: None,
        }
    }

    /// A GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A POST of a body.
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { body: Some(body.into()), ..Self::new("POST", url) }
    }

    /// Adds a header; its value may be a secret.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.headers.push(NamedValue::new(name, value));
        self
    }
}

impl Response {
    /// An answer, for tests.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), url: String::new() }
    }

    /// Whether the status is one of 200 to 299.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(&found.value)
    }
}
