//! Asks the router, and waits a moment where it is just being replaced.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use windlass_gate::api::Nothing;
use windlass_gate::api::traffic::{self as api, OpenService};
use windlass_gate::{Call, CallError};
use windlass_router::api::{Apply, Change, Deployment, Drain, Hold, Refusal, Release, ServiceState, State, Window};
use windlass_router::{ClientError, Driver};

use crate::{PATIENCE, names, shown};

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);
/// A change that somebody else's came before is decided again so often.
const TRIES: u32 = 5;

/// The way to a router.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) driver: Arc<dyn Driver>,
}

impl Asking {
    pub(crate) fn new(driver: Arc<dyn Driver>) -> Self {
        Self { driver }
    }

    /// Everything.
    pub(crate) async fn state(&self) -> Result<State, CallError> {
        self.patiently(|| self.driver.state()).await
    }

    /// One service as the table has it.
    pub(crate) async fn service(&self, call: &Call, service: &str) -> Result<(State, ServiceState), CallError> {
        let name = names::in_table(call, service)?;
        let mut state = self.state().await?;
        let found = state.services.remove(&name).ok_or_else(|| unknown(call, service))?;
        Ok((state, found))
    }

    pub(crate) async fn read(&self, call: &Call, service: &str) -> Result<api::State, CallError> {
        let (state, found) = self.service(call, service).await?;
        Ok(shown::service(service, &state, &found))
    }

    /// Makes a change as this call's, for this run, of the service as it is now.
    pub(crate) async fn apply(&self, call: &Call, service: &str, change: &Change) -> Result<(), CallError> {
        let name = names::in_table(call, service)?;
        for _ in 0..TRIES {
            let expect = self.state().await?.services.get(&name).map_or(0, |service| service.generation);
            let apply =
                Apply { by: call.identity(), expect, holder: Some(call.run.run.clone()), change: change.clone() };
            match self.patiently_said(|| self.driver.apply(&apply)).await {
                Ok(_) => return Ok(()),
                Err(ClientError::Refused(Refusal::Stale { .. })) => {}
                Err(error) => return Err(error_of(error)),
            }
        }
        Err(CallError::Conflict(format!("service `{service}` is being changed by others all the time")))
    }

    pub(crate) async fn hold(&self, call: &Call, service: &str, limit_ms: u64) -> Result<Nothing, CallError> {
        self.is_deployed_here(call, service).await?;
        let hold = Hold { service: names::in_table(call, service)?, limit_ms };
        self.patiently(|| self.driver.hold(&hold)).await.map(|_| Nothing)
    }

    pub(crate) async fn release(&self, call: &Call, service: &str) -> Result<Nothing, CallError> {
        self.is_deployed_here(call, service).await?;
        let release = Release { service: names::in_table(call, service)? };
        self.patiently(|| self.driver.release(&release)).await.map(|_| Nothing)
    }

    /// Waits until it is done, or the limit is over and what is left has been cut.
    pub(crate) async fn drain(&self, call: &Call, args: &api::Drain) -> Result<api::Drained, CallError> {
        let name = names::in_table(call, &args.service)?;
        let state = self.state().await?;
        let Some(found) = state.services.get(&name) else {
            // The first deploy of a service that was aborted leaves nothing that could be drained.
            return Ok(api::Drained { done: true, in_flight: 0, cut: 0 });
        };
        let container = match &args.container {
            None => None,
            Some(container) => match endpoint(found, &args.revision, container) {
                Some(id) => Some(id),
                None => return Ok(api::Drained { done: true, in_flight: 0, cut: 0 }),
            },
        };
        // A little longer than the limit: what is cut takes a moment to end.
        let drain = Drain {
            service: name,
            revision: args.revision.clone(),
            container,
            limit_ms: args.limit_ms,
            wait_ms: args.limit_ms.saturating_add(1_000),
        };
        let end = Instant::now() + Duration::from_millis(drain.wait_ms);
        loop {
            let drained = self.patiently(|| self.driver.drain(&drain)).await?;
            let shown = api::Drained { done: drained.drained, in_flight: drained.in_flight, cut: drained.cut };
            // The router before this one may still finish requests here.
            if drained.drained || !drained.predecessor || Instant::now() >= end {
                return Ok(shown);
            }
            sleep(PAUSE).await;
        }
    }

    pub(crate) async fn measure(&self, call: &Call, args: &api::Measure) -> Result<api::Measurements, CallError> {
        let name = names::in_table(call, &args.service)?;
        let last = Duration::from_millis(args.last_ms);
        let measured = match args.from_ms {
            // The router's clock ends the window: an end in its future takes in all there is.
            Some(from_ms) => {
                let now_ms = self.patiently(|| self.driver.measurements_of_last(&name, Duration::ZERO)).await?.now_ms;
                let window = Window { from_ms, to_ms: now_ms.max(from_ms) };
                self.patiently(|| self.driver.measurements(&name, window)).await?
            }
            None => self.patiently(|| self.driver.measurements_of_last(&name, last)).await?,
        };
        Ok(shown::measurements(measured))
    }

    /// The deploys of this run that are not over. A router that is away has them in its table.
    pub(crate) async fn open(&self, call: &Call) -> Result<Vec<OpenService>, CallError> {
        let open = |deployment: &Deployment| {
            Some(OpenService {
                service: deployment.details.get(names::SERVICE)?.clone(),
                environment: deployment.details.get(names::ENVIRONMENT).map(|name| name.as_str().into()),
                step: deployment.details.get(names::STEP)?.parse().ok()?,
                committed: deployment.committed,
            })
        };
        let ours = |deployment: &&Deployment| deployment.holder == call.run.run;
        let Ok(state) = self.state().await else {
            let table = self.driver.table().map_err(error_of)?;
            let all = table.services().filter_map(|(name, _)| table.deployment(name));
            return Ok(all.filter(ours).filter_map(open).collect());
        };
        let all = state.services.values().filter_map(|service| service.deployment.as_ref());
        Ok(all.filter(ours).filter_map(open).collect())
    }

    /// The containers that the table names.
    pub(crate) async fn placed(&self) -> Result<Vec<String>, CallError> {
        let state = self.state().await?;
        let endpoints = state.services.values().flat_map(|s| s.declared.revisions.values()).flat_map(|r| &r.endpoints);
        Ok(endpoints.map(|endpoint| endpoint.container.clone()).collect())
    }

    /// Refuses what is not the table's business, but is another run's.
    pub(crate) async fn is_deployed_here(&self, call: &Call, service: &str) -> Result<(), CallError> {
        let (_, found) = self.service(call, service).await?;
        match found.deployment {
            Some(deployment) if deployment.holder == call.run.run => Ok(()),
            _ => Err(CallError::Unsafe(format!(
                "service `{service}` is not being deployed by this run: a deploy begins with `begin`"
            ))),
        }
    }

    async fn patiently<T, F: Future<Output = Result<T, ClientError>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, CallError> {
        self.patiently_said(ask).await.map_err(error_of)
    }

    /// A router that hands over, or was there and is being started again, answers in a moment.
    async fn patiently_said<T, F: Future<Output = Result<T, ClientError>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, ClientError> {
        let end = Instant::now() + PATIENCE;
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let comes_back = match &error {
                ClientError::Refused(refusal) => matches!(refusal, Refusal::HandingOver),
                ClientError::Unreachable { .. } | ClientError::NoHaproxy { .. } => self.driver.was_there(),
                // The same identity asks again: what was done is done once.
                ClientError::Broken { .. } => self.driver.was_there(),
                ClientError::Folder { .. } | ClientError::Table(_) => false,
            };
            if !comes_back || Instant::now() >= end {
                return Err(error);
            }
            sleep(PAUSE).await;
        }
    }
}

/// Docker's id of a container, by its name.
fn endpoint(service: &ServiceState, revision: &str, container: &str) -> Option<String> {
    let endpoints = &service.revisions.get(revision)?.endpoints;
    endpoints.iter().find(|endpoint| endpoint.name == container).map(|endpoint| endpoint.container.clone())
}

fn unknown(call: &Call, service: &str) -> CallError {
    let place = call.environment.as_deref().map(|name| format!(" in environment `{name}`")).unwrap_or_default();
    CallError::NotFound(format!("the router knows no service `{service}`{place}: it was never deployed there"))
}

/// Why the router did not do it, in the words of the contract.
pub(crate) fn error_of(error: ClientError) -> CallError {
    let text = error.to_string();
    let ClientError::Refused(refusal) = error else { return CallError::Unavailable(text) };
    match refusal {
        Refusal::Owned { .. } | Refusal::Reserved { .. } | Refusal::RouteConflict { .. } | Refusal::Stale { .. } => {
            CallError::Conflict(text)
        }
        Refusal::OverCapacity { .. }
        | Refusal::Downtime { .. }
        | Refusal::NotBegun { .. }
        | Refusal::OutOfTurn { .. }
        | Refusal::Serving { .. } => CallError::Unsafe(text),
        Refusal::UnknownService { .. } | Refusal::UnknownRevision { .. } => CallError::NotFound(text),
        Refusal::WeightSum { .. } | Refusal::Invalid { .. } | Refusal::IdentityReused { .. } => {
            CallError::Invalid(text)
        }
        Refusal::Unsupported { .. } => CallError::Unsupported(text),
        Refusal::HandingOver => CallError::Unavailable(text),
        _ => CallError::Other(text),
    }
}
