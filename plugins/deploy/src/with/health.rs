//! When a new container counts as healthy.

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_plugin::with::Duration;
use windlass_plugin::{Failure, bail};
use windlass_plugin_parts::Statuses;

use crate::serving::{Check, Probe};

/// How to tell that a container is healthy: one of `http`, `tcp`, `command` and `docker`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("dependentRequired" = { "port": ["http"], "status": ["http"], "contains": ["http"] }))]
pub(crate) struct Health {
    /// A path to GET, as `/health`.
    #[schemars(regex(pattern = "^/"))]
    pub(crate) http: Option<String>,
    /// With `http`: the port inside the container, if it is not the one that serves.
    #[schemars(range(min = 1))]
    pub(crate) port: Option<u16>,
    /// With `http`: the status that counts as healthy, as `200` or `"200-399"`; any from 200 to 299 if left out.
    pub(crate) status: Option<Statuses>,
    /// With `http`: text that the body has to contain.
    pub(crate) contains: Option<String>,
    /// A port inside the container that has to accept a TCP connection.
    #[schemars(range(min = 1))]
    pub(crate) tcp: Option<u16>,
    /// A command in the container; exit code 0 is healthy.
    pub(crate) command: Option<Vec<String>>,
    /// Docker's own check, by the image's HEALTHCHECK. An image without one is healthy when it runs.
    #[serde(default)]
    pub(crate) docker: bool,
    /// Time between attempts; `"1s"` if left out.
    pub(crate) interval: Option<Duration>,
    /// Time limit of one attempt; `"5s"` if left out.
    pub(crate) timeout: Option<Duration>,
    /// How long a container has to get healthy; `"30s"` if left out.
    pub(crate) deadline: Option<Duration>,
}

impl Health {
    /// The check, for containers that serve on this port.
    ///
    /// # Errors
    /// It does not say what to check, or says it twice.
    pub(crate) fn check(&self, port: u16) -> Result<Check, Failure> {
        let of_http =
            [("port", self.port.is_some()), ("status", self.status.is_some()), ("contains", self.contains.is_some())];
        if let Some((key, _)) = of_http.iter().find(|(_, given)| *given && self.http.is_none()) {
            bail!("`health.{key}` goes with `health.http`");
        }
        let probe = match (&self.http, self.tcp, &self.command, self.docker) {
            (Some(path), None, None, false) => {
                let status = self.status.unwrap_or_default();
                let (path, contains) = (path.clone(), self.contains.clone());
                Probe::Http { port: self.port.unwrap_or(port), path, min: status.min, max: status.max, contains }
            }
            (None, Some(port), None, false) => Probe::Tcp(port),
            (None, None, Some(command), false) => Probe::Command(command.clone()),
            (None, None, None, true) => Probe::Docker,
            (None, None, None, false) => Probe::Tcp(port),
            _ => bail!("`health` takes one of `http`, `tcp`, `command` and `docker`, not several"),
        };
        let millis = |time: Option<Duration>, default| time.map_or(default, Duration::millis);
        Ok(Check {
            probe,
            interval_ms: millis(self.interval, 1_000),
            timeout_ms: millis(self.timeout, 5_000),
            deadline_ms: millis(self.deadline, 30_000),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Check, String> {
        let health: Health = serde_json::from_str(text).map_err(|error| error.to_string())?;
        health.check(8080).map_err(|failure| failure.to_string())
    }

    #[test]
    fn each_kind() {
        let probe = |text| check(text).map(|check| check.probe);
        let http = Probe::Http { port: 8080, path: "/h".to_owned(), min: 200, max: 299, contains: None };
        assert_eq!(probe(r#"{"http":"/h"}"#), Ok(http));
        assert_eq!(probe(r#"{"tcp":5432}"#), Ok(Probe::Tcp(5432)));
        assert_eq!(probe(r#"{"command":["true"]}"#), Ok(Probe::Command(vec!["true".to_owned()])));
        assert_eq!(probe(r#"{"docker":true}"#), Ok(Probe::Docker));
        let Ok(timed) = check(r#"{"deadline":"5s","interval":"200ms"}"#) else { unreachable!("a check") };
        assert_eq!((timed.probe, timed.interval_ms, timed.deadline_ms), (Probe::Tcp(8080), 200, 5_000));
    }

    #[test]
    fn one_kind_at_most() {
        assert!(check(r#"{"tcp":1,"docker":true}"#).unwrap_err().contains("not several"));
        assert!(check(r#"{"tcp":1,"contains":"x"}"#).unwrap_err().contains("goes with `health.http`"));
        assert!(check(r#"{"tpc":1}"#).unwrap_err().contains("unknown field"));
    }
}
