//! Interlock: a container that serves is neither stopped nor removed, whoever asks and by whichever interface.

use std::sync::Arc;

use async_trait::async_trait;
use windlass_gate::{Call, Function, Guard, Touches};
use windlass_router::{Driver, Standing};

/// Guards the containers that the router's table names.
pub struct Guarded {
    driver: Arc<dyn Driver>,
    containers: Arc<dyn Touches>,
}

impl Guarded {
    /// By the table of this router.
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

#[async_trait]
impl Guard for Guarded {
    async fn veto(&self, call: &Call) -> Option<String> {
        let done = match call.function {
            Function::DockerStop => Done::Stopped,
            Function::DockerRemove | Function::DockerRemoveCreated | Function::DockerSweep => Done::Removed,
            _ => return None,
        };
        // A table that cannot be read at all is no table: nothing was ever put behind this router.
        let standing = self.driver.standing().await.ok()?;
        if standing.is_empty() {
            return None;
        }
        // If Docker cannot be asked, the call itself says so.
        let touched = self.containers.touches(call).await.ok()?;
        touched.iter().filter_map(|id| standing.get(id)).find_map(|standing| why_not(done, standing))
    }
}

fn why_not(done: Done, standing: &Standing) -> Option<String> {
    let Standing { service, revision, serving, in_flight, needed_by } = standing;
    let verb = if done == Done::Stopped { "stopped" } else { "removed" };
    if *serving {
        return Some(format!(
            "it cannot be {verb}: it serves requests of service `{service}` as revision `{revision}`; deploy another revision first, which takes the traffic over"
        ));
    }
    if *in_flight > 0 {
        return Some(format!(
            "it cannot be {verb}: {in_flight} requests to revision `{revision}` of service `{service}` are under way there; let them finish with `traffic.drain` first"
        ));
    }
    match needed_by {
        Some(run) if done == Done::Removed => Some(format!(
            "it cannot be removed: run {run} deploys service `{service}`, and if that fails, revision `{revision}` has to serve again; commit or abort the deploy first"
        )),
        _ => None,
    }
}
