//! Deployments as a property: several runs ask for anything, in any order, while replicas fall ill
//! and get well, and what must hold is reckoned again without the table's own code.

use super::{Bench, abort, begin_as, commit, finish, retire, set_for, settings, weights};
use proptest::prelude::*;
use windlass_router::api::{Change, Endpoint, HealthCheck, Service, Weight};

const REVISIONS: [&str; 4] = ["v0", "v1", "v2", "v3"];
const RUNS: [&str; 3] = ["", "r1", "r2"];

#[derive(Clone, Debug)]
enum Ask {
    Begin { owner: usize, revision: usize, downtime: bool, replicas: u32, checked: bool },
    Endpoints { revision: usize, replicas: Option<u32>, endpoints: Vec<(u8, u8, bool)> },
    Weights(Vec<u16>),
    All(usize),
    Commit,
    Abort,
    Retire(usize),
    Finish,
    Remove,
    Ready(Vec<bool>),
}

fn ask() -> impl Strategy<Value = Ask> {
    let weight = prop_oneof![Just(0), Just(10_000), Just(5_000), Just(3_333), Just(3_334), 0u16..=10_000];
    let endpoints = prop::collection::vec((0u8..4, 0u8..2, prop::bool::weighted(0.8)), 0..4);
    let begin = (0usize..8, 0usize..4, any::<bool>(), 1u32..4, any::<bool>());
    prop_oneof![
        4 => begin.prop_map(|(owner, revision, downtime, replicas, checked)| Ask::Begin { owner: owner / 7, revision, downtime, replicas, checked }),
        6 => (0usize..4, prop::option::of(1u32..4), endpoints).prop_map(|(revision, replicas, endpoints)| Ask::Endpoints { revision, replicas, endpoints }),
        3 => prop::collection::vec(weight, 0..4).prop_map(Ask::Weights),
        4 => (0usize..4).prop_map(Ask::All),
        3 => Just(Ask::Commit),
        2 => Just(Ask::Abort),
        1 => (0usize..4).prop_map(Ask::Retire),
        3 => Just(Ask::Finish),
        1 => Just(Ask::Remove),
        1 => prop::collection::vec(any::<bool>(), 4).prop_map(Ask::Ready),
    ]
}

/// A container belongs to one revision; it may have one of two addresses.
fn endpoint(revision: usize, (n, address, ready): (u8, u8, bool)) -> Endpoint {
    let container = format!("c{}", revision * 4 + usize::from(n));
    let address = format!("10.{address}.{revision}.{n}:80").parse().unwrap();
    Endpoint { container, address, ready, name: String::new(), port: 0 }
}

fn change(ask: &Ask) -> Option<Change> {
    Some(match ask {
        Ask::Begin { owner, revision, downtime, replicas, checked } => {
            let health = checked.then(HealthCheck::default);
            let service = Service { health, ..settings(*replicas) };
            begin_as(["storefront", "billing"][*owner], REVISIONS[*revision], *downtime, service)
        }
        Ask::Endpoints { revision, replicas, endpoints } => {
            let endpoints: Vec<Endpoint> = endpoints.iter().map(|e| endpoint(*revision, *e)).collect();
            set_for(REVISIONS[*revision], *replicas, &endpoints)
        }
        Ask::Weights(units) => {
            let mut units = units.clone();
            let sum: u32 = units.iter().rev().skip(1).map(|w| u32::from(*w)).sum();
            if let (Some(last), true) = (units.last_mut(), sum > 0 && sum <= 10_000) {
                *last = u16::try_from(10_000 - sum).unwrap();
            }
            weights(&REVISIONS.into_iter().zip(units).collect::<Vec<_>>())
        }
        Ask::All(revision) => weights(&[(REVISIONS[*revision], 10_000)]),
        Ask::Commit => commit(),
        Ask::Abort => abort(),
        Ask::Retire(revision) => retire(REVISIONS[*revision]),
        Ask::Finish => finish(),
        Ask::Remove => Change::RemoveService { name: "shop".to_owned() },
        Ask::Ready(_) => return None,
    })
}

/// A service without the addresses and the readiness of its replicas: what an abort brings back as it was.
fn without_addresses(service: &Service) -> Service {
    let mut service = service.clone();
    for endpoint in service.revisions.values_mut().flat_map(|r| &mut r.endpoints) {
        *endpoint = Endpoint { address: "0.0.0.0:1".parse().unwrap(), ready: false, ..endpoint.clone() };
    }
    service
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn whatever_runs_ask_a_service_has_one_holder_and_a_way_back(
        asks in prop::collection::vec((prop_oneof![1 => Just(0usize), 6 => Just(1), 2 => Just(2)], ask()), 1..40)
    ) {
        let mut bench = Bench::default();
        let mut well = vec![true; 4];
        // What was there when the deployment that is under way began.
        let mut began: Option<(Option<Service>, Option<String>)> = None;
        for (run, ask) in asks {
            let Some(change) = change(&ask) else {
                if let Ask::Ready(now) = ask { well = now; }
                continue;
            };
            let run = RUNS[run];
            let is_well = |_: &str, checked: bool, e: &Endpoint| {
                !checked || well[e.address.ip().to_string().rsplit('.').next().unwrap().parse::<usize>().unwrap()]
            };
            let before = bench.table.clone();
            let held = before.deployment("shop").cloned();
            let done = bench.ask(run, change, &is_well);
            let now = &bench.table;
            if done.is_err() {
                prop_assert_eq!(now, &before);
                if let Ask::Abort = ask {
                    let mine = held.as_ref().is_some_and(|d| d.holder == run && !d.committed);
                    prop_assert!(!mine, "an abort was refused: {:?}", done);
                }
                continue;
            }
            // Only the holder gets anything done.
            if let Some(held) = &held {
                prop_assert_eq!(&held.holder, run);
            }
            match (&held, now.deployment("shop")) {
                (None, Some(new)) => {
                    prop_assert_eq!(&new.holder, run);
                    began = Some((before.service("shop").cloned(), before.owner("shop").map(str::to_owned)));
                }
                (Some(old), Some(new)) => {
                    prop_assert_eq!((&old.holder, &old.revision), (&new.holder, &new.revision));
                    prop_assert!(new.committed || !old.committed);
                }
                (Some(old), None) if !old.committed => {
                    let (service, owner) = began.take().unwrap();
                    prop_assert_eq!(now.owner("shop").map(str::to_owned), owner);
                    prop_assert_eq!(now.service("shop").map(without_addresses), service.as_ref().map(without_addresses));
                    let (Some(restored), Some(service)) = (now.service("shop"), service) else { continue };
                    let newer = before.service("shop").unwrap();
                    for (name, r) in &restored.revisions {
                        for (endpoint, was) in r.endpoints.iter().zip(&service.revisions[name].endpoints) {
                            let mut all = newer.revisions.values().flat_map(|r| &r.endpoints);
                            let moved = all.find(|e| e.container == was.container && e.address != was.address);
                            prop_assert_eq!(endpoint, moved.unwrap_or(was));
                        }
                    }
                }
                _ => {}
            }
            if let Some(deployment) = now.deployment("shop") {
                if deployment.committed {
                    prop_assert_eq!(now.current("shop"), Some(deployment.revision.as_str()));
                    prop_assert_eq!(now.service("shop").unwrap().revisions[&deployment.revision].weight, Weight::FULL);
                }
                let serves = |table: &windlass_router::table::Table| {
                    table.service("shop").is_some_and(|s| s.revisions.values().any(|r| r.weight > Weight::ZERO))
                };
                prop_assert!(deployment.downtime || serves(now) || !serves(&before), "it stands still");
            }
            if let Some(service) = now.service("shop") {
                let mut sum = 0;
                for (name, r) in &service.revisions {
                    let full = u64::from(r.replicas.unwrap_or(service.replicas));
                    let units = u64::from(r.weight.as_units());
                    let cap = |ready: u64| (10_000 * ready).div_ceil(full);
                    sum += units;
                    prop_assert!(units <= cap(u64::from(now.behind("shop", name))), "{name} has {units}");
                    let was = before.service("shop").and_then(|s| s.revisions.get(name)).map_or(0, |r| u64::from(r.weight.as_units()));
                    if units > was && !matches!(ask, Ask::Abort) {
                        // A revision that was there before brings its own check.
                        let checked = r.care.as_ref().map_or(&service.health, |care| &care.health).is_some();
                        let ready = |e: &&Endpoint| e.ready && is_well("shop", checked, e);
                        let ready = r.endpoints.iter().filter(ready).count() as u64;
                        prop_assert!(units <= cap(ready), "{name} was raised to {units} on {ready}");
                    }
                }
                prop_assert!(sum == 0 || sum == 10_000, "they add up to {sum}");
            }
            let text = serde_json::to_string(now).unwrap();
            let read: windlass_router::table::Table = serde_json::from_str(&text).unwrap();
            prop_assert!(read.check().is_ok());
            prop_assert_eq!(&read, now);
        }
    }
}
