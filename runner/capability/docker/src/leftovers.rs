//! What a run made and is still there, and its removal.

use std::collections::HashMap;

use bollard::query_parameters::{ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder};
use windlass_gate::api::docker::{AttemptsBefore, Leftover, LeftoverKind, Leftovers};
use windlass_gate::{Call, CallError};

use crate::connect::Engine;
use crate::{container, names, networks, volumes};

/// Everything that carries the run's label: containers first, because they hold on to the rest.
pub(crate) async fn leftovers(engine: &Engine, call: &Call, args: &Leftovers) -> Result<Vec<Leftover>, CallError> {
    let mut labels = vec![format!("{}={}", names::RUN, call.run.run)];
    if !args.kept_too {
        labels.push(format!("{}=run", names::LIFETIME));
    }
    let filters = HashMap::from([("label".to_owned(), labels)]);
    let containers =
        engine.api.list_containers(Some(ListContainersOptionsBuilder::default().all(true).filters(&filters).build()));
    let networks = engine.api.list_networks(Some(ListNetworksOptionsBuilder::default().filters(&filters).build()));
    let volumes = engine.api.list_volumes(Some(ListVolumesOptionsBuilder::default().filters(&filters).build()));
    let (containers, networks, volumes) = tokio::try_join!(containers, networks, volumes)
        .map_err(|error| engine.fault("cannot look for what the run left behind", error))?;

    let name = |labels: Option<&HashMap<String, String>>, id: &str| {
        let label = |label| labels.and_then(|labels| labels.get(label)).filter(|text| !text.is_empty());
        // A run to completion has no name; the step that it belongs to is the next best.
        label(names::NAME)
            .cloned()
            .or_else(|| label(names::STEP).map(|step| format!("of {step}")))
            .unwrap_or_else(|| id.to_owned())
    };
    let wanted = |labels: Option<&HashMap<String, String>>| match &args.of_attempt {
        None => true,
        Some(before) => {
            labels.and_then(|labels| labels.get(names::CALL)).is_some_and(|made| made_by(made, call, before))
        }
    };
    let mut found = Vec::new();
    for container in containers.into_iter().filter(|container| wanted(container.labels.as_ref())) {
        let Some(id) = container.id else { continue };
        found.push(Leftover { kind: LeftoverKind::Container, name: name(container.labels.as_ref(), &id), id });
    }
    for network in networks.into_iter().filter(|network| wanted(network.labels.as_ref())) {
        let Some(id) = network.id else { continue };
        found.push(Leftover { kind: LeftoverKind::Network, name: name(network.labels.as_ref(), &id), id });
    }
    for volume in volumes.volumes.unwrap_or_default().into_iter().filter(|volume| wanted(Some(&volume.labels))) {
        found.push(Leftover {
            kind: LeftoverKind::Volume,
            name: name(Some(&volume.labels), &volume.name),
            id: volume.name,
        });
    }
    Ok(found)
}

/// Whether a call of this identity was made by one of these attempts.
fn made_by(identity: &str, call: &Call, before: &AttemptsBefore) -> bool {
    let rest = identity.strip_prefix(&format!("{}-{}-", call.run.run, before.step));
    let attempt = rest.and_then(|rest| rest.split_once('-')?.0.parse::<u32>().ok());
    attempt.is_some_and(|attempt| attempt < before.attempt)
}

/// Removes one of them. One that is gone is fine.
pub(crate) async fn sweep(engine: &Engine, leftover: &Leftover) -> Result<(), CallError> {
    names::check_id(&leftover.id)?;
    match leftover.kind {
        LeftoverKind::Container => container::remove_by_force(engine, &leftover.id).await,
        LeftoverKind::Network => networks::remove_by_id(engine, &leftover.name, &leftover.id).await,
        LeftoverKind::Volume => volumes::remove_by_name(engine, &leftover.name, &leftover.id).await,
    }
}
