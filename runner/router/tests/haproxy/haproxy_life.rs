//! Reloads, runners that come and go, and several at once.

use crate::kit::client::{Load, split};
use crate::kit::common::weights;
use crate::kit::{Backend, Proxy, Stand, get, service, until};
use std::process::{Command, Stdio};
use std::time::Duration;
use windlass_router::api::{Apply, Change, Drain, Refusal, Weight};
use windlass_router::{ClientError, Driver, DriverConfig};

const DRIVER: &str = "WINDLASS_TEST_DRIVER";
/// What each of them changes.
const CHANGES: usize = 25;

/// Changes weights, against others who do the same.
pub(crate) fn be_a_runner_if_asked() {
    let Ok(driver) = std::env::var(DRIVER) else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let driver = windlass_router::open(&driver).unwrap();
        let mut done = 0;
        let mut turn = 0;
        while done < CHANGES {
            turn += 1;
            let expect = driver.state().await.unwrap().services["shop"].generation;
            let v2 = u8::try_from(turn % 100).unwrap();
            let change = weights(&[("v1", 100 - v2), ("v2", v2)]);
            let by = format!("runner-{}/{turn}", std::process::id());
            match driver.apply(&Apply { by, expect, holder: None, change }).await {
                Ok(_) => done += 1,
                Err(ClientError::Refused(Refusal::Stale { .. })) => {}
                Err(why) => panic!("{why}"),
            }
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runners_at_once_lose_nothing_and_fail_no_request() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let proxy = Proxy::start().await;
    proxy.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let before = proxy.shop_state().await.generation;
    let load = Load::begin(proxy.address(), 4, 2);
    let DriverConfig::Haproxy { socket, folder } = proxy.config() else { panic!() };
    let driver = format!("haproxy:{}?folder={}", socket.display(), folder.display());
    let runners: Vec<_> = (0..2)
        .map(|_| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "runner_process", "--nocapture"]).env(DRIVER, &driver).stdout(Stdio::null());
            command.spawn().unwrap()
        })
        .collect();
    for runner in runners {
        let ended = tokio::task::spawn_blocking(move || runner.wait_with_output()).await.unwrap().unwrap();
        assert!(ended.status.success());
    }
    let (_, failed) = load.end().await;
    assert!(failed.is_empty(), "{} failed: {:?}", failed.len(), &failed[..failed.len().min(5)]);
    let after = proxy.shop_state().await;
    assert_eq!(after.generation - before, 2 * CHANGES as u64);
    let (declared, share) = (after.declared.revisions["v2"].weight, after.revisions["v2"].share);
    assert_eq!(declared, share, "HAProxy has what the table says");
    assert_eq!(proxy.driver.sync().await.unwrap(), 0, "nothing is left to be done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_loses_the_servers_and_sync_brings_them_back() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let proxy = Proxy::start().await;
    proxy.shop(&[("v1", 75, &[&old]), ("v2", 25, &[&new])]).await;
    let counted = split(proxy.address(), 4, 100).await;
    assert_eq!(counted.values().sum::<u64>(), 100);
    let before = proxy.counted(100).await;
    proxy.reload().await;
    assert_eq!(get(proxy.address(), "/", &[]).await.status, 503, "it has no servers");
    assert!(proxy.driver.sync().await.unwrap() > 0);
    proxy.settle().await;
    let got = split(proxy.address(), 16, 10_000).await;
    assert_eq!((got["old"], got["new"]), (7_500, 2_500));
    assert_eq!(proxy.driver.sync().await.unwrap(), 0, "it is in line");
    let after = proxy.counted(10_000).await;
    assert!(after.since_ms > before.window.to_ms, "what the old process counted last is lost, and that is told");
}

#[tokio::test]
async fn after_a_reload_the_next_operation_rebuilds_whatever_it_is() {
    let old = Backend::new("old").await;
    let proxy = Proxy::start().await;
    proxy.shop(&[("v1", 100, &[&old])]).await;
    let last = Duration::from_secs(1);
    proxy.reload().await;
    let state = proxy.shop_state().await;
    assert_eq!((state.revisions["v1"].ready, state.unserved), (1, Weight::ZERO));
    assert_eq!(get(proxy.address(), "/", &[]).await.body, "old");
    proxy.reload().await;
    proxy.driver.measurements_of_last("shop", last).await.unwrap();
    assert_eq!(get(proxy.address(), "/", &[]).await.body, "old");
    proxy.reload().await;
    proxy.declare("other", service(&[])).await.unwrap();
    assert_eq!(get(proxy.address(), "/", &[]).await.body, "old", "also one that is about something else");
}

#[tokio::test]
async fn what_the_process_before_a_reload_still_does_keeps_a_drain_from_its_end() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let proxy = Proxy::start().await;
    proxy.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let address = proxy.address();
    let slow = tokio::spawn(async move { get(address, "/slow/1500", &[]).await });
    proxy.in_flight(1).await;
    proxy.reload().await;
    proxy.weights(&[("v1", 0), ("v2", 100)]).await.unwrap();
    let drain = |wait_ms| Drain {
        service: "shop".to_owned(),
        revision: "v1".to_owned(),
        container: None,
        limit_ms: 10_000,
        wait_ms,
    };
    let begun = proxy.driver.drain(&drain(0)).await.unwrap();
    assert_eq!((begun.drained, begun.predecessor), (false, true), "{begun:?}");
    let done = proxy.driver.drain(&drain(8_000)).await.unwrap();
    assert_eq!((done.drained, done.predecessor), (true, false), "{done:?}");
    assert!(slow.is_finished(), "not before the request was answered");
    assert_eq!(slow.await.unwrap().body, "old");
}

#[tokio::test]
async fn another_driver_of_the_same_folder_goes_on_where_the_first_was() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let proxy = Proxy::start().await;
    proxy.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    get(proxy.address(), "/", &[]).await;
    let expect = proxy.shop_state().await.generation;
    let change = weights(&[("v1", 50), ("v2", 50)]);
    let apply = Apply { by: "run-7/deploy/3".to_owned(), expect, holder: None, change };
    let first = proxy.driver.apply(&apply).await.unwrap();
    let again = proxy.config().driver();
    let repeated = again.apply(&apply).await.unwrap();
    assert_eq!((repeated.generation, repeated.repeated), (first.generation, true));
    assert_eq!(again.state().await.unwrap().services["shop"], proxy.shop_state().await);
    let counted = again.measurements_of_last("shop", Duration::from_secs(60)).await.unwrap();
    assert_eq!(counted.revisions["v1"].total.requests, 1, "what was counted before is not lost");
    // Without HAProxy, the table still says what serves.
    let table = windlass_router::load(proxy.config().folder()).unwrap();
    assert_eq!(table.service("shop").unwrap().revisions["v2"].weight, Weight::percent(50));
}

#[tokio::test]
async fn a_change_that_haproxy_was_not_told_is_told_when_it_is_asked_for_again() {
    let (old, new) = (Backend::new("old").await, Backend::new("new").await);
    let proxy = Proxy::start().await;
    proxy.shop(&[("v1", 100, &[&old]), ("v2", 0, &[&new])]).await;
    let expect = proxy.shop_state().await.generation;
    let change = weights(&[("v1", 0), ("v2", 100)]);
    let apply = Apply { by: "run-7/deploy/3".to_owned(), expect, holder: None, change };
    proxy.driver.apply(&apply).await.unwrap();
    // As if the runner had died between the disk and HAProxy.
    let ours = |revision: &str, b: &Backend| format!("shop/wl:{revision}:c-{}-{}", b.name, b.address.port());
    proxy.ask(&format!("set server {} weight 1", ours("v1", &old)));
    proxy.ask(&format!("set server {} weight 0", ours("v2", &new)));
    assert_eq!(get(proxy.address(), "/", &[]).await.body, "old");
    assert!(proxy.driver.apply(&apply).await.unwrap().repeated);
    assert_eq!(get(proxy.address(), "/", &[]).await.body, "new");
}

#[tokio::test]
async fn a_container_that_comes_back_at_another_address_is_found_there() {
    let (old, again) = (Backend::new("old").await, Backend::new("again").await);
    let proxy = Proxy::start().await;
    let mut shop = service(&[("v1", 100, &[&old])]);
    proxy.declare("shop", shop.clone()).await.unwrap();
    assert_eq!(get(proxy.address(), "/", &[]).await.body, "old");
    shop.revisions.get_mut("v1").unwrap().endpoints[0].address = again.address;
    proxy.declare("shop", shop).await.unwrap();
    assert_eq!(get(proxy.address(), "/", &[]).await.body, "again");
}

#[tokio::test]
async fn a_service_that_is_removed_leaves_nothing_in_haproxy() {
    let old = Backend::new("old").await;
    let proxy = Proxy::start().await;
    proxy.shop(&[("v1", 100, &[&old])]).await;
    get(proxy.address(), "/", &[]).await;
    proxy.apply(Change::RemoveService { name: "shop".to_owned() }).await.unwrap();
    until("it is gone", async || {
        proxy.driver.sync().await.unwrap();
        (!proxy.ask("show servers state shop").contains("wl:")).then_some(())
    })
    .await;
}
