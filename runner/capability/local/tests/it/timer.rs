//! `timer.sleep`: waits, and no longer than somebody waits for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use windlass_capability_local::Timer;
use windlass_capability_testing::World;
use windlass_gate::api::timer::Sleep;
use windlass_gate::{Authority, Call, Capability as _, Function};
use windlass_journal::{CallId, StepIndex};

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

#[tokio::test(start_paused = true)]
async fn what_was_waited_before_a_crash_is_not_waited_again() {
    let world = World::new(|gate| gate.with(Timer));
    let log = world.step(&[], "{}").log().clone();
    for (began_before, left) in [(0, 5000), (1200, 3800), (5000, 0), (60_000, 0)] {
        let call = Call {
            function: Function::TimerSleep,
            id: CallId { step: StepIndex(0), attempt: 1, ordinal: 0 },
            args: r#"{"milliseconds":5000}"#.into(),
            authority: Authority::Host,
            run: Arc::clone(world.gate().run()),
            log: log.clone(),
            began_before: Duration::from_millis(began_before),
        };
        let before = tokio::time::Instant::now();
        Timer.perform(call).await.expect("waited");
        // Timers of the runtime tick in milliseconds.
        let waited = before.elapsed().as_millis();
        assert!((left..=left + 1).contains(&waited), "{began_before} ms ago: {waited} ms");
    }
}
