//! Going back to a revision that was kept: its containers are started again and get all of the traffic at once. The steps
//! of the strategy are passed over, for what the revision is like is known.

use windlass_plugin::docker::{self, ContainerState};
use windlass_plugin::traffic::{self, FULL, Replica, Split};
use windlass_plugin::{Failure, OrFail, bail, ensure, info, warn};

use crate::deploying;
use crate::fail;
use crate::present::{self, Mine, Previous};
use crate::replicas::{self, Started};
use crate::retire;
use crate::serving::Serving;
use crate::with::{self, Strategy, With};
use crate::{Outcome, Outputs, finished};

/// Goes back.
///
/// # Errors
/// There is nothing to go back to, or it does not come up; then what served goes on serving.
pub(crate) fn rollback(with: &With, run: &str) -> Result<Outputs, Failure> {
    let service = &with.service;
    let state = present::state(service)?;
    let state = state.or_fail_with(|| format!("`{service}` was never deployed, so there is nothing to go back to"))?;
    let containers = present::containers(service, &state.revisions)?;
    let serves = present::previous(&state, "");
    let current = serves.as_ref().map(|previous| previous.revision.as_str());
    let target = match &with.to {
        Some(target) => target.clone(),
        None => {
            let kept = present::old(&containers, &state.revisions, current.unwrap_or_default(), None);
            let there =
                kept.into_iter().find(|(_, containers)| !containers.is_empty()).map(|(name, _)| name.to_owned());
            there.or_fail_with(|| format!("no earlier revision of `{service}` was kept"))?
        }
    };
    ensure!(current != Some(&target), "`{target}` is the revision of `{service}` that serves already");
    let mine: Vec<&Mine> = containers.iter().filter(|container| container.revision == target).collect();
    if mine.is_empty() {
        return anew(with, run, &target, current);
    }
    let serving = mine.iter().find_map(|container| container.serving.as_deref());
    let serving = serving.or_fail("its containers do not say how it was served").and_then(Serving::read);
    let serving = serving.map_err(|failure| failure.context(format!("go back to {target}")))?;
    back(with, &target, &mine, &serving, serves)
}

/// Its containers are gone: it is deployed again.
fn anew(with: &With, run: &str, target: &str, current: Option<&str>) -> Result<Outputs, Failure> {
    if with.image.is_none() || with.port.is_none() {
        let current = current.map(|current| format!("; {current} serves as before")).unwrap_or_default();
        return Err(Failure::new(format!("the containers of `{target}` are gone{current}"))
            .hint("`image` and `port` deploy it again; `keep-previous` says how many revisions are kept"));
    }
    info!("the containers of {target} are gone: it is deployed again");
    let again = With {
        strategy: Some(Strategy::BlueGreen),
        revision: Some(target.to_owned()),
        to: None,
        rolling: None,
        canary: None,
        rings: None,
        preview: None,
        analysis: None,
        bake: None,
        ..with.clone()
    };
    crate::deploy(&with::check(&again, run)?, true).map(|outputs| Outputs { result: Outcome::RolledBack, ..outputs })
}

fn back(
    with: &With,
    target: &str,
    mine: &[&Mine],
    serving: &Serving,
    serves: Option<Previous>,
) -> Result<Outputs, Failure> {
    let service = &with.service;
    let mut deployment = serving.deployment(service, target, "rollback");
    deployment.details = windlass_plugin::pairs([("replicas", mine.len().to_string())]);
    traffic::begin(&deployment).map_err(|error| deploying::not_begun(error, service))?;
    let last = serves.as_ref().map(|previous| previous.revision.clone());
    info!("{service} goes back{} to {target}", last.as_ref().map(|last| format!(" from {last}")).unwrap_or_default());
    let state = match up(with, target, mine, serving) {
        Ok(state) => state,
        Err(why) => {
            let failed = fail::Failed {
                service: service.clone(),
                revision: target.to_owned(),
                previous: last,
                containers: mine.iter().map(|container| container.name.clone()).collect(),
                culprit: None,
                end: with.end(),
                tell: fail::Tell::Containers,
            };
            return Err(fail::give_back(&failed, why, |names, grace_ms| {
                // They were kept, and still are.
                for name in names {
                    if let Err(error) = docker::stop(name, grace_ms) {
                        warn!("cannot stop `{name}`: {}", Failure::from(error));
                    }
                }
            }));
        }
    };
    let listeners = serving.routes.first().map(|route| route.listeners.as_slice()).unwrap_or_default();
    let url = present::url(&state, listeners);
    retire::finish(service, &state, last.as_deref(), with.end())?;
    Ok(finished(service, target, last, Outcome::RolledBack, url))
}

/// Starts its containers again, gives them all of the traffic, and commits.
fn up(with: &With, target: &str, mine: &[&Mine], serving: &Serving) -> Result<traffic::State, Failure> {
    let service = &with.service;
    let mut started = Vec::new();
    for container in mine {
        let name = &container.name;
        let again = docker::start_again(name).or_fail_with(|| format!("start `{name}` again"))?;
        if again.state != ContainerState::Running {
            bail!("`{name}` was started again and does not run");
        }
        started.push(Started { name: name.clone(), at: again.started });
    }
    for started in &started {
        replicas::healthy(service, started, &serving.check, u64::MAX)?;
    }
    let ready: Vec<_> = mine.iter().map(|container| Replica::ready(&container.name, serving.port)).collect();
    traffic::set_replicas(service, target, &ready)
        .or_fail_with(|| format!("tell the router of the containers of {target}"))?;
    let all = [Split { revision: target.to_owned(), weight: FULL }];
    traffic::shift(service, &all).or_fail_with(|| format!("give {target} all of the traffic"))?;
    info!("{target} has all of the traffic of {service}");
    traffic::commit(service).or_fail_with(|| format!("commit {target}"))
}
