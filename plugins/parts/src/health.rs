//! `health = { http = "/health", port = 8080 }`: when a service counts as healthy.

use schemars::JsonSchema;
use serde::Deserialize;
use windlass_plugin::health::{ContainerHttp, ContainerPort, HttpProbe, Policy, Target};
use windlass_plugin::with::Duration;
use windlass_plugin::{Failure, OrFail, bail};

use crate::{Statuses, policy};

/// How to tell that a service is healthy: one of `http`, `tcp`, `command` and `docker`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("dependentRequired" = { "http": ["port"], "port": ["http"], "status": ["http"], "contains": ["http"] }))]
pub struct Health {
    /// A path to GET on `port` of the container, as `/health`.
    #[schemars(regex(pattern = "^/"))]
    http: Option<String>,
    /// With `http`: the port inside the container. It need not be published.
    port: Option<u16>,
    /// With `http`: the status that counts as healthy, as `200` or `"200-399"`; any from 200 to 299 if left out.
    status: Option<Statuses>,
    /// With `http`: text that the body has to contain.
    contains: Option<String>,
    /// A port inside the container that has to accept a TCP connection.
    tcp: Option<u16>,
    /// A command in the container; exit code 0 is healthy.
    command: Option<Vec<String>>,
    /// Docker's own check, by the image's HEALTHCHECK. An image without one is healthy when it runs.
    #[serde(default)]
    docker: bool,
    /// Time between attempts; `"1s"` if left out.
    interval: Option<Duration>,
    /// Time limit of one attempt; `"5s"` if left out.
    timeout: Option<Duration>,
    /// How many failures in a row, after `start-period`, make it unhealthy; 3 if left out.
    retries: Option<u32>,
    /// How long it has to come up: failures in this time do not count; `"30s"` if left out.
    start_period: Option<Duration>,
    /// How many successes in a row make it healthy; 1 if left out.
    success_threshold: Option<u32>,
}

/// A check that can be made: what to ask, and how often.
pub type Check = (Target, Policy);

impl Health {
    /// The check of this container.
    ///
    /// # Errors
    /// It does not say what to check, or says it twice.
    pub fn check(&self, container: &str) -> Result<Check, Failure> {
        let policy = policy(
            self.interval,
            self.timeout,
            self.retries,
            self.start_period,
            self.success_threshold,
            Policy::default(),
        );
        let http_only =
            [("port", self.port.is_some()), ("status", self.status.is_some()), ("contains", self.contains.is_some())];
        let stray = http_only.iter().find(|(_, given)| *given && self.http.is_none());
        if let Some((key, _)) = stray {
            bail!("`health.{key}` goes with `health.http`");
        }
        let target = match (&self.http, self.tcp, &self.command, self.docker) {
            (Some(path), None, None, false) => {
                let port = self.port.or_fail("`health.http` needs `health.port`, the port inside the container")?;
                let probe = HttpProbe {
                    status_min: self.status.map(|status| status.min),
                    status_max: self.status.map(|status| status.max),
                    body_contains: self.contains.clone(),
                };
                let port = ContainerPort { container: container.to_owned(), port };
                Target::ContainerHttp(ContainerHttp { port, path: path.clone(), probe })
            }
            (None, Some(port), None, false) => Target::tcp(container, port),
            (None, None, Some(command), false) => Target::command(container, command.clone()),
            (None, None, None, true) => Target::Docker(container.to_owned()),
            (None, None, None, false) => {
                bail!("`health` says nothing to check: give it `http`, `tcp`, `command` or `docker = true`")
            }
            _ => bail!("`health` takes one of `http`, `tcp`, `command` and `docker`, not several"),
        };
        Ok((target, policy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Check, String> {
        let health: Health = serde_json::from_str(text).map_err(|error| error.to_string())?;
        health.check("web").map_err(|failure| failure.to_string())
    }

    #[test]
    fn each_kind() {
        assert_eq!(
            check(r#"{"http":"/health","port":80}"#),
            Ok((Target::http("web", 80, "/health"), Policy::default()))
        );
        assert_eq!(check(r#"{"tcp":5432}"#), Ok((Target::tcp("web", 5432), Policy::default())));
        assert_eq!(check(r#"{"command":["true"]}"#), Ok((Target::command("web", ["true"]), Policy::default())));
        assert_eq!(check(r#"{"docker":true}"#), Ok((Target::Docker("web".to_owned()), Policy::default())));
    }

    #[test]
    fn times_as_people_write_them() {
        let Ok((_, policy)) = check(
            r#"{"tcp":1,"interval":"200ms","timeout":"2s","retries":5,"start-period":"0s","success-threshold":2}"#,
        ) else {
            unreachable!("a probe")
        };
        let expected =
            Policy { interval_ms: 200, timeout_ms: 2_000, retries: 5, start_period_ms: 0, success_threshold: 2 };
        assert_eq!(policy, expected);
    }

    #[test]
    fn exactly_one_kind() {
        assert!(check("{}").unwrap_err().contains("says nothing to check"));
        assert!(check(r#"{"tcp":1,"docker":true}"#).unwrap_err().contains("not several"));
        assert!(check(r#"{"http":"/"}"#).unwrap_err().contains("needs `health.port`"));
        assert!(check(r#"{"tcp":1,"contains":"x"}"#).unwrap_err().contains("goes with `health.http`"));
    }
}
