//! `timer.sleep`: waits, and no longer than somebody waits for it.

use std::time::{Duration, Instant};

use windlass_capability_local::Timer;
use windlass_capability_testing::World;
use windlass_gate::api::timer::Sleep;

#[tokio::test]
async fn it_waits_as_long_as_it_says() {
    let world = World::new(|gate| gate.with(Timer));
    let before = Instant::now();
    world.step(&[], "{}").call(&Sleep { milliseconds: 30 }).await.expect("waited");
    assert!(before.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn it_can_be_dropped() {
    let world = World::new(|gate| gate.with(Timer));
    let mut session = world.step(&[], "{}");
    let wait = session.call(&Sleep { milliseconds: u64::MAX });
    assert!(tokio::time::timeout(Duration::from_millis(1), wait).await.is_err());
}
