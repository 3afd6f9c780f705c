//! Interlock: a container that serves is neither stopped nor removed, whoever asks and by whichever interface.
//!
//! Two tables know whether it does: that of this run's router, and that of the router which the container's label names,
//! for a run may have been told of another router than the one that deployed it. Without a table nothing serves; one that
//! cannot be read tells nothing, so nothing is let pass.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use windlass_gate::{Call, Function, Guard, Touches};
use windlass_router::{Driver, Standing};

/// Guards the containers that a router's table names.
pub struct Guarded {
    driver: Arc<dyn Driver>,
    containers: Arc<dyn Touches>,
}

impl Guarded {
    /// By the table of this router, and by those that containers name.
    pub fn new(driver: Arc<dyn Driver>, containers: Arc<dyn Touches>) -> Self {
        Self { driver, containers }
    }
}

/// What would be done to a container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    Stopped,
    Removed,
}

impl Done {
    fn verb(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Removed => "removed",
        }
    }
}

#[async_trait]
impl Guard for Guarded {
    async fn veto(&self, call: &Call) -> Option<String> {
        let done = match call.function {
            Function::DockerStop => Done::Stopped,
            Function::DockerRemove | Function::DockerRemoveCreated | Function::DockerSweep => Done::Removed,
            _ => return None,
        };
        // If Docker cannot be asked, the call itself says so.
        let touched = self.containers.touches(call).await.ok()?;
        if touched.is_empty() {
            return None;
        }
        match self.driver.standing().await {
            Ok(standing) => {
                let mut found = touched.iter().filter_map(|container| standing.get(&container.id));
                if let Some(why) = found.find_map(|standing| why_not(done, standing, None)) {
                    return Some(why);
                }
            }
            // What its own step has just made, and takes away since it did not start, is behind no router yet.
            Err(_) if call.function == Function::DockerRemoveCreated => {}
            Err(why) => return Some(not_known(done, &why)),
        }
        let ours = self.driver.name();
        for container in &touched {
            let Some(router) = container.router.as_deref().filter(|router| *router != ours) else { continue };
            let why = match standing_at(router).await {
                Ok(standing) => standing.get(&container.id).and_then(|s| why_not(done, s, Some(router))),
                Err(why) => Some(not_known(done, &why)),
            };
            if why.is_some() {
                return why;
            }
        }
        None
    }
}

/// What another router's table says.
async fn standing_at(router: &str) -> Result<HashMap<String, Standing>, String> {
    let driver = windlass_router::open(router).map_err(|why| why.to_string())?;
    driver.standing().await.map_err(|why| why.to_string())
}

fn not_known(done: Done, why: &dyn std::fmt::Display) -> String {
    format!("it cannot be {}: whether it serves is not known, since {why}", done.verb())
}

/// Why it must not be; `other` is the router if it is not this run's.
fn why_not(done: Done, standing: &Standing, other: Option<&str>) -> Option<String> {
    let Standing { service, revision, serving, in_flight, needed_by } = standing;
    let verb = done.verb();
    let behind =
        other.map(|router| format!(", behind the router {router}, which is not this run's")).unwrap_or_default();
    let with = other.map(|router| format!(" with WINDLASS_ROUTER={router}")).unwrap_or_default();
    if *serving {
        return Some(format!(
            "it cannot be {verb}: it serves requests of service `{service}` as revision `{revision}`{behind}; deploy another revision first{with}, which takes the traffic over"
        ));
    }
    if *in_flight > 0 {
        return Some(format!(
            "it cannot be {verb}: {in_flight} requests to revision `{revision}` of service `{service}` are under way there{behind}; let them finish with `traffic.drain` first{with}"
        ));
    }
    match needed_by {
        Some(run) if done == Done::Removed => Some(format!(
            "it cannot be removed: run {run} deploys service `{service}`{behind}, and if that fails, revision `{revision}` has to serve again; commit or abort the deploy first{with}"
        )),
        _ => None,
    }
}
