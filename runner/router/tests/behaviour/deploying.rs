//! Interlocks 4 and 5 in the table: a deployment has its service for itself, and can go back from anywhere.

mod model;

use crate::kit::{Backend, Router, Stand, get, service};
use std::collections::BTreeMap;
use windlass_router::api::{Apply, Change, Endpoint, HealthCheck, Intent, Refusal, Revision, Route, Service, Weight};
use windlass_router::table::{Readiness, Table};
use windlass_router::{ClientError, Driver};

/// Everything that is vouched for is well.
fn well(_: &str, _: bool, _: &Endpoint) -> bool {
    true
}

/// Nothing passes its check.
fn ill(_: &str, checked: bool, _: &Endpoint) -> bool {
    !checked
}

/// A table and who changes it.
#[derive(Clone, Debug, Default)]
struct Bench {
    table: Table,
    calls: u64,
}

impl Bench {
    fn ask(&mut self, run: &str, change: Change, ready: &dyn Readiness) -> Result<(), Refusal> {
        self.calls += 1;
        let expect = change.service().map_or(0, |name| self.table.service_generation(name));
        let holder = (!run.is_empty()).then(|| run.to_owned());
        let apply = Apply { by: format!("{run}/{}", self.calls), expect, holder, change };
        let (next, _) = self.table.apply(&apply, ready)?;
        self.table = next;
        Ok(())
    }

    fn run(&mut self, run: &str, change: Change) -> Result<(), Refusal> {
        self.ask(run, change, &well)
    }

    fn shop(&self) -> &Service {
        self.table.service("shop").unwrap()
    }

    /// Deploys a revision with one replica to its end.
    fn deployed(&mut self, run: &str, revision: &str, endpoints: &[Endpoint]) {
        self.run(run, begin(revision)).unwrap();
        self.run(run, set(revision, endpoints)).unwrap();
        self.run(run, weights(&[(revision, 10_000)])).unwrap();
        self.run(run, named(Change::Commit { name: String::new() })).unwrap();
        self.run(run, named(Change::Finish { name: String::new() })).unwrap();
    }
}

fn settings(replicas: u32) -> Service {
    Service { revisions: BTreeMap::new(), replicas, ..service(&[]) }
}

fn begin(revision: &str) -> Change {
    begin_as("storefront", revision, false, settings(1))
}

fn begin_as(owner: &str, revision: &str, downtime: bool, service: Service) -> Change {
    let deployment = Intent { revision: revision.to_owned(), downtime, ..Intent::default() };
    Change::Begin { name: "shop".to_owned(), owner: owner.to_owned(), deployment, service: Box::new(service) }
}

fn endpoint(n: u8, ready: bool) -> Endpoint {
    let address = format!("10.0.0.{n}:80").parse().unwrap();
    Endpoint { container: format!("c{n}"), address, ready, name: format!("shop-{n}"), port: 80 }
}

fn set(revision: &str, endpoints: &[Endpoint]) -> Change {
    set_for(revision, None, endpoints)
}

fn set_for(revision: &str, replicas: Option<u32>, endpoints: &[Endpoint]) -> Change {
    let (revision, endpoints) = (revision.to_owned(), endpoints.to_vec());
    Change::Endpoints { name: "shop".to_owned(), revision, replicas, endpoints }
}

fn weights(weights: &[(&str, u16)]) -> Change {
    let weights = weights.iter().map(|(r, w)| ((*r).to_owned(), Weight::units(*w))).collect();
    Change::Weights { name: "shop".to_owned(), weights }
}

fn retire(revision: &str) -> Change {
    Change::Retire { name: "shop".to_owned(), revision: revision.to_owned() }
}

/// The change, of the shop.
fn named(mut change: Change) -> Change {
    if let Change::Commit { name } | Change::Abort { name } | Change::Finish { name } | Change::RemoveService { name } =
        &mut change
    {
        "shop".clone_into(name);
    }
    change
}

fn commit() -> Change {
    named(Change::Commit { name: String::new() })
}

fn abort() -> Change {
    named(Change::Abort { name: String::new() })
}

fn finish() -> Change {
    named(Change::Finish { name: String::new() })
}

#[test]
fn a_deployment_goes_from_begin_to_finish() {
    let mut bench = Bench::default();
    bench.run("r1", begin("v1")).unwrap();
    let deployment = bench.table.deployment("shop").unwrap();
    assert_eq!((deployment.holder.as_str(), deployment.previous.as_deref()), ("r1", None));
    assert_eq!(bench.shop().revisions["v1"].weight, Weight::ZERO);
    bench.run("r1", set("v1", &[endpoint(1, true)])).unwrap();
    let early = bench.run("r1", commit()).unwrap_err();
    assert!(early.to_string().contains("takes all of it"), "{early}");
    bench.run("r1", weights(&[("v1", 10_000)])).unwrap();
    assert!(matches!(bench.run("r1", finish()), Err(Refusal::OutOfTurn { .. })));
    bench.run("r1", commit()).unwrap();
    assert_eq!(bench.table.current("shop"), Some("v1"));
    assert!(bench.table.before("shop").is_none());
    bench.run("r1", finish()).unwrap();
    assert_eq!((bench.table.owner("shop"), bench.table.deployment("shop")), (Some("storefront"), None));
    // The next one knows what came before it, and afterwards it can go.
    bench.run("r2", begin("v2")).unwrap();
    assert_eq!(bench.table.deployment("shop").unwrap().previous.as_deref(), Some("v1"));
    bench.run("r2", set("v2", &[endpoint(2, true)])).unwrap();
    assert!(matches!(bench.run("r2", retire("v1")), Err(Refusal::OutOfTurn { .. })));
    bench.run("r2", weights(&[("v2", 10_000)])).unwrap();
    assert!(matches!(bench.run("r2", retire("v1")), Err(Refusal::OutOfTurn { .. })));
    bench.run("r2", commit()).unwrap();
    assert!(matches!(bench.run("r2", weights(&[("v1", 10_000)])), Err(Refusal::OutOfTurn { .. })));
    bench.run("r2", retire("v1")).unwrap();
    assert!(matches!(bench.run("r2", retire("v2")), Err(Refusal::OutOfTurn { .. })));
    bench.run("r2", finish()).unwrap();
    assert_eq!(bench.shop().revisions.keys().collect::<Vec<_>>(), ["v2"]);
}

#[test]
fn a_reserved_service_is_changed_by_its_run_alone() {
    let mut bench = Bench::default();
    bench.deployed("r1", "v1", &[endpoint(1, true)]);
    bench.run("r2", begin("v2")).unwrap();
    let all = [
        begin("v3"),
        begin("v2"),
        set("v2", &[endpoint(2, true)]),
        weights(&[("v1", 10_000)]),
        commit(),
        abort(),
        finish(),
        retire("v1"),
        named(Change::RemoveService { name: String::new() }),
        Change::Service { name: "shop".to_owned(), service: Box::new(service(&[])) },
    ];
    for change in all {
        for other in ["r3", ""] {
            let refused = bench.run(other, change.clone()).unwrap_err();
            assert!(matches!(&refused, Refusal::Reserved { holder, .. } if holder == "r2"), "{change:?}: {refused}");
            assert!(refused.to_string().contains("`windlass cancel r2`"), "{refused}");
        }
    }
    // The run itself begins one at a time, and changes it as a deployment only.
    for change in [
        begin("v3"),
        named(Change::RemoveService { name: String::new() }),
        Change::Service { name: "shop".to_owned(), service: Box::new(service(&[])) },
    ] {
        assert!(matches!(bench.run("r2", change), Err(Refusal::OutOfTurn { .. })));
    }
    // Beginning the same again is nothing new, also after a change of the generation.
    let before = bench.table.clone();
    bench.run("r2", begin("v2")).unwrap();
    assert_eq!(bench.table, before);
    bench.run("r2", abort()).unwrap();
    bench.run("r3", begin("v3")).unwrap();
}

#[test]
fn containers_that_are_reached_elsewhere_serve_on_and_come_back_there() {
    let mut bench = Bench::default();
    bench.deployed("r1", "v1", &[endpoint(1, true)]);
    bench.run("r2", begin("v2")).unwrap();
    bench.run("r2", set("v2", &[endpoint(2, true)])).unwrap();
    let there: std::net::SocketAddr = "10.0.1.1:80".parse().unwrap();
    let moved = Change::Addresses { name: "shop".to_owned(), addresses: BTreeMap::from([("c1".to_owned(), there)]) };
    // Nobody holds it for that, and nothing has to be ready at the moment.
    bench.ask("", moved, &ill).unwrap();
    let of = |bench: &Bench, revision: &str| {
        let revision = &bench.shop().revisions[revision];
        (revision.weight, revision.endpoints[0].address, revision.endpoints[0].ready)
    };
    assert_eq!(of(&bench, "v1"), (Weight::FULL, there, true));
    assert_eq!(of(&bench, "v2").1, endpoint(2, true).address);
    bench.run("r2", abort()).unwrap();
    assert_eq!(of(&bench, "v1"), (Weight::FULL, there, true));
    let nothing = Change::Addresses { name: "other".to_owned(), addresses: BTreeMap::new() };
    assert!(matches!(bench.ask("", nothing, &ill), Err(Refusal::UnknownService { .. })));
}

#[test]
fn another_pipeline_cannot_deploy_the_service() {
    let mut bench = Bench::default();
    bench.deployed("r1", "v1", &[endpoint(1, true)]);
    let refused = bench.run("r2", begin_as("billing", "v2", false, settings(1))).unwrap_err();
    assert!(matches!(&refused, Refusal::Owned { owner, .. } if owner == "storefront"), "{refused}");
    // Neither while it is being deployed, also with the same run's name.
    bench.run("r2", begin("v2")).unwrap();
    let refused = bench.run("r2", begin_as("billing", "v2", false, settings(1))).unwrap_err();
    assert!(matches!(refused, Refusal::Owned { .. }), "{refused}");
}

#[test]
fn deployments_need_a_run_an_owner_and_a_beginning() {
    let mut bench = Bench::default();
    assert!(matches!(bench.run("", begin("v1")), Err(Refusal::Invalid { .. })));
    assert!(matches!(bench.run("r", begin_as("", "v1", false, settings(1))), Err(Refusal::Invalid { .. })));
    let full = service(&[("v1", 0, &[])]);
    assert!(matches!(bench.run("r", begin_as("p", "v1", false, full)), Err(Refusal::Invalid { .. })));
    assert!(matches!(bench.run("r", begin("no name")), Err(Refusal::Invalid { .. })));
    for change in [commit(), abort(), finish(), set("v1", &[])] {
        assert!(matches!(bench.run("r", change), Err(Refusal::UnknownService { .. })));
    }
    bench.deployed("r", "v1", &[endpoint(1, true)]);
    for change in [commit(), abort(), finish(), set("v1", &[])] {
        assert!(matches!(bench.run("r", change), Err(Refusal::NotBegun { .. })));
    }
}

#[test]
fn an_abort_of_the_first_deployment_leaves_nothing() {
    let mut bench = Bench::default();
    bench.run("r1", begin("v1")).unwrap();
    bench.run("r1", set("v1", &[endpoint(1, true)])).unwrap();
    bench.run("r1", weights(&[("v1", 10_000)])).unwrap();
    bench.run("r1", abort()).unwrap();
    assert!(bench.table.service("shop").is_none());
}

#[test]
fn what_is_committed_cannot_be_aborted() {
    let mut bench = Bench::default();
    bench.run("r1", begin("v1")).unwrap();
    bench.run("r1", set("v1", &[endpoint(1, true)])).unwrap();
    bench.run("r1", weights(&[("v1", 10_000)])).unwrap();
    bench.run("r1", commit()).unwrap();
    let refused = bench.run("r1", abort()).unwrap_err();
    assert!(refused.to_string().contains("windlass rollback"), "{refused}");
}

#[test]
fn a_newer_address_survives_an_abort() {
    let mut bench = Bench::default();
    bench.deployed("r1", "v1", &[endpoint(1, true), endpoint(2, true)]);
    let before = bench.shop().clone();
    bench.run("r2", begin_as("storefront", "v2", true, settings(1))).unwrap();
    bench.run("r2", weights(&[])).unwrap();
    // Both were stopped; one came back elsewhere, the other came back elsewhere and is not well.
    let moved = |n: u8, ready| Endpoint { address: format!("10.0.9.{n}:80").parse().unwrap(), ..endpoint(n, ready) };
    bench.run("r2", set("v1", &[moved(1, true), moved(2, false)])).unwrap();
    bench.ask("r2", abort(), &ill).unwrap();
    let mut expected = before.clone();
    expected.revisions.get_mut("v1").unwrap().endpoints = vec![moved(1, true), moved(2, false)];
    assert_eq!(bench.shop(), &expected);
    assert_eq!(bench.shop().revisions["v1"].weight, Weight::FULL);
    assert!(bench.table.deployment("shop").is_none());
    // The unready one is no reason to refuse what comes next, and none to give more.
    bench.run("r3", begin("v3")).unwrap();
    bench.run("r3", abort()).unwrap();
    // At the same address readiness is as it was at the beginning.
    let mut bench = Bench::default();
    bench.deployed("r1", "v1", &[endpoint(1, true), endpoint(2, true)]);
    let before = bench.shop().clone();
    bench.run("r2", begin("v2")).unwrap();
    bench.run("r2", set_for("v1", Some(1), &[endpoint(1, true), endpoint(2, false)])).unwrap();
    bench.run("r2", abort()).unwrap();
    assert_eq!(bench.shop(), &before);
}

#[test]
fn no_capacity_that_is_gone_keeps_an_abort_from_going_back() {
    let mut bench = Bench::default();
    let checked = Service { health: Some(HealthCheck::default()), ..settings(2) };
    bench.run("r1", begin_as("p", "v1", false, checked.clone())).unwrap();
    bench.run("r1", set("v1", &[endpoint(1, true), endpoint(2, true)])).unwrap();
    bench.run("r1", weights(&[("v1", 10_000)])).unwrap();
    bench.run("r1", commit()).unwrap();
    bench.run("r1", finish()).unwrap();
    let before = bench.shop().clone();
    bench.run("r2", begin_as("p", "v2", false, checked)).unwrap();
    bench.run("r2", set("v2", &[endpoint(3, true), endpoint(4, true)])).unwrap();
    bench.run("r2", weights(&[("v2", 10_000)])).unwrap();
    // Everything of the old one has fallen ill meanwhile: going back on foot is refused, the abort is not.
    assert!(matches!(bench.ask("r2", weights(&[("v1", 10_000)]), &ill), Err(Refusal::OverCapacity { .. })));
    bench.ask("r2", abort(), &ill).unwrap();
    assert_eq!(bench.shop(), &before);
}

#[test]
fn a_replica_that_is_needed_is_not_withdrawn() {
    let mut bench = Bench::default();
    bench.run("r1", begin_as("p", "v1", false, settings(2))).unwrap();
    bench.run("r1", set("v1", &[endpoint(1, true), endpoint(2, true)])).unwrap();
    bench.run("r1", weights(&[("v1", 10_000)])).unwrap();
    for fewer in [vec![endpoint(1, true), endpoint(2, false)], vec![endpoint(1, true)], vec![]] {
        assert!(matches!(bench.run("r1", set("v1", &fewer)), Err(Refusal::OverCapacity { .. })));
    }
    // A scale-up is of the new revision: the old one still carries everything with what it has.
    bench.run("r1", commit()).unwrap();
    bench.run("r1", finish()).unwrap();
    bench.run("r2", begin_as("p", "v2", false, settings(5))).unwrap();
    assert_eq!(bench.shop().revisions["v1"].replicas, Some(2));
    bench.run("r2", set_for("v2", Some(5), &[endpoint(3, true)])).unwrap();
    bench.run("r2", weights(&[("v1", 8_000), ("v2", 2_000)])).unwrap();
    assert!(matches!(bench.run("r2", weights(&[("v1", 7_999), ("v2", 2_001)])), Err(Refusal::OverCapacity { .. })));
}

#[test]
fn a_third_and_two_thirds_carry_everything() {
    let mut bench = Bench::default();
    bench.run("r1", begin_as("p", "v1", false, settings(3))).unwrap();
    bench.run("r1", set("v1", &[endpoint(1, true), endpoint(2, true)])).unwrap();
    bench.run("r1", set("v2", &[endpoint(3, true)])).unwrap();
    bench.run("r1", weights(&[("v1", 6_667), ("v2", 3_333)])).unwrap();
    bench.run("r1", weights(&[("v1", 6_666), ("v2", 3_334)])).unwrap();
    assert!(matches!(bench.run("r1", weights(&[("v1", 6_665), ("v2", 3_335)])), Err(Refusal::OverCapacity { .. })));
}

#[test]
fn a_standstill_has_to_be_asked_for_by_name() {
    let mut bench = Bench::default();
    bench.deployed("r1", "v1", &[endpoint(1, true)]);
    bench.run("r2", begin("v2")).unwrap();
    assert!(matches!(bench.run("r2", weights(&[])), Err(Refusal::Downtime { .. })));
    bench.run("r2", abort()).unwrap();
    bench.run("r3", begin_as("storefront", "v2", true, settings(1))).unwrap();
    bench.run("r3", weights(&[])).unwrap();
    bench.run("r3", set("v1", &[])).unwrap();
    bench.run("r3", abort()).unwrap();
    assert_eq!(bench.shop().revisions["v1"].endpoints, [endpoint(1, true)]);
}

#[test]
fn previews_end_when_the_revision_is_committed() {
    let mut bench = Bench::default();
    let mut previewed = settings(1);
    previewed.routes.push(Route {
        host: Some("preview.example".to_owned()),
        path: "/".to_owned(),
        listeners: Vec::new(),
        revision: Some("v1".to_owned()),
    });
    bench.run("r1", begin_as("p", "v1", false, previewed)).unwrap();
    assert_eq!(bench.shop().routes.len(), 2);
    bench.run("r1", set("v1", &[endpoint(1, true)])).unwrap();
    bench.run("r1", weights(&[("v1", 10_000)])).unwrap();
    bench.run("r1", commit()).unwrap();
    assert_eq!(bench.shop().routes.len(), 1);
}

#[test]
fn a_route_that_an_abort_needs_is_not_taken_meanwhile() {
    let mut bench = Bench::default();
    bench.deployed("r1", "v1", &[endpoint(1, true)]);
    let mut moved = settings(1);
    moved.routes[0].path = "/shop".to_owned();
    bench.run("r2", begin_as("storefront", "v2", false, moved)).unwrap();
    let other = Change::Service { name: "other".to_owned(), service: Box::new(service(&[])) };
    assert!(matches!(bench.run("", other.clone()), Err(Refusal::RouteConflict { .. })));
    bench.run("r2", set("v2", &[endpoint(2, true)])).unwrap();
    bench.run("r2", weights(&[("v2", 10_000)])).unwrap();
    bench.run("r2", commit()).unwrap();
    bench.run("", other).unwrap();
}

#[test]
fn a_service_that_was_declared_by_hand_is_taken_over_and_given_back() {
    let mut bench = Bench::default();
    let mut by_hand = settings(1);
    let revision = Revision { weight: Weight::FULL, endpoints: vec![endpoint(1, true)], ..Revision::default() };
    by_hand.revisions.insert("v0".to_owned(), revision);
    bench.run("", Change::Service { name: "shop".to_owned(), service: Box::new(by_hand.clone()) }).unwrap();
    bench.run("r1", begin("v1")).unwrap();
    assert_eq!(bench.table.deployment("shop").unwrap().previous.as_deref(), Some("v0"));
    bench.run("r1", abort()).unwrap();
    assert_eq!((bench.shop(), bench.table.owner("shop")), (&by_hand, None));
}

#[test]
fn a_table_of_before_there_were_deployments_loads() {
    let old = r#"{"generation":2,"listeners":{"generation":1,"by":"router-start/0","value":{"127.0.0.1:80":{}}},
        "services":{"shop":{"generation":2,"by":"x","value":{"service":{"routes":[{"path":"/"}],"replicas":1,
        "revisions":{"v1":{"weight":100,"endpoints":[{"container":"c","address":"10.0.0.1:80","ready":true}]}},
        "timeouts":{"connect_ms":1000,"read_ms":0}},"behind":{"v1":["c"]}}}},
        "applied":[{"by":"x","change":{"kind":"remove-service","name":"none"},"generation":2}]}"#;
    let table: Table = serde_json::from_str(old).unwrap();
    table.check().unwrap();
    assert_eq!((table.owner("shop"), table.current("shop"), table.deployment("shop")), (None, None, None));
}

#[test]
fn a_table_on_disk_whose_deployment_makes_no_sense_is_refused() {
    let mut bench = Bench::default();
    bench.deployed("r1", "v1", &[endpoint(1, true)]);
    bench.run("r2", begin("v2")).unwrap();
    let good = serde_json::to_value(&bench.table).unwrap();
    let at = "/services/shop/value";
    for (pointer, value) in [
        ("current", serde_json::json!("v9")),
        ("owner", serde_json::json!("")),
        ("reserved/deployment/holder", serde_json::json!("")),
        ("reserved/deployment/revision", serde_json::json!("v9")),
        ("reserved/deployment/committed", serde_json::json!(true)),
        ("reserved/before/service/replicas", serde_json::json!(0)),
        ("reserved/before/behind/v1", serde_json::json!([])),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(&format!("{at}/{pointer}")).unwrap() = value;
        let table: Table = serde_json::from_value(bad).unwrap();
        assert!(table.check().is_err(), "{pointer}");
    }
}

#[tokio::test]
async fn a_deployment_outlives_the_router() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let mut router = Router::start().await;
    router.shop(&[("v1", 100, &[&old])]).await;
    router.apply_for(Some("r1"), begin("v2")).await.unwrap();
    let replica = Endpoint { address: new.address, ..endpoint(7, true) };
    router.apply_for(Some("r1"), set("v2", std::slice::from_ref(&replica))).await.unwrap();
    router.apply_for(Some("r1"), weights(&[("v2", 10_000)])).await.unwrap();
    assert_eq!(get(router.address, "/", &[]).await.body, "new");
    router.kill("-9");
    router.child.wait().await.unwrap();
    let table = windlass_router::load(router.folder.path()).unwrap();
    assert_eq!(table.deployment("shop").unwrap().holder, "r1");
    router.child = crate::kit::router::process(router.folder.path(), &[]);
    router.is_up(|_| true).await;
    let driver: &dyn Driver = &router.client;
    let state = driver.state().await.unwrap().services["shop"].clone();
    assert_eq!((state.owner.as_str(), state.current.as_deref()), ("storefront", None));
    let deployment = state.deployment.unwrap();
    assert_eq!((deployment.holder.as_str(), deployment.previous.as_deref()), ("r1", Some("v1")));
    assert_eq!(state.before["v1"][0].address, old.address);
    let shown = &state.revisions["v2"].endpoints[0];
    assert_eq!((shown.name.as_str(), shown.port, state.revisions["v1"].replicas), ("shop-7", 80, 1));
    let refused = router.apply_for(Some("r2"), abort()).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused(Refusal::Reserved { .. })), "{refused}");
    router.apply_for(Some("r1"), abort()).await.unwrap();
    assert_eq!(get(router.address, "/", &[]).await.body, "old");
}

fn route(host: &str, revision: Option<&str>) -> Route {
    Route {
        host: Some(host.to_owned()),
        path: "/".to_owned(),
        listeners: vec![],
        revision: revision.map(str::to_owned),
    }
}

#[test]
fn what_serves_keeps_its_routes_and_checks_until_another_is_committed() {
    let mut bench = Bench::default();
    let with = |routes: &[Route], path: Option<&str>| Service {
        routes: routes.to_vec(),
        health: path.map(|path| HealthCheck { path: Some(path.to_owned()), ..HealthCheck::default() }),
        ..settings(1)
    };
    let old = with(&[route("a.test", None)], Some("/well"));
    bench.run("r1", begin_as("storefront", "v1", false, old.clone())).unwrap();
    assert_eq!(bench.shop().routes, old.routes, "nothing served, so nothing is kept");
    bench.run("r1", set("v1", &[endpoint(1, true)])).unwrap();
    bench.run("r1", weights(&[("v1", 10_000)])).unwrap();
    bench.run("r1", commit()).unwrap();
    bench.run("r1", named(Change::Finish { name: String::new() })).unwrap();
    let before = bench.shop().clone();

    let new = with(&[route("b.test", None), route("preview.test", Some("v2"))], Some("/never"));
    bench.run("r2", begin_as("storefront", "v2", false, new.clone())).unwrap();
    let health_of = |bench: &Bench, revision: &str| {
        let shop = bench.shop();
        shop.health_of(&shop.revisions[revision]).and_then(|health| health.path.clone()).unwrap()
    };
    assert_eq!(bench.shop().routes, [route("preview.test", Some("v2")), route("a.test", None)]);
    assert_eq!((health_of(&bench, "v1"), health_of(&bench, "v2")), ("/well".to_owned(), "/never".to_owned()));
    // The route that comes with the commit is taken already.
    let other = Service { routes: vec![route("b.test", None)], ..settings(1) };
    let clash = Change::Service { name: "other".to_owned(), service: Box::new(other) };
    assert!(matches!(bench.run("", clash), Err(Refusal::RouteConflict { .. })));
    let mut aborted = bench.clone();
    aborted.run("r2", abort()).unwrap();
    assert_eq!(*aborted.shop(), before);

    bench.run("r2", set("v2", &[endpoint(2, true)])).unwrap();
    bench.run("r2", weights(&[("v2", 10_000)])).unwrap();
    bench.run("r2", commit()).unwrap();
    assert_eq!(bench.shop().routes, [route("b.test", None)]);
    assert_eq!(health_of(&bench, "v1"), "/well", "it is what a rollback goes back to");
}

#[test]
fn a_revision_that_is_deployed_again_is_checked_as_its_new_deployment_says() {
    let mut bench = Bench::default();
    bench.deployed("r1", "v1", &[endpoint(1, true)]);
    bench.deployed("r2", "v2", &[endpoint(2, true)]);
    let checked = Service { health: Some(HealthCheck::default()), ..settings(1) };
    bench.run("r3", begin_as("storefront", "v1", false, checked.clone())).unwrap();
    let is_checked = |bench: &Bench| bench.shop().health_of(&bench.shop().revisions["v1"]).is_some();
    // What a rollback goes back to is as it was; another container is not.
    bench.run("r3", set("v1", &[endpoint(1, true)])).unwrap();
    assert!(!is_checked(&bench));
    bench.run("r3", set("v1", &[endpoint(3, true)])).unwrap();
    assert!(is_checked(&bench));
    let refused = bench.ask("r3", weights(&[("v1", 10_000)]), &ill);
    assert!(matches!(refused, Err(Refusal::OverCapacity { .. })), "{refused:?}");
}

#[test]
fn a_deployment_takes_no_route_away_from_what_serves() {
    let mut bench = Bench::default();
    bench.deployed("r1", "v1", &[endpoint(1, true)]);
    for routes in [vec![], vec![route("preview.test", Some("v2"))]] {
        let without = Service { routes, ..settings(1) };
        let refused = bench.run("r2", begin_as("storefront", "v2", false, without)).unwrap_err();
        assert!(refused.to_string().contains("nobody could reach it"), "{refused}");
    }
}

#[test]
fn the_containers_that_an_abort_goes_back_to_stay_what_they_are() {
    let mut bench = Bench::default();
    bench.deployed("r1", "v1", &[endpoint(1, true)]);
    bench.run("r2", begin("v2")).unwrap();
    let elsewhere = Endpoint { port: 9, address: "10.0.0.1:9".parse().unwrap(), ..endpoint(1, true) };
    for other in [endpoint(3, true), elsewhere] {
        let refused = bench.run("r2", set("v1", &[other])).unwrap_err();
        assert!(matches!(refused, Refusal::OutOfTurn { .. }), "{refused}");
    }
    // One that was started again has another address.
    let moved = Endpoint { address: "10.0.0.9:80".parse().unwrap(), ..endpoint(1, true) };
    bench.run("r2", set("v1", &[moved])).unwrap();
}

#[test]
fn a_header_of_every_request_chooses_no_revision() {
    let mut bench = Bench::default();
    for header in ["Host", "cookie", "X-Forwarded-For", "Sec-Fetch-Mode", "User-Agent"] {
        let service = Service { override_header: Some(header.to_owned()), ..settings(1) };
        let refused = bench.run("r1", begin_as("storefront", "v1", false, service)).unwrap_err();
        assert!(refused.to_string().contains("one of their own"), "{refused}");
    }
    let service = Service { override_header: Some("x-revision".to_owned()), ..settings(1) };
    bench.run("r1", begin_as("storefront", "v1", false, service)).unwrap();
}
