//! Keeps the router's table right about where containers are reached.
//!
//! Docker gives addresses anew when its daemon starts again, and the containers come back by themselves: nothing of
//! Windlass runs then but the router. So its process looks every moment whether the containers of the table are still
//! where the table has them. Who serves, and how much, is none of its business. For HAProxy `windlass router sync` does it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use windlass_capability_docker::Docker;
use windlass_router::api::{Apply, Change, ServiceState};
use windlass_router::{Client, ClientError, Driver};

use crate::{runtime, world};

/// Between two looks.
pub(super) const PAUSE: Duration = Duration::from_secs(2);

/// Begins to look, for as long as the process lives.
pub(super) fn keep(folder: &Path) {
    let client = Client::new(folder);
    std::thread::spawn(move || {
        let Ok(runtime) = runtime::small() else { return };
        runtime.block_on(async {
            let docker = Docker::new(world::docker_config());
            loop {
                tokio::time::sleep(PAUSE).await;
                // Whatever is wrong now is looked at again in a moment.
                if let Err(why) = look(&client, &docker).await {
                    tracing::debug!("the addresses of containers cannot be looked at: {why}");
                }
            }
        });
    });
}

/// Looks once, and puts in what has moved.
pub(super) async fn look(router: &dyn Driver, docker: &Docker) -> Result<(), ClientError> {
    let state = router.state().await?;
    for (name, service) in state.services {
        let addresses = moved(&service, docker).await;
        if addresses.is_empty() {
            continue;
        }
        tracing::info!("containers of service {name} are reached elsewhere by now: {addresses:?}");
        let by = format!("router-addresses-{}-{}", std::process::id(), service.generation);
        let apply =
            Apply { by, expect: service.generation, holder: None, change: Change::Addresses { name, addresses } };
        router.apply(&apply).await?;
    }
    Ok(())
}

/// The containers that run, and are not where the table has them.
async fn moved(service: &ServiceState, docker: &Docker) -> BTreeMap<String, SocketAddr> {
    let mut moved = BTreeMap::new();
    let endpoints = service.declared.revisions.values().flat_map(|revision| &revision.endpoints);
    for endpoint in endpoints.filter(|endpoint| endpoint.port != 0) {
        // Without Docker, or without the container, there is nothing to be said.
        let addresses = docker.addresses(&endpoint.container, endpoint.port).await.unwrap_or_default();
        if let Some(first) = addresses.first()
            && !addresses.contains(&endpoint.address)
        {
            moved.insert(endpoint.container.clone(), *first);
        }
    }
    moved
}
