//! What a stack is, wherever it was written: services in the order in which they are started, networks, volumes.

use std::collections::{BTreeMap, BTreeSet};

use windlass_plugin::docker::ContainerSpec;
use windlass_plugin::{Failure, bail};
use windlass_plugin_parts::Check;

/// Several services that belong together.
#[derive(Debug, Default)]
pub(crate) struct Stack {
    /// In the order in which they were written, until [`Stack::ordered`] has put them in theirs.
    pub(crate) services: Vec<Service>,
    /// Networks that services join, and whether they are cut off from the outside.
    pub(crate) networks: BTreeMap<String, bool>,
    /// Volumes that services mount.
    pub(crate) volumes: BTreeSet<String>,
}

/// A service: one container.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) spec: ContainerSpec,
    /// Whether to pull its image when the daemon does not have it.
    pub(crate) pull: bool,
    /// How to tell that it is healthy. None: by Docker's own check; without one, it is as soon as it runs.
    pub(crate) check: Option<Check>,
    /// The services that it needs.
    pub(crate) needs: Vec<Need>,
}

/// A service that another one needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) service: String,
    pub(crate) condition: Condition,
}

/// What has to be true of a service before one that needs it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It was started.
    Started,
    /// It is healthy, or has no check and runs.
    Ready,
    /// It is healthy by a check, which it has to have.
    Healthy,
}

/// The network of services that name none, as in a compose file.
pub(crate) const DEFAULT_NETWORK: &str = "default";

impl Stack {
    /// The same with its services in the order in which they can be started. `key` is what dependencies are called
    /// where the stack was written.
    ///
    /// # Errors
    /// A service needs one that does not exist, or itself by a detour.
    pub(crate) fn ordered(mut self, key: &str) -> Result<Self, Failure> {
        for service in &self.services {
            for need in &service.needs {
                if !self.services.iter().any(|other| other.name == need.service) {
                    let names: Vec<_> = self.services.iter().map(|service| format!("`{}`", service.name)).collect();
                    bail!(
                        "services.{}.{key}: there is no service `{}`; the stack has {}",
                        service.name,
                        need.service,
                        names.join(", ")
                    );
                }
            }
        }
        // Level by level, so that what waits for nobody is started before anything is waited for.
        let mut ordered: Vec<Service> = Vec::new();
        while !self.services.is_empty() {
            let is_free = |service: &Service| {
                service.needs.iter().all(|need| ordered.iter().any(|done| done.name == need.service))
            };
            let (free, bound): (Vec<_>, Vec<_>) = self.services.into_iter().partition(is_free);
            if free.is_empty() {
                let circle = circle(&bound);
                bail!(
                    "services.{}.{key}: the services need each other in a circle: {}",
                    circle.first().copied().unwrap_or_default(),
                    circle.join(" -> ")
                );
            }
            ordered.extend(free);
            self.services = bound;
        }
        self.services = ordered;
        Ok(self)
    }

    /// Whether somebody needs this service to be healthy by a check: who.
    pub(crate) fn wants_check(&self, name: &str) -> Option<&str> {
        let wants = |need: &Need| need.service == name && need.condition == Condition::Healthy;
        self.services.iter().find(|service| service.needs.iter().any(wants)).map(|service| service.name.as_str())
    }
}

/// A circle among services each of which needs another one of them. Ends with the one that it begins with.
fn circle(bound: &[Service]) -> Vec<&str> {
    let mut path: Vec<&str> = Vec::new();
    let mut at = bound.first();
    while let Some(service) = at {
        if let Some(start) = path.iter().position(|name| *name == service.name) {
            let mut circle = path.split_off(start);
            circle.push(&service.name);
            return circle;
        }
        path.push(&service.name);
        at = service.needs.iter().find_map(|need| bound.iter().find(|other| other.name == need.service));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(services: &[(&str, &[&str])]) -> Stack {
        let need = |name: &&str| Need { service: (*name).to_owned(), condition: Condition::Ready };
        let services = services.iter().map(|(name, needs)| Service {
            name: (*name).to_owned(),
            spec: ContainerSpec::new("i"),
            pull: false,
            check: None,
            needs: needs.iter().map(need).collect(),
        });
        Stack { services: services.collect(), ..Stack::default() }
    }

    fn order(services: &[(&str, &[&str])]) -> Result<Vec<String>, String> {
        let stack = stack(services).ordered("depends-on").map_err(|failure| failure.to_string())?;
        Ok(stack.services.into_iter().map(|service| service.name).collect())
    }

    #[test]
    fn what_is_needed_goes_first_and_otherwise_the_order_stays() {
        let given: &[(&str, &[&str])] = &[("web", &["api", "cache"]), ("api", &["db"]), ("cache", &[]), ("db", &[])];
        assert_eq!(order(given).unwrap(), ["cache", "db", "api", "web"]);
        assert_eq!(order(&[]).unwrap(), [""; 0]);
    }

    #[test]
    fn a_circle_is_named() {
        let given: &[(&str, &[&str])] = &[("web", &["api"]), ("db", &["cache"]), ("api", &["db"]), ("cache", &["api"])];
        assert_eq!(
            order(given).unwrap_err(),
            "services.api.depends-on: the services need each other in a circle: api -> db -> cache -> api"
        );
        assert!(order(&[("web", &["web"])]).unwrap_err().ends_with(": web -> web"));
    }

    #[test]
    fn a_service_that_is_not_there_is_named() {
        let error = order(&[("web", &["bd"]), ("db", &[])]).unwrap_err();
        assert_eq!(error, "services.web.depends-on: there is no service `bd`; the stack has `web`, `db`");
    }
}
