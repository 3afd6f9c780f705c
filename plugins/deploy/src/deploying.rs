//! A deploy that has begun: carries out its moves.

use windlass_plugin::docker::{self, Lifetime};
use windlass_plugin::traffic::{self, FULL, Replica, RevisionState, Split, State};
use windlass_plugin::{Failure, OrFail, Pair, approval, bail, ensure, info, pairs, warn};
use windlass_plugin_parts::{create_volumes, join_networks};

use crate::clock::Clock;
use crate::names::{self, percent, span};
use crate::order::Order;
use crate::plan::{self, Move, Wait, Why};
use crate::present::{self, Previous};
use crate::replicas;
use crate::watch::Watch;
use crate::with::Pause;

/// A deploy that has begun and is not committed.
#[derive(Debug)]
pub(crate) struct Deploying {
    /// What is deployed.
    pub(crate) order: Order,
    /// What served before.
    pub(crate) previous: Option<Previous>,
    /// The new revision's containers, in their order.
    pub(crate) started: Vec<String>,
    /// Which container the deploy failed over, if it was one.
    pub(crate) culprit: Option<String>,
    /// Where the service can be reached.
    pub(crate) url: Option<String>,
    weight: u32,
    clock: Clock,
    watch: Watch,
}

/// Reserves the service. From here on a failure is an abort.
///
/// # Errors
/// The service is another's, is being deployed, or has this revision already.
pub(crate) fn begin(order: Order) -> Result<Deploying, Failure> {
    let Order { service, revision, .. } = &order;
    let there = present::state(service)?;
    if there.as_ref().is_some_and(|state| state.revision(revision).is_some()) {
        return Err(Failure::new(format!("`{service}` has a revision `{revision}` already")).hint(
            "leave `revision` out, and it is the run's id; or go back to that one with `action = \"rollback\"`",
        ));
    }
    left_over(service, revision, there.as_ref().map(|state| state.revisions.as_slice()).unwrap_or_default())?;
    let previous = there.as_ref().and_then(|state| present::previous(state, revision));
    let mut deployment = order.serving.deployment(service, revision, order.strategy);
    deployment.downtime = order.way == crate::order::Way::Recreate;
    deployment.details = details(&order);
    if let Some(preview) = &order.preview {
        deployment.routes.push(traffic::Route {
            host: preview.host.clone(),
            path: preview.path.clone().unwrap_or_else(|| "/".to_owned()),
            listeners: Vec::new(),
            revision: Some(revision.clone()),
        });
    }
    let state = traffic::begin(&deployment).map_err(|error| not_begun(error, service))?;
    let listeners = order.serving.routes.first().map(|route| route.listeners.as_slice()).unwrap_or_default();
    let url = present::url(&state, listeners);
    match &previous {
        Some(previous) => info!("{service}: {revision} replaces {} by {}", previous.revision, order.strategy),
        None => info!("{service}: {revision} is the first revision, so it gets all of the traffic once it is up"),
    }
    let baseline = previous.as_ref().map(|previous| previous.revision.clone());
    let watch = Watch::new(service, revision, baseline, order.analysis.clone());
    Ok(Deploying {
        previous,
        started: Vec::new(),
        culprit: None,
        url,
        weight: 0,
        clock: Clock::new(service),
        watch,
        order,
    })
}

/// Containers of an attempt that could not be cleaned up: nothing routes to them, and their names are needed.
fn left_over(service: &str, revision: &str, known: &[RevisionState]) -> Result<(), Failure> {
    for container in present::everywhere(service, known)?.iter().filter(|container| container.revision == revision) {
        if let Some(router) = &container.elsewhere {
            return Err(Failure::new(format!(
                "`{}` has the name of a container of `{revision}`, and is behind another router, {router}",
                container.name
            ))
            .hint(format!("set WINDLASS_ROUTER={router} to deploy there, or give this deploy another `revision`")));
        }
        info!("removing `{}`, which an attempt before this one left behind", container.name);
        docker::remove(&container.name, true).or_fail_with(|| format!("remove `{}`", container.name))?;
    }
    Ok(())
}

fn details(order: &Order) -> Vec<Pair> {
    pairs([("image", order.spec.image.clone()), ("replicas", order.replicas.to_string())])
}

/// Why a deploy could not begin. Who has the service, and what to do about that, the host says.
pub(crate) fn not_begun(error: traffic::Error, service: &str) -> Failure {
    Failure::from(error).context(format!("deploy `{service}`"))
}

impl Deploying {
    /// Brings the new revision up to all of the traffic.
    ///
    /// # Errors
    /// Why it has to be aborted.
    pub(crate) fn advance(&mut self) -> Result<(), Failure> {
        let moves = plan::plan(&self.order, self.previous.as_ref().map(|previous| previous.before));
        join_networks(&self.order.spec.networks, Lifetime::Kept)?;
        create_volumes(&self.order.mounts, Lifetime::Kept)?;
        moves.into_iter().try_for_each(|step| self.carry_out(step))
    }

    fn carry_out(&mut self, step: Move) -> Result<(), Failure> {
        match step {
            Move::Grow(to) => self.grow(to),
            Move::Shift(weight) => self.shift(weight),
            Move::Withdraw(keep) => self.withdraw(keep),
            Move::TakeDown => self.take_down(),
            Move::Hold(limit) => self.hold(limit),
            Move::Release => self.release(),
            Move::SmokeAfter => self.smoke_after(),
            Move::Wait(wait) => self.wait(wait),
        }
    }

    /// Starts containers of the new revision until there are so many.
    fn grow(&mut self, to: u32) -> Result<(), Failure> {
        self.clock.begin_work(self.order.progress_ms)?;
        let at = self.clock.began();
        let from = u32::try_from(self.started.len()).unwrap_or(u32::MAX);
        let mut fresh = Vec::new();
        for replica in from..to {
            // Noted before it is made: a container that was made and not started has to go, too.
            self.started.push(names::container(&self.order.service, &self.order.revision, replica + 1));
            fresh.push(replicas::start(&self.order, replica + 1, at)?);
        }
        let Order { service, revision, serving, smoke_before, .. } = &self.order;
        for fresh in &fresh {
            let fit = replicas::healthy(service, fresh, &serving.check, self.clock.left())
                .and_then(|()| replicas::smoke(&fresh.name, serving.port, smoke_before));
            fit.inspect_err(|_| self.culprit = Some(fresh.name.clone()))?;
        }
        let ready: Vec<_> = self.started.iter().map(|name| Replica::ready(name, serving.port)).collect();
        traffic::set_replicas(service, revision, &ready)
            .or_fail_with(|| format!("tell the router of the containers of {revision}"))?;
        info!("{} of {} replicas of {revision} are ready", ready.len(), self.order.replicas);
        self.clock.end_work()
    }

    /// Moves the traffic.
    fn shift(&mut self, weight: u32) -> Result<(), Failure> {
        let Order { service, revision, .. } = &self.order;
        let mut weights = vec![Split { revision: revision.clone(), weight }];
        if let Some(previous) = self.previous.as_ref().filter(|_| weight < FULL) {
            weights.push(Split { revision: previous.revision.clone(), weight: FULL - weight });
        }
        traffic::shift(service, &weights)
            .or_fail_with(|| format!("give {revision} {} of the traffic", percent(weight)))?;
        info!("{revision} has {} of the traffic of {service}", percent(weight));
        self.weight = weight;
        self.watch.moved();
        Ok(())
    }

    /// Lets only so many of the previous revision's containers go on.
    fn withdraw(&mut self, keep: u32) -> Result<(), Failure> {
        let Some(previous) = &mut self.previous else { return Ok(()) };
        let goes = previous.replicas.len().saturating_sub(keep as usize);
        let mut names = Vec::new();
        // Those that went before stay on the list: an abort starts them again.
        for replica in previous.replicas.iter_mut().take(goes).filter(|replica| replica.ready) {
            replica.ready = false;
            names.push(replica.container.clone());
        }
        let (service, revision, end) = (&self.order.service, &previous.revision, self.order.end);
        traffic::set_replicas(service, revision, &previous.replicas)
            .or_fail_with(|| format!("take {} out of the traffic", names.join(", ")))?;
        let drain = |what: &str, container: Option<&str>| {
            traffic::drain(service, revision, container, end.drain_ms)
                .map(|drained| replicas::told(what, &drained))
                .or_fail_with(|| format!("let `{what}` finish what it does"))
        };
        match keep {
            0 => drain(revision, None)?,
            _ => names.iter().try_for_each(|name| drain(name, Some(name)))?,
        }
        for name in &names {
            docker::stop(name, end.grace_ms).or_fail_with(|| format!("stop `{name}`"))?;
            info!("stopped {name}");
        }
        Ok(())
    }

    /// Ends the previous revision before the new one begins.
    fn take_down(&mut self) -> Result<(), Failure> {
        let service = &self.order.service;
        traffic::take_down(service).or_fail_with(|| format!("take `{service}` down"))?;
        info!("{service} is down until {} is up", self.order.revision);
        self.withdraw(0)
    }

    fn hold(&self, limit: u64) -> Result<(), Failure> {
        // An abort lets them go, too.
        traffic::hold(&self.order.service, limit).or_fail("let new requests wait")
    }

    fn release(&self) -> Result<(), Failure> {
        traffic::release(&self.order.service).or_fail("let the requests that wait go on")
    }

    fn smoke_after(&mut self) -> Result<(), Failure> {
        for name in &self.started {
            replicas::smoke(name, self.order.serving.port, &self.order.smoke_after)
                .inspect_err(|_| self.culprit = Some(name.clone()))?;
        }
        Ok(())
    }

    /// Pauses, judges meanwhile, and looks at the end whether the new revision still carries what it has.
    fn wait(&mut self, Wait { pause, why }: Wait) -> Result<(), Failure> {
        let Order { service, revision, .. } = &self.order;
        let stands = match why {
            Why::Preview => format!("{revision} of {service} can be seen at its preview"),
            Why::Step(weight) => format!("{revision} has {} of the traffic of {service}", percent(weight)),
            Why::Bake => format!("{revision} has all of the traffic of {service}"),
        };
        match pause {
            Pause::For(time) => {
                match why {
                    Why::Preview => info!("{stands} for {}", span(time.millis())),
                    Why::Step(_) | Why::Bake => info!("it stays so for {}", span(time.millis())),
                }
                self.watch.over(time.millis(), self.weight == FULL)?;
            }
            Pause::UntilApproved => {
                let so_far = self.watch.until_told()?;
                let question = match why {
                    Why::Preview => "give it traffic?",
                    Why::Step(_) | Why::Bake => "go on?",
                };
                info!("{stands}, and waits for a person");
                let decision = approval::wait(&format!("{stands}{so_far}; {question}"))
                    .or_fail("wait until somebody has approved")?;
                let reason = decision.reason.filter(|reason| !reason.is_empty());
                let because = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                ensure!(decision.approved, "{revision} of {service} was rejected by {}{because}", decision.by);
                info!("approved by {}{because}", decision.by);
                self.watch.after_approval()?;
            }
        }
        if self.weight > 0 { self.still_carries() } else { Ok(()) }
    }

    fn still_carries(&self) -> Result<(), Failure> {
        let Order { service, revision, .. } = &self.order;
        let state = traffic::read(service).or_fail_with(|| format!("ask how `{service}` stands"))?;
        let Some(seen) = state.revision(revision) else { bail!("the router does not know {revision} any more") };
        if seen.cap >= self.weight {
            return Ok(());
        }
        let unready = seen.endpoints.iter().find(|endpoint| !endpoint.ready);
        let because = unready.map(|endpoint| {
            let why = endpoint.because.as_deref().unwrap_or("it is not ready");
            format!(": `{}`: {why}", endpoint.container)
        });
        bail!(
            "{} of {} replicas of {revision} are ready, too few for {} of the traffic{}",
            seen.ready,
            self.started.len(),
            percent(self.weight),
            because.unwrap_or_default()
        )
    }

    /// Makes the new revision the service's own.
    ///
    /// # Errors
    /// The router does not take it; it has to be aborted.
    pub(crate) fn commit(&mut self) -> Result<State, Failure> {
        let Order { service, revision, .. } = &self.order;
        let state = traffic::commit(service).or_fail_with(|| format!("commit {revision}"))?;
        self.watch.end();
        info!("{revision} is committed: it is {service}'s own now");
        Ok(state)
    }

    /// Gives the previous revision all of the traffic again, ahead of the abort, if that is done with the weights alone.
    pub(crate) fn step_back(&mut self) {
        let Some(previous) = self.previous.as_ref().filter(|_| self.weight > 0) else { return };
        let all = [Split { revision: previous.revision.clone(), weight: FULL }];
        if let Err(error) = traffic::shift(&self.order.service, &all) {
            warn!("{} goes back a little later: {}", self.order.service, Failure::from(error));
        }
    }

    /// What the analysis said last, for the record.
    pub(crate) fn end_watch(&mut self) {
        self.watch.end();
    }
}
