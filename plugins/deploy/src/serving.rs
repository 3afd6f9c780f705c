//! How a revision is served: what the router is told of it, and what a rollback needs to bring it back as it was.
//!
//! It stands as JSON in a label of the revision's containers, so that a rollback needs no file and not the `with` of
//! long ago. A field that older containers do not have gets its default.

use serde::{Deserialize, Serialize};
use windlass_plugin::health::{ContainerHttp, ContainerPort, HttpProbe, Target};
use windlass_plugin::prelude::Failure;
use windlass_plugin::with::Duration;
use windlass_plugin::{OrFail, traffic};

use crate::with::{Route, RouterCheck, Sticky};

/// How a revision is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Serving {
    /// The port inside the containers.
    pub(crate) port: u16,
    /// How many ready containers carry all of the traffic.
    pub(crate) carry: u32,
    /// Which requests are the service's.
    pub(crate) routes: Vec<RouteTo>,
    /// Keeps clients with a revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sticky: Option<Cookie>,
    /// The header with which testers choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) override_header: Option<String>,
    /// The router's own check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) router_check: Option<Watched>,
    /// When a container counts as healthy.
    pub(crate) check: Check,
}

/// Which requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RouteTo {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    pub(crate) path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) listeners: Vec<String>,
}

/// The cookie of a sticky service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Cookie {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_age_s: Option<u64>,
}

/// How the router checks a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Watched {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    pub(crate) interval_ms: u64,
    pub(crate) timeout_ms: u64,
    pub(crate) up_after: u32,
    pub(crate) down_after: u32,
}

/// When a container counts as healthy, and how long it has to get so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Check {
    pub(crate) probe: Probe,
    pub(crate) interval_ms: u64,
    pub(crate) timeout_ms: u64,
    pub(crate) deadline_ms: u64,
}

/// What to ask a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Probe {
    Http {
        port: u16,
        path: String,
        min: u16,
        max: u16,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contains: Option<String>,
    },
    Tcp(u16),
    Command(Vec<String>),
    Docker,
}

impl Probe {
    /// The probe of one container.
    pub(crate) fn of(&self, container: &str) -> Target {
        match self {
            Self::Http { port, path, min, max, contains } => {
                let probe =
                    HttpProbe { status_min: Some(*min), status_max: Some(*max), body_contains: contains.clone() };
                let port = ContainerPort { container: container.to_owned(), port: *port };
                Target::ContainerHttp(ContainerHttp { port, path: path.clone(), probe })
            }
            Self::Tcp(port) => Target::tcp(container, *port),
            Self::Command(command) => Target::command(container, command.clone()),
            Self::Docker => Target::Docker(container.to_owned()),
        }
    }
}

impl From<&Route> for RouteTo {
    fn from(route: &Route) -> Self {
        Self { host: route.host.clone(), path: route.path.clone(), listeners: route.listeners.clone() }
    }
}

impl From<&RouteTo> for traffic::Route {
    fn from(route: &RouteTo) -> Self {
        Self { host: route.host.clone(), path: route.path.clone(), listeners: route.listeners.clone(), revision: None }
    }
}

impl From<&Sticky> for Cookie {
    fn from(sticky: &Sticky) -> Self {
        // Whole seconds; a part of one counts, for 0 would end the cookie at once.
        Self { name: sticky.cookie.clone(), max_age_s: sticky.max_age.map(|age| age.millis().div_ceil(1_000)) }
    }
}

impl From<&RouterCheck> for Watched {
    fn from(check: &RouterCheck) -> Self {
        let millis = |time: Option<Duration>| time.map_or(2_000, Duration::millis);
        Self {
            path: check.path.clone(),
            interval_ms: millis(check.interval),
            timeout_ms: millis(check.timeout),
            up_after: check.up_after.unwrap_or(1),
            down_after: check.down_after.unwrap_or(3),
        }
    }
}

impl Serving {
    /// As the value of a label.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn written(&self) -> Result<String, Failure> {
        serde_json::to_string(self).or_fail("write down how the revision is served")
    }

    /// From the value of a label.
    ///
    /// # Errors
    /// It is not what this plugin wrote.
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).or_fail("its label does not say how it is served")
    }

    /// The deploy of a revision that is served so.
    pub(crate) fn deployment(&self, service: &str, revision: &str, strategy: &str) -> traffic::Deployment {
        traffic::Deployment {
            routes: self.routes.iter().map(Into::into).collect(),
            replicas: self.carry,
            sticky: self
                .sticky
                .as_ref()
                .map(|Cookie { name, max_age_s }| traffic::Sticky { cookie: name.clone(), max_age_s: *max_age_s }),
            override_header: self.override_header.clone(),
            check: self.router_check.as_ref().map(|check| traffic::RouterCheck {
                path: check.path.clone(),
                interval_ms: check.interval_ms,
                timeout_ms: check.timeout_ms,
                up_after: check.up_after,
                down_after: check.down_after,
            }),
            ..traffic::Deployment::new(service, revision, strategy)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn serving(carry: u32) -> Serving {
        Serving {
            port: 8080,
            carry,
            routes: vec![RouteTo { host: None, path: "/".to_owned(), listeners: Vec::new() }],
            sticky: None,
            override_header: None,
            router_check: None,
            check: Check { probe: Probe::Tcp(8080), interval_ms: 1_000, timeout_ms: 5_000, deadline_ms: 30_000 },
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut all = serving(2);
        all.routes[0] = RouteTo {
            host: Some("shop.example".to_owned()),
            path: "/api".to_owned(),
            listeners: vec!["127.0.0.1:80".to_owned()],
        };
        all.sticky = Some(Cookie { name: "seen".to_owned(), max_age_s: Some(60) });
        all.override_header = Some("X-Revision".to_owned());
        all.router_check = Some(Watched {
            path: Some("/health".to_owned()),
            interval_ms: 1,
            timeout_ms: 2,
            up_after: 3,
            down_after: 4,
        });
        for probe in [
            Probe::Http { port: 1, path: "/".to_owned(), min: 200, max: 204, contains: Some("x".to_owned()) },
            Probe::Tcp(1),
            Probe::Command(vec!["true".to_owned()]),
            Probe::Docker,
        ] {
            all.check.probe = probe;
            assert_eq!(Serving::read(&all.written().unwrap()).unwrap(), all);
        }
        assert!(Serving::read("{}").is_err());
    }

    #[test]
    fn the_router_is_told_all_of_it() {
        let deployment = serving(3).deployment("shop", "v2", "rolling");
        assert_eq!((deployment.replicas, deployment.routes.len(), deployment.downtime), (3, 1, false));
        assert_eq!(deployment.strategy, "rolling");
    }
}
