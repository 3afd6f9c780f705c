//! Starting a service, and telling why it does not come up.

use windlass_plugin::docker::{self, Container, Lifetime};
use windlass_plugin::{Failure, OrFail, health, info, warn};
use windlass_plugin_parts::{create_volumes, join_networks, not_made, not_up, remove, run_or_pull, settle, words};

use crate::with::With;

/// Starts it, and gives it once it is healthy. One that does not get healthy is removed again.
///
/// # Errors
/// It cannot be started, or does not get healthy; with its state and the end of its log.
pub(crate) fn start(with: &With) -> Result<Container, Failure> {
    let image = with.image.as_deref().or_fail("`image` is missing")?;
    let check = with.health.as_ref().map(|health| health.check(&with.name)).transpose()?;
    let spec = with.spec(&with.name, image)?;
    let lifetime = if with.keep { Lifetime::Kept } else { Lifetime::Run };

    join_networks(&with.networks, lifetime)?;
    create_volumes(&with.mounts, lifetime)?;
    if with.replace && remove(&with.name, with.grace_ms()).or_fail_with(|| format!("replace `{}`", with.name))? {
        info!("removed the `{}` that was there", with.name);
    }
    let started = run_or_pull(image, with.pull, || docker::start(&with.name, &spec, lifetime));
    let started = started.map_err(|error| not_started(error, &with.name))?;
    info!("started `{}` as {}", with.name, started.id.get(..12).unwrap_or(&started.id));

    let healthy = match check {
        Some((target, policy)) => {
            health::wait(&target, policy).map(|report| (report.healthy, report.last)).map_err(Failure::from)
        }
        None => settle(&with.name),
    };
    match healthy {
        // What is published, and where, is only certain of a container that has come up.
        Ok((true, seen)) => {
            info!("`{}` is healthy: {seen}", with.name);
            Ok(docker::inspect(&with.name)?)
        }
        Ok((false, seen)) => {
            let failure = not_up(&with.name, &seen);
            clean_up(with);
            Err(failure)
        }
        Err(failure) => {
            clean_up(with);
            Err(failure.context(format!("`{}` was started, but whether it is healthy cannot be told", with.name)))
        }
    }
}

fn not_started(error: docker::Error, name: &str) -> Failure {
    let failure = match error {
        docker::Error::Conflict(_) => Failure::from(error).hint("`replace = true` removes the one that is there first"),
        error => not_made(error),
    };
    failure.context(format!("start `{name}`"))
}

/// What cannot be removed here, the host removes at the end of the run.
fn clean_up(with: &With) {
    if let Err(error) = remove(&with.name, with.grace_ms()) {
        warn!("cannot remove `{}`: {}", with.name, words(&error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_an_alias_on_networks() {
        let with: With = serde_json::from_str(
            r#"{"name":"web","image":"i","networks":["backend"],"ports":[80],"cpu":0.5,"memory":"64MiB"}"#,
        )
        .unwrap();
        let spec = with.spec("web", "i").unwrap();
        assert_eq!((spec.aliases, spec.cpu_millis, spec.memory), (vec!["web".to_owned()], Some(500), Some(64 << 20)));
        let alone: With = serde_json::from_str(r#"{"name":"web","image":"i","cpu":0}"#).unwrap();
        assert!(alone.spec("web", "i").is_err());
    }
}
