//! Every strategy, as a list of moves.

use std::collections::BTreeMap;

use windlass_plugin::docker::ContainerSpec;
use windlass_plugin::with::Duration;

use super::*;
use crate::order::{End, Stage};
use crate::with::{Preview, Rolling, SmokeTest};

fn order(way: Way, replicas: u32) -> Order {
    let missing = if let Way::Rolling(rolling) = &way { rolling.max_unavailable } else { 0 };
    Order {
        service: "shop".to_owned(),
        revision: "v2".to_owned(),
        strategy: "test",
        way,
        replicas,
        spec: ContainerSpec::new("i"),
        pull: false,
        mounts: Vec::new(),
        serving: crate::serving::tests::serving(replicas - missing),
        preview: None,
        smoke_before: Vec::new(),
        smoke_after: Vec::new(),
        hold_ms: 0,
        bake_ms: 0,
        progress_ms: 1,
        analysis: None,
        end: End { drain_ms: 1, grace_ms: 1, keep: 1 },
    }
}

fn before(ready: u32, carry: u32) -> Option<Before> {
    Some(Before { ready, carry })
}

fn stage(weight: u32, replicas: u32, pause: Option<Pause>) -> Stage {
    Stage { weight, replicas, pause }
}

use Move::{Grow, Hold, Release, Shift, SmokeAfter, TakeDown, Withdraw};

#[test]
fn blue_green_switches_at_once() {
    let mut order = order(Way::BlueGreen, 2);
    assert_eq!(plan(&order, before(2, 2)), [Grow(2), Shift(10_000)]);
    order.hold_ms = 5;
    order.bake_ms = 60_000;
    order.smoke_after = vec![SmokeTest { path: "/".to_owned(), status: None, contains: None, timeout: None }];
    order.preview = Some(Preview { host: None, path: None, pause: Some(Pause::UntilApproved) });
    let seen = Move::Wait(Wait { pause: Pause::UntilApproved, why: Why::Preview });
    let bake = Move::Wait(Wait { pause: Pause::For(Duration::from_secs(60)), why: Why::Bake });
    let moves = [Grow(2), seen, Hold(5), Shift(10_000), Release, SmokeAfter, bake];
    assert_eq!(plan(&order, before(2, 2)), moves);
}

#[test]
fn a_first_revision_takes_no_steps() {
    let rolling = Way::Rolling(Rolling::default());
    for way in [Way::BlueGreen, Way::Recreate, rolling, Way::Canary(vec![stage(100, 1, Some(Pause::UntilApproved))])] {
        assert_eq!(plan(&order(way, 3), None), [Grow(3), Shift(10_000)]);
    }
}

#[test]
fn beside_a_revision_that_is_dead_there_is_nothing_to_wait_for() {
    let canary = Way::Canary(vec![stage(100, 1, None)]);
    assert_eq!(plan(&order(canary, 3), before(0, 3)), [Grow(3), Shift(10_000)]);
    assert_eq!(plan(&order(Way::Recreate, 1), before(0, 3)), [TakeDown, Grow(1), Shift(10_000)]);
}

#[test]
fn recreate_ends_the_previous_one_first() {
    let mut order = order(Way::Recreate, 2);
    assert_eq!(plan(&order, before(2, 2)), [TakeDown, Grow(2), Shift(10_000)]);
    order.hold_ms = 7;
    assert_eq!(plan(&order, before(2, 2)), [Hold(7), TakeDown, Grow(2), Shift(10_000), Release]);
}

#[test]
fn a_canary_grows_with_its_weight() {
    let pause = Pause::For(Duration::from_secs(600));
    let stages = vec![stage(500, 1, Some(pause)), stage(2_500, 1, Some(Pause::UntilApproved)), stage(5_000, 2, None)];
    let wait = |pause, weight| Move::Wait(Wait { pause, why: Why::Step(weight) });
    let moves = [
        Grow(1),
        Shift(500),
        wait(pause, 500),
        Shift(2_500),
        wait(Pause::UntilApproved, 2_500),
        Grow(2),
        Shift(5_000),
        Grow(4),
        Shift(10_000),
    ];
    assert_eq!(plan(&order(Way::Canary(stages), 4), before(4, 4)), moves);
    let whole = vec![stage(10_000, 1, Some(pause))];
    assert_eq!(plan(&order(Way::Canary(whole), 1), before(1, 1)), [Grow(1), Shift(10_000), wait(pause, 10_000)]);
}

#[test]
fn rolling_of_two_goes_one_by_one() {
    let order = order(Way::Rolling(Rolling::default()), 2);
    let moves = [Grow(1), Shift(5_000), Withdraw(1), Grow(2), Shift(10_000), Withdraw(0)];
    assert_eq!(plan(&order, before(2, 2)), moves);
}

#[test]
fn rolling_without_surge_goes_first() {
    let order = order(Way::Rolling(Rolling { max_surge: 0, max_unavailable: 1 }), 3);
    // What was deployed in the same way lets one go; its two others carry everything.
    let moves = [Withdraw(2), Grow(1), Shift(5_000), Withdraw(1), Grow(2), Shift(10_000), Withdraw(0), Grow(3)];
    assert_eq!(plan(&order, before(3, 2)), moves);
    // What was deployed otherwise does not: one more than allowed, or it would never begin.
    assert_eq!(plan(&order, before(3, 3))[..2], [Grow(1), Shift(5_000)]);
}

/// What has to hold after every move of a rolling deploy, whatever the numbers.
#[test]
fn rolling_never_breaks_what_is_promised() {
    let mut seen = BTreeMap::new();
    for replicas in 1..=9_u32 {
        for (max_surge, max_unavailable) in (0..4).flat_map(|surge| (0..replicas).map(move |missing| (surge, missing)))
        {
            if (max_surge, max_unavailable) == (0, 0) {
                continue;
            }
            for (ready, carry) in (1..=9_u32).flat_map(|ready| (1..=ready).map(move |carry| (ready, carry))) {
                let order = order(Way::Rolling(Rolling { max_surge, max_unavailable }), replicas);
                let moves = plan(&order, before(ready, carry));
                holds(&order, Before { ready, carry }, max_surge, &moves);
                *seen.entry(moves.len()).or_insert(0) += 1;
            }
        }
    }
    assert!(seen.len() > 5, "{seen:?}");
}

fn holds(order: &Order, before: Before, surge: u32, moves: &[Move]) {
    let cap = |ready: u32, carry: u32| (10_000 * ready).div_ceil(carry).min(10_000);
    let (mut new, mut old, mut weight) = (0, before.ready, 0);
    let most = order.replicas.max(before.ready) + surge.max(1);
    for step in moves {
        match step {
            Grow(to) => {
                assert!(*to > new && *to <= order.replicas, "{moves:?}");
                new = *to;
            }
            Withdraw(keep) => {
                assert!(*keep < old, "{moves:?}");
                old = *keep;
            }
            Shift(to) => {
                assert!(*to > weight, "{moves:?}");
                weight = *to;
            }
            other => unreachable!("{other:?} in {moves:?}"),
        }
        assert!(new + old <= most, "too many: {moves:?}");
        assert!(weight <= cap(new, order.serving.carry), "over what the new ones carry: {moves:?}");
        assert!(10_000 - weight <= cap(old, before.carry), "over what the old ones carry: {moves:?}");
    }
    assert_eq!((new, old, weight), (order.replicas, 0, 10_000), "{moves:?}");
}
