//! The headers of a request: secrets revealed, and those that belong to the connection refused.

use reqwest::Method;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use windlass_gate::api::{NamedValue, Value};
use windlass_gate::{Call, CallError};

/// Says which call a request belongs to, so that the other side can tell a repetition.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Headers that the client itself sets, or that would change whom the request reaches: behind one
/// address there may be many hosts, and the grant names one.
const REFUSED: &[HeaderName] = &[
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Headers that show who asks.
const CREDENTIALS: &[HeaderName] = &[header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];

/// Headers that describe the body.
const OF_BODY: &[HeaderName] =
    &[header::CONTENT_ENCODING, header::CONTENT_LANGUAGE, header::CONTENT_LOCATION, header::CONTENT_TYPE];

/// The headers of a request on its way.
pub(crate) struct Headers {
    list: Vec<Header>,
}

struct Header {
    name: HeaderName,
    value: HeaderValue,
    /// Whether it is for the first host alone.
    credential: bool,
}

impl Headers {
    /// Reads the headers of a call.
    pub(crate) fn of(call: &Call, method: &Method, given: &[NamedValue]) -> Result<Self, CallError> {
        let mut list = Vec::with_capacity(given.len() + 1);
        for NamedValue { name, value } in given {
            let parsed = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| CallError::Invalid(format!("`{name}` cannot be the name of a header")))?;
            if REFUSED.contains(&parsed) {
                return Err(CallError::Invalid(format!(
                    "the header `{parsed}` cannot be given; the URL and the body decide it"
                )));
            }
            let secret = matches!(value, Value::Secret(_));
            let text = call.run.secrets.reveal(value)?;
            // The text is not shown: it may be the secret.
            let mut value = HeaderValue::from_str(&text).map_err(|_| {
                CallError::Invalid(format!(
                    "the value of the header `{parsed}` has a character that no header can have, \
                         a line break for example"
                ))
            })?;
            value.set_sensitive(secret);
            let credential = secret || CREDENTIALS.contains(&parsed);
            list.push(Header { name: parsed, value, credential });
        }
        let repeatable = !matches!(*method, Method::POST | Method::PATCH);
        if !repeatable && !list.iter().any(|header| header.name == IDEMPOTENCY_KEY) {
            let value = HeaderValue::from_str(&call.identity())
                .map_err(|error| CallError::Other(format!("the call's identity cannot be a header: {error}")))?;
            list.push(Header { name: IDEMPOTENCY_KEY, value, credential: false });
        }
        Ok(Self { list })
    }

    /// Forgets what another host must not see.
    pub(crate) fn leave_host(&mut self) {
        self.list.retain(|header| !header.credential);
    }

    /// Forgets what belongs to a body that is not sent any more.
    pub(crate) fn leave_body(&mut self) {
        self.list.retain(|header| !OF_BODY.contains(&header.name) && header.name != IDEMPOTENCY_KEY);
    }

    /// The headers for one request. One name may stand more than once.
    pub(crate) fn map(&self) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(self.list.len());
        for header in &self.list {
            map.append(header.name.clone(), header.value.clone());
        }
        map
    }
}
