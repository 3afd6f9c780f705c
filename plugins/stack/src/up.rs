//! Starting a stack: what it needs, its services in their order, and away with them if one does not come up.

use std::collections::{BTreeMap, BTreeSet};

use windlass_plugin::docker::{self, Container, HealthState};
use windlass_plugin::{Failure, OrFail, health, info, warn};
use windlass_plugin_parts::{create_network, create_volume, not_made, not_up, remove, settle, words};

use crate::outputs::Outputs;
use crate::stack::{Condition, Service, Stack};
use crate::there::{self, Plan};
use crate::with::With;

/// Starts the stack, and gives it once all of it is healthy.
///
/// # Errors
/// A service cannot be started or does not get healthy; those that were started here are gone again.
pub(crate) fn up(mut stack: Stack, with: &With) -> Result<Outputs, Failure> {
    for service in &mut stack.services {
        there::mark(service, with.name(), with.lifetime())?;
    }
    let there = there::look()?;
    // Everything that can be known to go wrong is known before anything is touched.
    let images = images(&stack, with)?;
    let mut plans = Vec::new();
    for service in &stack.services {
        let image = images.get(&*service.spec.image).map_or("", String::as_str);
        plans.push(there::plan(service, with.name(), there.get(&service.name), image, with.recreate)?);
    }

    let mut run = Run {
        stack: &stack,
        with,
        made: Vec::new(),
        replaced: Vec::new(),
        found: BTreeMap::new(),
        ready: BTreeSet::new(),
        outputs: Outputs::default(),
    };
    match run.go(plans) {
        Ok(()) => {}
        Err(failure) => {
            run.take_back();
            return Err(failure);
        }
    }
    let mut outputs = run.outputs;
    for orphan in there::orphans(&there, &stack, with.name()) {
        if !with.remove_orphans {
            warn!(
                "`{orphan}` is of the stack `{}`, but no longer in it; `remove-orphans = true` removes it",
                with.name()
            );
            continue;
        }
        remove(orphan, with.grace_ms())
            .or_fail_with(|| format!("remove `{orphan}`, which is no longer in the stack"))?;
        info!("removed `{orphan}`, which is no longer in the stack");
        outputs.removed.push(orphan.to_owned());
    }
    Ok(outputs)
}

/// The ids of the images that the stack runs.
fn images(stack: &Stack, with: &With) -> Result<BTreeMap<String, String>, Failure> {
    let mut ids = BTreeMap::new();
    for service in &stack.services {
        let image = &service.spec.image;
        if ids.contains_key(image) {
            continue;
        }
        let found =
            windlass_plugin_parts::run_or_pull(image, service.pull || with.pull, || docker::inspect_image(image));
        let found = found.map_err(not_made).or_fail_with(|| format!("services.{}.image", service.name))?;
        ids.insert(image.clone(), found.id);
    }
    Ok(ids)
}

/// A stack that is being started.
struct Run<'s> {
    stack: &'s Stack,
    with: &'s With,
    /// The services that were started here, in this order.
    made: Vec<&'s str>,
    /// The services whose containers were removed here to make room.
    replaced: Vec<&'s str>,
    /// What is known of the containers that are up.
    found: BTreeMap<&'s str, Container>,
    /// The services that are known to be healthy.
    ready: BTreeSet<&'s str>,
    outputs: Outputs,
}

impl<'s> Run<'s> {
    fn go(&mut self, plans: Vec<Plan>) -> Result<(), Failure> {
        let (stack, lifetime) = (self.stack, self.with.lifetime());
        for (network, internal) in &stack.networks {
            create_network(network, *internal, lifetime)?;
        }
        for volume in &stack.volumes {
            create_volume(volume, lifetime)?;
        }
        for (service, plan) in stack.services.iter().zip(plans) {
            for need in service.needs.iter().filter(|need| need.condition != Condition::Started) {
                if let Some(needed) = stack.services.iter().find(|other| other.name == need.service) {
                    self.wait(needed)?;
                }
            }
            self.start(service, plan)?;
        }
        for service in &stack.services {
            self.wait(service)?;
        }
        for service in &stack.services {
            // What is published, and where, is only certain of a container that has come up.
            if self.made.contains(&&*service.name) {
                self.found.insert(&service.name, docker::inspect(&service.name)?);
            }
            if let Some(container) = self.found.get(&*service.name) {
                self.outputs.add(&service.name, container);
            }
        }
        Ok(())
    }

    fn start(&mut self, service: &'s Service, plan: Plan) -> Result<(), Failure> {
        let name = &*service.name;
        match plan {
            Plan::Leave(container) => {
                info!("left `{name}` as it is, {}", short(&container));
                self.found.insert(name, *container);
                self.outputs.unchanged.push(name.to_owned());
                return Ok(());
            }
            Plan::Replace(why) => {
                let place = || format!("services.{name}: remove the one that is there, because {why}");
                remove(name, self.with.grace_ms()).or_fail_with(place)?;
                info!("removed the `{name}` that was there: {why}");
                self.replaced.push(name);
            }
            Plan::Make => {}
        }
        let started = docker::start(name, &service.spec, self.with.lifetime());
        let started = started.map_err(not_made).or_fail_with(|| format!("services.{name}: start it"))?;
        info!("started `{name}` as {}", short(&started));
        self.made.push(name);
        self.found.insert(name, started);
        self.outputs.started.push(name.to_owned());
        Ok(())
    }

    /// Waits until a service is healthy; once is enough.
    fn wait(&mut self, service: &'s Service) -> Result<(), Failure> {
        let name = &*service.name;
        if !self.ready.insert(name) {
            return Ok(());
        }
        let seen = match &service.check {
            Some((target, policy)) => {
                let report = health::wait(target, *policy)
                    .or_fail_with(|| format!("services.{name}: whether it is healthy cannot be told"))?;
                if !report.healthy {
                    return Err(not_up(name, &report.last));
                }
                report.last
            }
            None => self.wait_for_docker(name)?,
        };
        info!("`{name}` is healthy: {seen}");
        Ok(())
    }

    /// By the check that Docker makes itself, if there is one.
    fn wait_for_docker(&mut self, name: &'s str) -> Result<String, Failure> {
        // One that was left alone was seen running.
        if self.made.contains(&name) {
            let (up, seen) =
                settle(name).or_fail_with(|| format!("services.{name}: whether it runs cannot be told"))?;
            if !up {
                return Err(not_up(name, &seen));
            }
            self.found.insert(name, docker::inspect(name)?);
        }
        match self.found.get(name).map(|container| container.health) {
            None | Some(HealthState::None) => match self.stack.wants_check(name) {
                Some(other) => Err(Failure::new(format!(
                    "services.{other}: it needs `{name}` to be healthy, but neither the settings of `{name}` nor its image have a health check"
                ))
                .hint(format!("give `{name}` a health check, or let `{other}` need it started only"))),
                None => Ok("it runs, and has no health check".to_owned()),
            },
            Some(HealthState::Healthy) => Ok("its health check says healthy".to_owned()),
            Some(HealthState::Starting | HealthState::Unhealthy) => {
                match docker::wait_healthy(name, self.with.health_timeout_ms()) {
                    Ok(_) => Ok("its health check says healthy".to_owned()),
                    Err(error @ (docker::Error::Denied(_) | docker::Error::Unavailable(_))) => {
                        Err(Failure::from(error)
                            .context(format!("services.{name}: whether it is healthy cannot be told")))
                    }
                    Err(error) => Err(not_up(name, &words(&error))),
                }
            }
        }
    }

    /// Removes what was started here, the last one first. Networks and volumes stay for now: whether they were there
    /// before, the host knows, and it takes those of a failed run along.
    fn take_back(&self) {
        for name in &self.replaced {
            warn!("`{name}` was replaced, and the one that was there before is gone");
        }
        for name in self.made.iter().rev() {
            match remove(name, self.with.grace_ms()) {
                Ok(_) => info!("removed `{name}` again"),
                // What cannot be removed here, the host removes at the end of the run.
                Err(error) => warn!("cannot remove `{name}`: {}", words(&error)),
            }
        }
    }
}

fn short(container: &Container) -> &str {
    container.id.get(..12).unwrap_or(&container.id)
}
