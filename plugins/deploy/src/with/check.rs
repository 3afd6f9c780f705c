//! From `with` to orders. Says what makes no sense, in words.

use std::collections::{BTreeMap, BTreeSet};

use windlass_analysis::{Analysis as Judge, Source};
use windlass_plugin::traffic::FULL;
use windlass_plugin::with::Duration;
use windlass_plugin::{Failure, OrFail, Value, bail, ensure};

use super::pause::LONGEST_HOLD_MS;
use super::{Action, Analysis, Canary, Health, Ring, Route, Strategy, With};
use crate::order::{End, Order, Stage, Way};
use crate::serving::Serving;

/// A deploy that makes sense.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The services to deploy, in their order: one, or one for each ring.
    pub(crate) orders: Vec<Order>,
}

const PROGRESS_MS: u64 = 600_000;
const RING_BAKE: Duration = Duration::from_secs(600);

/// Checks a deploy. `run` is the run's id.
///
/// # Errors
/// Something is missing, is said twice, or contradicts something else.
pub(crate) fn check(with: &With, run: &str) -> Result<Checked, Failure> {
    let strategy = with
        .strategy
        .or_fail("`strategy` is missing: it is one of `recreate`, `rolling`, `blue-green`, `canary` and `ring`")?;
    belongs(with, strategy)?;
    let port = with.port.or_fail("`port` is missing: the port inside the containers to which requests go")?;
    let revision = with.revision.clone().unwrap_or_else(|| run.to_owned());
    ensure!(with.hold.0 <= LONGEST_HOLD_MS, "`hold` is longer than the 60 seconds for which the router holds requests");
    if let Some(analysis) = &with.analysis {
        metrics(analysis, with, strategy)?;
    }
    let way = match strategy {
        Strategy::Recreate => Way::Recreate,
        Strategy::BlueGreen | Strategy::Ring => Way::BlueGreen,
        Strategy::Rolling => {
            let rolling = with.rolling.unwrap_or_default();
            ensure!(
                rolling.max_surge > 0 || rolling.max_unavailable > 0,
                "`rolling` cannot begin: with `max-surge = 0` and `max-unavailable = 0` no container may come before \
                 one has gone, and none may go"
            );
            ensure!(
                rolling.max_unavailable < with.replicas,
                "`rolling.max-unavailable = {}` of `replicas = {}` would leave nothing: `strategy = \"recreate\"` does \
                 that, with a grant",
                rolling.max_unavailable,
                with.replicas
            );
            Way::Rolling(rolling)
        }
        Strategy::Canary => {
            let canary = with.canary.as_ref().or_fail("`strategy = \"canary\"` needs `canary.steps`")?;
            Way::Canary(stages(canary, with.replicas)?)
        }
    };
    let one = |service: &str, replicas, routes: &[Route], env: &BTreeMap<String, Value>, way: Way, bake_ms| {
        order(with, service, &revision, strategy, replicas, routes, env, way, bake_ms, port)
    };
    let everywhere = [Route::default()];
    let orders = match &with.rings {
        None => {
            let routes = with.routes.as_deref().unwrap_or(&everywhere);
            distinct(routes.iter().map(|route| ("`routes`".to_owned(), route)))?;
            let bake_ms = with.bake.map_or(0, Duration::millis);
            vec![one(&with.service, with.replicas, routes, &BTreeMap::new(), way, bake_ms)?]
        }
        Some(rings) => {
            ring_names(with, rings)?;
            let each = |ring: &Ring| {
                let replicas = ring.replicas.unwrap_or(with.replicas);
                let bake_ms = ring.bake.unwrap_or(RING_BAKE).millis();
                one(&ring_service(with, ring), replicas, &ring.routes, &ring.env, Way::BlueGreen, bake_ms)
            };
            rings.iter().map(each).collect::<Result<_, _>>()?
        }
    };
    Ok(Checked { orders })
}

/// The service of a ring in the router.
fn ring_service(with: &With, ring: &Ring) -> String {
    ring.service.clone().unwrap_or_else(|| format!("{}-{}", with.service, ring.name))
}

#[expect(clippy::too_many_arguments, reason = "what differs between rings, beside what is the same for all")]
fn order(
    with: &With,
    service: &str,
    revision: &str,
    strategy: Strategy,
    replicas: u32,
    routes: &[Route],
    env: &BTreeMap<String, Value>,
    way: Way,
    bake_ms: u64,
    port: u16,
) -> Result<Order, Failure> {
    let missing = if let Way::Rolling(rolling) = &way { rolling.max_unavailable } else { 0 };
    let serving = Serving {
        port,
        carry: replicas.saturating_sub(missing).max(1),
        routes: routes.iter().map(Into::into).collect(),
        sticky: with.sticky.as_ref().map(Into::into),
        override_header: with.override_header.clone(),
        router_check: with.router_check.as_ref().map(Into::into),
        check: with.health.as_ref().unwrap_or(&Health::default()).check(port)?,
    };
    Ok(Order {
        service: service.to_owned(),
        revision: revision.to_owned(),
        strategy: strategy.name(),
        way,
        replicas,
        spec: with.spec(env)?,
        pull: with.pull,
        mounts: with.mounts.clone(),
        serving,
        preview: with.preview.clone(),
        smoke_before: with.smoke.before.clone(),
        smoke_after: with.smoke.after.clone(),
        hold_ms: with.hold.0,
        bake_ms,
        progress_ms: with.progress_deadline.map_or(PROGRESS_MS, Duration::millis),
        analysis: with.analysis.clone(),
        end: with.end(),
    })
}

impl With {
    /// How old revisions go.
    pub(crate) fn end(&self) -> End {
        End { drain_ms: self.drain_ms(), grace_ms: self.grace_ms(), keep: self.kept() }
    }
}

/// Is everything that is said of a strategy said of this one?
fn belongs(with: &With, strategy: Strategy) -> Result<(), Failure> {
    let others = [
        ("rolling", with.rolling.is_some(), &[Strategy::Rolling][..]),
        ("canary", with.canary.is_some(), &[Strategy::Canary]),
        ("rings", with.rings.is_some(), &[Strategy::Ring]),
        ("preview", with.preview.is_some(), &[Strategy::BlueGreen, Strategy::Canary]),
    ];
    if let Some((key, _, of)) = others.iter().find(|(_, given, of)| *given && !of.contains(&strategy)) {
        let of: Vec<_> = of.iter().map(|strategy| format!("\"{}\"", strategy.name())).collect();
        bail!("`{key}` goes with `strategy = {}`, not with `\"{}\"`", of.join("` or `"), strategy.name());
    }
    ensure!(with.to.is_none() || with.action == Action::Rollback, "`to` goes with `action = \"rollback\"`");
    if strategy == Strategy::Ring {
        ensure!(with.rings.is_some(), "`strategy = \"ring\"` needs `rings`");
        ensure!(with.bake.is_none(), "each of `rings` has a `bake` of its own");
        ensure!(with.routes.is_none(), "each of `rings` has `routes` of its own");
    }
    if let Some(preview) = &with.preview {
        ensure!(preview.host.is_some() || preview.path.is_some(), "`preview` needs a `host` or a `path`");
    }
    Ok(())
}

/// The steps of a canary, in hundredths of a percent and with the containers that each needs.
fn stages(canary: &Canary, replicas: u32) -> Result<Vec<Stage>, Failure> {
    ensure!(!canary.steps.is_empty(), "`canary.steps` is empty: `strategy = \"blue-green\"` switches at once");
    let (mut last_weight, mut last_replicas) = (0, 0);
    let mut stages = Vec::new();
    for (at, step) in canary.steps.iter().enumerate() {
        let place = format!("step {} of `canary`", at + 1);
        let exact = step.weight * 100.0;
        let weight = exact.round();
        ensure!(
            (weight - exact).abs() < 1e-6 && (1.0..=f64::from(FULL)).contains(&weight),
            "{place} has `weight = {}`: a weight is above 0, at most 100, and has two decimals at most",
            step.weight
        );
        let weight = weight as u32;
        ensure!(
            weight > last_weight,
            "{place} has `weight = {}`, which is not more than that of the step before: weights rise",
            step.weight
        );
        let needed = needed(weight, replicas);
        let count = step.replicas.unwrap_or(needed).max(last_replicas);
        ensure!(
            count <= replicas,
            "{place} has `replicas = {count}`, but there are only `replicas = {replicas}` in all"
        );
        ensure!(
            count >= needed,
            "{place} has `replicas = {count}`, but {} % of the traffic needs {needed} of `replicas = {replicas}`",
            step.weight
        );
        stages.push(Stage { weight, replicas: count, pause: step.pause });
        (last_weight, last_replicas) = (weight, count);
    }
    Ok(stages)
}

/// How many containers carry a weight, of so many that carry everything.
fn needed(weight: u32, replicas: u32) -> u32 {
    let needed = (u64::from(weight) * u64::from(replicas)).div_ceil(u64::from(FULL));
    u32::try_from(needed).unwrap_or(replicas)
}

fn ring_names(with: &With, rings: &[Ring]) -> Result<(), Failure> {
    ensure!(!rings.is_empty(), "`rings` is empty");
    let (mut names, mut services) = (BTreeSet::new(), BTreeSet::new());
    for ring in rings {
        ensure!(names.insert(&ring.name), "two of `rings` are called `{}`", ring.name);
        let service = ring_service(with, ring);
        ensure!(services.insert(service.clone()), "two of `rings` have the service `{service}`");
        ensure!(!ring.routes.is_empty(), "the ring `{}` has no `routes`", ring.name);
    }
    let routes =
        rings.iter().flat_map(|ring| ring.routes.iter().map(move |route| (format!("the ring `{}`", ring.name), route)));
    distinct(routes)
}

/// No two routes claim the same requests; whether another service's does, the router knows. A route that says nothing
/// claims nothing here: with HAProxy, whose own configuration tells services apart, every ring has one.
fn distinct<'a>(routes: impl Iterator<Item = (String, &'a Route)>) -> Result<(), Failure> {
    let mut claimed: Vec<(String, &Route)> = Vec::new();
    for (place, route) in routes.filter(|(_, route)| **route != Route::default()) {
        let meet = |other: &Route| {
            let (a, b) = (&route.listeners, &other.listeners);
            claims(route) == claims(other)
                && (a.is_empty() || b.is_empty() || a.iter().any(|address| b.contains(address)))
        };
        if let Some((first, _)) = claimed.iter().find(|(_, other)| meet(other)) {
            let of =
                if *first == place { format!("{place} has twice") } else { format!("{first} and {place} both have") };
            bail!("{of} the route `{}{}`", route.host.as_deref().unwrap_or("*"), route.path);
        }
        claimed.push((place, route));
    }
    Ok(())
}

/// The host and the path by which requests are told apart.
fn claims(route: &Route) -> (Option<String>, &str) {
    (route.host.as_deref().map(str::to_ascii_lowercase), route.path.trim_end_matches('/'))
}

/// Can the metrics be judged at all?
fn metrics(analysis: &Analysis, with: &With, strategy: Strategy) -> Result<(), Failure> {
    ensure!(!analysis.metrics.is_empty(), "`analysis.metrics` is empty");
    let mut names = BTreeSet::new();
    for metric in &analysis.metrics {
        ensure!(names.insert(&metric.name), "two metrics are called `{}`", metric.name);
        Judge::new(metric.clone(), 0)?;
        ensure!(
            matches!(metric.source, Source::Router) || analysis.prometheus.is_some(),
            "the metric `{}` has a query, but `analysis.prometheus` does not say whom to ask",
            metric.name
        );
        ensure!(
            strategy == Strategy::Canary || !metric.needs_baseline(),
            "the metric `{}` compares with the previous revision, which serves beside the new one only with \
             `strategy = \"canary\"`",
            metric.name
        );
    }
    let waits = match strategy {
        Strategy::Ring => true,
        Strategy::Canary => {
            let pauses = with.canary.iter().flat_map(|canary| &canary.steps).any(|step| step.pause.is_some());
            pauses || with.bake.is_some()
        }
        _ => with.bake.is_some(),
    };
    ensure!(
        waits,
        "`analysis` has no time to judge in: {}",
        match strategy {
            Strategy::Canary => "give a step of `canary` a `pause`",
            _ => "give the new revision a `bake`, as `bake = \"5m\"`",
        }
    );
    Ok(())
}

#[cfg(test)]
mod tests;
