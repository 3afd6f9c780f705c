//! Volumes: one of each name in a pipeline. Docker gives the old one when asked for a second of the
//! same name, so it is the label that says whose it is.

use bollard::errors::Error;
use bollard::models::{Volume, VolumeCreateRequest};
use bollard::query_parameters::RemoveVolumeOptions;
use windlass_gate::api::docker::CreateVolume;
use windlass_gate::{Call, CallError};

use crate::connect::Engine;
use crate::names;

/// Makes a volume, or takes the one that is there.
pub(crate) async fn create(engine: &Engine, call: &Call, args: &CreateVolume) -> Result<(), CallError> {
    let CreateVolume { name, lifetime } = args;
    names::check("volume", name)?;
    let request = VolumeCreateRequest {
        name: Some(names::shared(call, name)),
        labels: Some(names::labels(call, name, lifetime)),
        ..VolumeCreateRequest::default()
    };
    let volume = engine
        .api
        .create_volume(request)
        .await
        .map_err(|error| engine.fault(format_args!("cannot make volume `{name}`"), error))?;
    whose(call, name, &volume)
}

/// Docker's name of a volume that exists, for a container that mounts it.
pub(crate) async fn existing(engine: &Engine, call: &Call, name: &str) -> Result<String, CallError> {
    names::check("volume", name)?;
    match look(engine, call, name).await? {
        Some(volume) => whose(call, name, &volume).map(|()| volume.name),
        None => Err(CallError::NotFound(format!(
            "there is no volume `{name}` of pipeline `{}`; make it first (`docker.create-volume`)",
            call.run.pipeline
        ))),
    }
}

/// Removes a volume with its content. One that is gone is fine.
pub(crate) async fn remove(engine: &Engine, call: &Call, name: &str) -> Result<(), CallError> {
    names::check("volume", name)?;
    match look(engine, call, name).await? {
        Some(volume) => {
            whose(call, name, &volume)?;
            remove_by_name(engine, name, &volume.name).await
        }
        None => Ok(()),
    }
}

/// Removes a volume by Docker's name. One that is gone is fine.
pub(crate) async fn remove_by_name(engine: &Engine, name: &str, docker_name: &str) -> Result<(), CallError> {
    match engine.api.remove_volume(docker_name, None::<RemoveVolumeOptions>).await {
        Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
        Err(error) => Err(match engine.fault(format_args!("cannot remove volume `{name}`"), error) {
            CallError::Conflict(message) => {
                CallError::Conflict(format!("{message}; remove the containers that mount it first"))
            }
            other => other,
        }),
    }
}

async fn look(engine: &Engine, call: &Call, name: &str) -> Result<Option<Volume>, CallError> {
    match engine.api.inspect_volume(&names::shared(call, name)).await {
        Ok(volume) => Ok(Some(volume)),
        Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
        Err(error) => Err(engine.fault(format_args!("cannot look at volume `{name}`"), error)),
    }
}

fn whose(call: &Call, name: &str, volume: &Volume) -> Result<(), CallError> {
    if names::is_ours(&volume.labels, call, name) {
        return Ok(());
    }
    Err(CallError::Conflict(format!(
        "the volume `{}` exists, but this pipeline did not make it in this environment; rename or remove it (`docker volume rm`)",
        volume.name
    )))
}
