//! Interlock 2 as a property of the table: whatever is asked, in whatever order, no wrong state comes out.

use proptest::prelude::*;
use std::collections::BTreeMap;
use windlass_router::api::{Apply, Change, Endpoint, HealthCheck, Refusal, Revision, Route, Service, Timeouts, Weight};
use windlass_router::table::Table;

#[derive(Clone, Debug)]
enum Ask {
    Service { replicas: u32, checked: bool, revisions: Vec<(u16, Vec<(u8, bool)>)> },
    Weights(Vec<u16>),
    Ready(Vec<bool>),
    Remove,
}

fn weight() -> impl Strategy<Value = u16> {
    prop_oneof![Just(0), Just(10_000), Just(5_000), Just(2_500), Just(3_333), 0u16..=10_000]
}

fn ask() -> impl Strategy<Value = Ask> {
    let endpoints = prop::collection::vec((0u8..8, any::<bool>()), 0..4);
    let revisions = prop::collection::vec((weight(), endpoints), 0..4);
    prop_oneof![
        3 => (0u32..4, any::<bool>(), revisions).prop_map(|(replicas, checked, revisions)| Ask::Service { replicas, checked, revisions }),
        4 => prop::collection::vec(weight(), 0..4).prop_map(Ask::Weights),
        2 => prop::collection::vec(any::<bool>(), 8).prop_map(Ask::Ready),
        1 => Just(Ask::Remove),
    ]
}

/// Weights that add up more often than random ones do: the last takes what is left.
fn complete(weights: &mut [u16]) {
    let sum: u32 = weights.iter().rev().skip(1).map(|w| u32::from(*w)).sum();
    if let (Some(last), true) = (weights.last_mut(), sum > 0 && sum <= 10_000) {
        *last = u16::try_from(10_000 - sum).unwrap();
    }
}

fn declared(replicas: u32, checked: bool, revisions: &[(u16, Vec<(u8, bool)>)]) -> Service {
    let mut weights: Vec<u16> = revisions.iter().map(|(w, _)| *w).collect();
    complete(&mut weights);
    let revisions = revisions.iter().zip(weights).enumerate().map(|(at, ((_, endpoints), weight))| {
        let endpoints = endpoints.iter().map(|(n, ready)| Endpoint {
            container: format!("c{}", u16::from(*n) + 8 * u16::try_from(at).unwrap()),
            address: format!("10.0.0.{n}:80").parse().unwrap(),
            ready: *ready,
            name: String::new(),
            port: 0,
        });
        (
            format!("v{at}"),
            Revision { weight: Weight::units(weight), endpoints: endpoints.collect(), ..Revision::default() },
        )
    });
    Service {
        routes: vec![Route { host: None, path: "/".to_owned(), listeners: vec![], revision: None }],
        replicas,
        revisions: revisions.collect(),
        sticky: None,
        override_header: None,
        health: checked.then(HealthCheck::default),
        timeouts: Timeouts::default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_weight_ever_exceeds_what_ready_replicas_carry(asks in prop::collection::vec(ask(), 1..24)) {
        let mut table = Table::default();
        let mut well = [true; 8];
        for (at, ask) in asks.into_iter().enumerate() {
            let name = "shop".to_owned();
            let change = match ask {
                Ask::Ready(now) => { well.copy_from_slice(&now); continue; }
                Ask::Remove => Change::RemoveService { name },
                Ask::Service { replicas, checked, revisions } =>
                    Change::Service { name, service: Box::new(declared(replicas, checked, &revisions)) },
                Ask::Weights(mut weights) => {
                    complete(&mut weights);
                    let weights: BTreeMap<_, _> = weights.iter().enumerate().map(|(at, w)| (format!("v{at}"), Weight::units(*w))).collect();
                    Change::Weights { name, weights }
                }
            };
            let is_well = |_: &str, checked: bool, e: &Endpoint| {
                let n = e.address.ip().to_string().rsplit('.').next().unwrap().parse::<usize>().unwrap();
                !checked || well[n]
            };
            let before = table.clone();
            let apply = Apply { by: format!("call-{at}"), expect: table.service_generation("shop"), holder: None, change };
            match table.apply(&apply, &is_well) {
                Err(_) => prop_assert_eq!(&table, &before),
                Ok((next, applied)) => {
                    prop_assert_eq!(next.generation(), before.generation() + 1);
                    prop_assert_eq!(applied.generation, next.generation());
                    table = next;
                }
            }
            // What must hold, reckoned again without the table's own code.
            let Some(service) = table.service("shop") else { continue };
            let mut sum = 0;
            for (revision, r) in &service.revisions {
                let ready = |e: &&Endpoint| e.ready && is_well("shop", service.health.is_some(), e);
                let now = r.endpoints.iter().filter(ready).count() as u64;
                let units = u64::from(r.weight.as_units());
                sum += units;
                let behind = u64::from(table.behind("shop", revision));
                let cap = |ready: u64| (10_000 * ready).div_ceil(u64::from(service.replicas));
                prop_assert!(units <= cap(behind), "{revision}: {units} on {behind}");
                prop_assert!(behind <= r.endpoints.iter().filter(|e| e.ready).count() as u64);
                // A weight that was raised just now stands on replicas that are ready just now.
                let was = before.service("shop").and_then(|s| s.revisions.get(revision)).map_or(0, |r| u64::from(r.weight.as_units()));
                if units > was {
                    prop_assert!(units <= cap(now), "{revision} was raised to {units} on {now}");
                }
            }
            prop_assert!(sum == 0 || sum == 10_000, "they add up to {sum}");
            // What is stored can be read, and only that.
            let text = serde_json::to_string(&table).unwrap();
            let read: Table = serde_json::from_str(&text).unwrap();
            prop_assert!(read.check().is_ok());
            prop_assert_eq!(read, table.clone());
        }
    }
}

#[test]
fn a_table_on_disk_that_breaks_the_interlock_is_refused() {
    let ready = |_: &str, _: bool, _: &Endpoint| true;
    let service = declared(1, false, &[(10_000, vec![(1, true)]), (0, vec![(2, true)])]);
    let apply = Apply {
        by: "x".to_owned(),
        expect: 0,
        holder: None,
        change: Change::Service { name: "shop".to_owned(), service: Box::new(service) },
    };
    let (table, _) = Table::default().apply(&apply, &ready).unwrap();
    let good = serde_json::to_value(&table).unwrap();
    let at = "/services/shop/value/service";
    for (pointer, value, kind) in [
        (format!("{at}/replicas"), serde_json::json!(2), "over-capacity"),
        (format!("{at}/revisions/v0/endpoints/0/ready"), serde_json::json!(false), "over-capacity"),
        (format!("{at}/revisions/v0/weight"), serde_json::json!(99), "weight-sum"),
        ("/services/shop/value/behind/v0".to_owned(), serde_json::json!([]), "over-capacity"),
        ("/services/shop/value/behind/v0".to_owned(), serde_json::json!(["somebody-else"]), "over-capacity"),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(&pointer).unwrap() = value;
        let table: Table = serde_json::from_value(bad).unwrap();
        let refused: Refusal = table.check().unwrap_err();
        assert_eq!(serde_json::to_value(&refused).unwrap()["kind"], kind, "{pointer}: {refused}");
    }
}

#[test]
fn a_service_that_lost_a_replica_can_still_be_changed_but_not_raised() {
    let well =
        |ready: &'static [&'static str]| move |_: &str, _: bool, e: &Endpoint| ready.contains(&e.container.as_str());
    let mut service = declared(2, true, &[(10_000, vec![(1, true), (2, true)])]);
    let apply = |by: &str, expect: u64, service: &Service| Apply {
        by: by.to_owned(),
        expect,
        holder: None,
        change: Change::Service { name: "shop".to_owned(), service: Box::new(service.clone()) },
    };
    let (table, _) = Table::default().apply(&apply("a", 0, &service), &well(&["c1", "c2"])).unwrap();
    // One is ill. A new revision can be declared beside it: that may be the cure.
    service.revisions.insert("v9".to_owned(), Revision::default());
    let (table, _) = table.apply(&apply("b", 1, &service), &well(&["c1"])).unwrap();
    // Other containers, or more that full traffic needs, are another matter.
    let mut other = service.clone();
    other.revisions.get_mut("v0").unwrap().endpoints[1].container = "c7".to_owned();
    assert!(matches!(table.apply(&apply("c", 2, &other), &well(&["c1"])), Err(Refusal::OverCapacity { ready: 1, .. })));
    let mut other = service.clone();
    other.replicas = 3;
    assert!(matches!(table.apply(&apply("d", 2, &other), &well(&["c1"])), Err(Refusal::OverCapacity { ready: 1, .. })));
    // Down, and then it does not come up again.
    for r in service.revisions.values_mut() {
        r.weight = Weight::ZERO;
    }
    let (table, _) = table.apply(&apply("e", 2, &service), &well(&["c1"])).unwrap();
    service.revisions.get_mut("v0").unwrap().weight = Weight::FULL;
    assert!(matches!(
        table.apply(&apply("f", 3, &service), &well(&["c1"])),
        Err(Refusal::OverCapacity { ready: 1, .. })
    ));
    // Whoever says that one replica is enough may.
    service.replicas = 1;
    assert!(table.apply(&apply("g", 3, &service), &well(&["c1"])).is_ok());
}
