//! Calls that change the router's table.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use windlass_gate::api::{Nothing, Pair, traffic as api};
use windlass_gate::{Call, CallError, Function};
use windlass_router::api::{Change, Endpoint, HealthCheck, Intent, Release, Route, Service, Sticky, Timeouts, Weight};

use crate::asking::Asking;
use crate::names;

/// Makes the change that a call asks for, and shows what became of the service.
pub(crate) async fn make(asking: &Asking, call: &Call) -> Result<api::State, CallError> {
    let (service, change) = match call.function {
        Function::TrafficBegin => begin(call, call.decode::<api::Begin>()?.deployment)?,
        Function::TrafficSetEndpoints => endpoints(asking, call, call.decode()?).await?,
        Function::TrafficShift => {
            let api::Shift { service, weights } = call.decode()?;
            let weights = weights.into_iter().map(|split| Ok((split.revision, weight(split.weight)?)));
            let weights = weights.collect::<Result<_, CallError>>()?;
            let name = names::in_table(call, &service)?;
            (service, Change::Weights { name, weights })
        }
        Function::TrafficTakeDown => {
            let service = call.decode::<api::TakeDown>()?.service;
            let name = names::in_table(call, &service)?;
            (service, Change::Weights { name, weights: BTreeMap::new() })
        }
        Function::TrafficCommit => {
            let service = call.decode::<api::Commit>()?.service;
            let name = names::in_table(call, &service)?;
            (service, Change::Commit { name })
        }
        Function::TrafficRetire => {
            let api::Retire { service, revision } = call.decode()?;
            let name = names::in_table(call, &service)?;
            (service, Change::Retire { name, revision })
        }
        other => return Err(CallError::Other(format!("{} is not a function of traffic", other.name()))),
    };
    if call.function == Function::TrafficShift || call.function == Function::TrafficTakeDown {
        asking.is_deployed_here(call, &service).await?;
    }
    asking.apply(call, &service, &change).await?;
    asking.read(call, &service).await
}

/// Gives the previous revision all of the traffic back. A deploy that is not open is none to abort.
pub(crate) async fn restore(asking: &Asking, call: &Call, service: &str) -> Result<Nothing, CallError> {
    let name = names::in_table(call, service)?;
    asking.apply(call, service, &Change::Abort { name: name.clone() }).await?;
    Ok(let_go(asking, name).await)
}

pub(crate) async fn finish(asking: &Asking, call: &Call, service: &str) -> Result<Nothing, CallError> {
    let name = names::in_table(call, service)?;
    asking.apply(call, service, &Change::Finish { name: name.clone() }).await?;
    Ok(let_go(asking, name).await)
}

/// Requests that a switch held do not wait for a deploy that is over.
async fn let_go(asking: &Asking, service: String) -> Nothing {
    // There may be none, or no service any more; the hold ends by itself in any case.
    let _ = asking.driver.release(&Release { service }).await;
    Nothing
}

fn begin(call: &Call, deployment: api::Deployment) -> Result<(String, Change), CallError> {
    let name = names::in_table(call, &deployment.service)?;
    names::check("revision", &deployment.revision)?;
    let mut details: BTreeMap<String, String> =
        deployment.details.into_iter().map(|Pair { name, value }| (name, value)).collect();
    if let Some(reserved) = details.keys().find(|name| name.starts_with("windlass.")) {
        return Err(CallError::Invalid(format!("the detail `{reserved}` cannot be set: its name is Windlass's own")));
    }
    details.insert(names::SERVICE.to_owned(), deployment.service.clone());
    details.insert(names::STEP.to_owned(), call.id.step.0.to_string());
    if let Some(environment) = &call.environment {
        details.insert(names::ENVIRONMENT.to_owned(), environment.to_string());
    }
    let service = Service {
        routes: deployment.routes.into_iter().map(route).collect::<Result<_, _>>()?,
        replicas: deployment.replicas,
        revisions: BTreeMap::new(),
        sticky: deployment.sticky.map(|s| Sticky { cookie: s.cookie, max_age_s: s.max_age_s }),
        override_header: deployment.override_header,
        health: deployment.check.map(|check| HealthCheck {
            path: check.path,
            interval_ms: check.interval_ms,
            timeout_ms: check.timeout_ms,
            up_after: check.up_after,
            down_after: check.down_after,
        }),
        timeouts: Timeouts { connect_ms: deployment.connect_timeout_ms, read_ms: deployment.read_timeout_ms },
    };
    let intent = Intent {
        revision: deployment.revision,
        strategy: deployment.strategy,
        downtime: deployment.downtime,
        details,
        // The journal knows when; a call that is made again must be the same call.
        begun_ms: 0,
    };
    let change =
        Change::Begin { name, owner: call.run.pipeline.clone(), deployment: intent, service: Box::new(service) };
    Ok((deployment.service, change))
}

fn route(route: api::Route) -> Result<Route, CallError> {
    let listeners = route.listeners.iter().map(|address| socket("listener", address)).collect::<Result<_, _>>()?;
    Ok(Route { host: route.host, path: route.path, listeners, revision: route.revision })
}

/// A revision that is there keeps the number of replicas that it takes for all of the traffic.
async fn endpoints(asking: &Asking, call: &Call, args: api::SetEndpoints) -> Result<(String, Change), CallError> {
    let name = names::in_table(call, &args.service)?;
    names::check("revision", &args.revision)?;
    let (_, found) = asking.service(call, &args.service).await?;
    let replicas = found.declared.revisions.get(&args.revision).and_then(|revision| revision.replicas);
    let endpoints = args.endpoints.into_iter().map(|endpoint| {
        Ok(Endpoint {
            container: endpoint.id,
            address: socket("replica", &endpoint.address)?,
            ready: endpoint.ready,
            name: endpoint.container,
            port: endpoint.port,
        })
    });
    let endpoints = endpoints.collect::<Result<_, CallError>>()?;
    Ok((args.service, Change::Endpoints { name, revision: args.revision, replicas, endpoints }))
}

fn socket(what: &str, text: &str) -> Result<SocketAddr, CallError> {
    text.parse().map_err(|_| {
        CallError::Invalid(format!("`{text}` is no address of a {what}: an IP address and a port are needed"))
    })
}

fn weight(units: u32) -> Result<Weight, CallError> {
    u16::try_from(units).ok().filter(|units| *units <= 10_000).map(Weight::units).ok_or_else(|| {
        CallError::Invalid(format!("{units} is no weight: it takes hundredths of a percent, from 0 to 10000"))
    })
}
