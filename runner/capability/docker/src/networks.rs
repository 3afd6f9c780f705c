//! Networks: one of each name in a pipeline.

use std::collections::HashMap;

use bollard::errors::Error;
use bollard::models::{Network, NetworkCreateRequest};
use bollard::query_parameters::ListNetworksOptionsBuilder;
use windlass_gate::api::docker::{CreateNetwork, Lifetime};
use windlass_gate::{Call, CallError};

use crate::connect::Engine;
use crate::names;

/// Makes a network, or takes the one that is there.
pub(crate) async fn create(engine: &Engine, call: &Call, args: &CreateNetwork) -> Result<(), CallError> {
    let CreateNetwork { name, internal, lifetime } = args;
    names::check("network", name)?;
    if let Some(found) = ours(engine, call, name).await?.into_iter().next() {
        return fits(name, &found, *internal);
    }
    match engine.api.create_network(request(call, name, *internal, lifetime)).await {
        Ok(_) => {}
        // A newer daemon refuses doubles by itself: somebody else of this pipeline was quicker.
        Err(Error::DockerResponseServerError { status_code: 409, message }) => {
            return match ours(engine, call, name).await?.first() {
                Some(found) => fits(name, found, *internal),
                None => Err(CallError::Conflict(format!(
                    "the network `{}` exists, but this pipeline did not make it ({message}); rename or remove it (`docker network rm`)",
                    names::shared(call, name)
                ))),
            };
        }
        Err(error) => {
            let exhausted = error.to_string().contains("non-overlapping");
            let hint = if exhausted {
                "; the daemon has no free address range left: remove networks that nobody uses (`docker network prune`)"
            } else {
                ""
            };
            return Err(match engine.fault(format_args!("cannot make network `{name}`"), error) {
                CallError::Other(message) => CallError::Other(message + hint),
                other => other,
            });
        }
    }
    // The oldest API makes two of one name. Everybody keeps the oldest, so everybody keeps the same.
    let mut all = ours(engine, call, name).await?.into_iter();
    let Some(kept) = all.next() else {
        return Err(CallError::Other(format!(
            "network `{name}` was made and is gone already; somebody else removed it"
        )));
    };
    for double in all.filter_map(|network| network.id) {
        remove_by_id(engine, name, &double).await?;
    }
    fits(name, &kept, *internal)
}

/// Removes a network. One that is gone is fine.
pub(crate) async fn remove(engine: &Engine, call: &Call, name: &str) -> Result<(), CallError> {
    names::check("network", name)?;
    for id in ours(engine, call, name).await?.into_iter().filter_map(|network| network.id) {
        remove_by_id(engine, name, &id).await?;
    }
    Ok(())
}

/// Removes a network by Docker's id. One that is gone is fine.
pub(crate) async fn remove_by_id(engine: &Engine, name: &str, id: &str) -> Result<(), CallError> {
    names::check_id(id)?;
    match engine.api.remove_network(id).await {
        Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
        Err(Error::DockerResponseServerError { status_code: 403 | 409, message })
            if message.contains("active endpoints") =>
        {
            Err(CallError::Conflict(format!(
                "network `{name}` cannot be removed: containers are in it; remove them first ({message})"
            )))
        }
        Err(error) => Err(engine.fault(format_args!("cannot remove network `{name}`"), error)),
    }
}

/// Docker's id of a network, for a container that joins it.
pub(crate) async fn id_of(engine: &Engine, call: &Call, name: &str) -> Result<String, CallError> {
    names::check("network", name)?;
    ours(engine, call, name).await?.into_iter().find_map(|network| network.id).ok_or_else(|| {
        CallError::NotFound(format!(
            "there is no network `{name}` of pipeline `{}`; make it first (`docker.create-network`)",
            call.run.pipeline
        ))
    })
}

fn request(call: &Call, name: &str, internal: bool, lifetime: &Lifetime) -> NetworkCreateRequest {
    NetworkCreateRequest {
        name: names::shared(call, name),
        internal: Some(internal),
        labels: Some(names::labels(call, name, lifetime)),
        ..NetworkCreateRequest::default()
    }
}

/// This pipeline's networks of this name, the oldest first.
async fn ours(engine: &Engine, call: &Call, name: &str) -> Result<Vec<Network>, CallError> {
    let filters: HashMap<_, _> = names::made_by(call, Some(name));
    let options = ListNetworksOptionsBuilder::default().filters(&filters).build();
    let mut all = engine
        .api
        .list_networks(Some(options))
        .await
        .map_err(|error| engine.fault(format_args!("cannot look for network `{name}`"), error))?;
    all.sort_by(|a, b| (age(a), &a.id).cmp(&(age(b), &b.id)));
    Ok(all)
}

/// RFC 3339 sorts as text only when fractions have the same length, and Docker trims their zeros.
fn age(network: &Network) -> (String, String) {
    let created = network.created.clone().unwrap_or_default();
    match created.split_once('.') {
        Some((seconds, fraction)) => {
            let digits: String = fraction.chars().take_while(char::is_ascii_digit).collect();
            (seconds.to_owned(), format!("{digits:0<9}"))
        }
        None => (created.trim_end_matches('Z').to_owned(), String::new()),
    }
}

fn fits(name: &str, found: &Network, internal: bool) -> Result<(), CallError> {
    let is_internal = found.internal == Some(true);
    if is_internal == internal {
        return Ok(());
    }
    let (is, asked) =
        if is_internal { ("has no way to the outside", "one") } else { ("has a way to the outside", "none") };
    Err(CallError::Conflict(format!(
        "network `{name}` exists already and {is}, but the call asks for {asked}; remove it first, or use another name"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_the_oldest_whatever_its_fraction_is() {
        let network = |created: &str| Network { created: Some(created.to_owned()), ..Network::default() };
        let in_order = [
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.09Z",
            "2026-01-01T00:00:00.1Z",
            "2026-01-01T00:00:00.123456789Z",
            "2026-01-01T00:00:01Z",
        ];
        for pair in in_order.windows(2) {
            assert!(age(&network(pair[0])) < age(&network(pair[1])), "{pair:?}");
        }
    }
}
