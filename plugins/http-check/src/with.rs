//! What the step takes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_plugin::health::{ContainerHttp, ContainerPort, HttpProbe, Policy, Target, UrlHttp};
use windlass_plugin::http::Request;
use windlass_plugin::with::Duration;
use windlass_plugin::{Failure, NamedValue, Value, bail};
use windlass_plugin_parts::{Statuses, policy};

/// What the step takes: what to ask, and what the answer has to be. It asks a `url`, or a `path` of a `port` of a
/// `container`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("if" = { "required": ["container"] }, "then" = { "required": ["port"] }, "else" = { "required": ["url"] }))]
pub(crate) struct With {
    /// The URL to ask. Needs a grant in `health`; with `method`, `headers`, `body` or `redirects` one in `http`.
    pub(crate) url: Option<String>,
    /// The container to ask, by its name in the pipeline. Needs a grant in `health` for that name.
    pub(crate) container: Option<String>,
    /// With `container`: the port inside it. It need not be published.
    pub(crate) port: Option<u16>,
    /// With `container`: the path with its query; `/` if left out.
    #[schemars(regex(pattern = "^/"))]
    pub(crate) path: Option<String>,
    /// The status that is expected, as `200` or `"200-399"`; any from 200 to 299 if left out.
    #[serde(default)]
    pub(crate) status: Option<Statuses>,
    /// Text that the body has to contain.
    pub(crate) contains: Option<String>,
    /// With `url`: the method, in capitals. The request is then sent through `http`, and gives `status` and `body`.
    #[schemars(regex(pattern = "^[A-Z]+$"))]
    pub(crate) method: Option<String>,
    /// With `url`: headers, text or `{ secret = "name" }`; as `method`, through `http`.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Value>,
    /// With `url`: the request's body; as `method`, through `http`.
    pub(crate) body: Option<String>,
    /// With `url`: how many redirects to follow, each of which has to be granted; as `method`, through `http`. The
    /// redirect itself is the answer if left out.
    pub(crate) redirects: Option<u32>,
    /// Time between attempts; `"1s"` if left out.
    pub(crate) interval: Option<Duration>,
    /// Time limit of one attempt; `"5s"` if left out.
    pub(crate) timeout: Option<Duration>,
    /// How many failures in a row, after `start-period`, are a failure; 3 if left out, and 1 for methods that change
    /// something.
    #[schemars(range(min = 1))]
    pub(crate) retries: Option<u32>,
    /// How long to begin with failures do not count; not at all if left out.
    pub(crate) start_period: Option<Duration>,
    /// How many successes in a row are a success; 1 if left out.
    #[schemars(range(min = 1))]
    pub(crate) success_threshold: Option<u32>,
}

/// How the question is put.
#[derive(Debug, PartialEq)]
pub(crate) enum Question {
    /// By the host, as a health check.
    Probe(Target, Policy),
    /// By a request, whose answer the step sees.
    Request(Request, Policy),
}

impl With {
    /// Which statuses are expected.
    pub(crate) fn statuses(&self) -> Statuses {
        self.status.unwrap_or_default()
    }

    /// How to ask.
    ///
    /// # Errors
    /// It does not say whom, or says it twice.
    pub(crate) fn question(&self) -> Result<Question, Failure> {
        let by_request =
            self.method.is_some() || !self.headers.is_empty() || self.body.is_some() || self.redirects.is_some();
        match (&self.url, &self.container) {
            (Some(_), Some(_)) => bail!("it takes a `url` or a `container`, not both"),
            (None, None) => bail!("nothing to ask: give it a `url`, or a `container` and its `port`"),
            (Some(_), None) if self.port.is_some() || self.path.is_some() => {
                bail!("`port` and `path` go with `container`; a `url` has its own")
            }
            (Some(url), None) if by_request => {
                let request = self.request(url);
                let policy = self.policy(matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS"));
                Ok(Question::Request(request, policy))
            }
            (Some(url), None) => {
                Ok(Question::Probe(Target::Url(UrlHttp { url: url.clone(), probe: self.probe() }), self.policy(true)))
            }
            (None, Some(_)) if by_request => bail!("`method`, `headers`, `body` and `redirects` go with `url`"),
            (None, Some(container)) => {
                let Some(port) = self.port else { bail!("`container` needs the `port` inside it") };
                let port = ContainerPort { container: container.clone(), port };
                let path = self.path.clone().unwrap_or_else(|| "/".to_owned());
                Ok(Question::Probe(
                    Target::ContainerHttp(ContainerHttp { port, path, probe: self.probe() }),
                    self.policy(true),
                ))
            }
        }
    }

    fn probe(&self) -> HttpProbe {
        let statuses = self.statuses();
        HttpProbe {
            status_min: Some(statuses.min),
            status_max: Some(statuses.max),
            body_contains: self.contains.clone(),
        }
    }

    fn request(&self, url: &str) -> Request {
        // A body without a method is meant to be sent.
        let method = self.method.clone().unwrap_or_else(|| if self.body.is_some() { "POST" } else { "GET" }.to_owned());
        Request {
            headers: self.headers.iter().map(|(name, value)| NamedValue::new(name, value.clone())).collect(),
            body: self.body.clone().map(String::into_bytes),
            timeout_ms: Some(self.timeout.map_or(Policy::default().timeout_ms, Duration::millis)),
            redirects: self.redirects.unwrap_or(0),
            ..Request::new(method, url)
        }
    }

    fn policy(&self, repeatable: bool) -> Policy {
        let retries = if repeatable { Policy::default().retries } else { 1 };
        let default = Policy { start_period_ms: 0, retries, ..Policy::default() };
        policy(self.interval, self.timeout, self.retries, self.start_period, self.success_threshold, default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str) -> Result<Question, String> {
        let with: With = serde_json::from_str(text).map_err(|error| error.to_string())?;
        with.question().map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_plain_check_is_a_probe() {
        let Ok(Question::Probe(Target::ContainerHttp(target), policy)) = question(
            r#"{"container":"web","port":80,"path":"/version","contains":"1.2","retries":5,"status":"200-204"}"#,
        ) else {
            unreachable!("a probe")
        };
        assert_eq!(
            (target.path.as_str(), target.probe.status_max, target.probe.body_contains.as_deref()),
            ("/version", Some(204), Some("1.2"))
        );
        assert_eq!((policy.retries, policy.start_period_ms), (5, 0));
        assert!(matches!(question(r#"{"url":"http://h/"}"#), Ok(Question::Probe(Target::Url(_), _))));
    }

    #[test]
    fn a_request_of_its_own_goes_through_http() {
        let Ok(Question::Request(request, policy)) =
            question(r#"{"url":"http://h/","body":"x","headers":{"authorization":{"secret":"t"}},"timeout":"2s"}"#)
        else {
            unreachable!("a request")
        };
        assert_eq!((request.method.as_str(), request.timeout_ms, policy.retries), ("POST", Some(2_000), 1));
        assert_eq!(request.headers, [NamedValue::new("authorization", Value::Secret("t".to_owned()))]);
        assert!(
            matches!(question(r#"{"url":"http://h/","method":"GET"}"#), Ok(Question::Request(_, policy)) if policy.retries == 3)
        );
    }

    #[test]
    fn what_does_not_belong_together() {
        assert!(question("{}").unwrap_err().contains("nothing to ask"));
        assert!(question(r#"{"url":"u","container":"c"}"#).unwrap_err().contains("not both"));
        assert!(question(r#"{"container":"c"}"#).unwrap_err().contains("needs the `port`"));
        assert!(question(r#"{"container":"c","port":1,"method":"GET"}"#).unwrap_err().contains("go with `url`"));
        assert!(question(r#"{"url":"u","path":"/x"}"#).unwrap_err().contains("go with `container`"));
    }
}
