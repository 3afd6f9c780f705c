//! `health.wait`: how often it asks, when it stops, and what it leaves behind.

use proptest::prelude::*;
use windlass_capability_health::{Judge, Verdict};
use windlass_capability_testing::{World, error};
use windlass_gate::CallError;
use windlass_gate::api::health::{HttpProbe, Policy, Report, Target, UrlHttp, Wait};
use windlass_journal::Stream;

use crate::script::{Script, container_seen, seen};

const GRANTED: &str = r#"{ health = ["shop", "http://127.0.0.1:*/**"] }"#;
const POLICY: Policy =
    Policy { interval_ms: 250, timeout_ms: 500, retries: 2, start_period_ms: 0, success_threshold: 2 };

fn url() -> Target {
    Target::Url(UrlHttp { url: "http://127.0.0.1:1/health?token=x".to_owned(), probe: HttpProbe::default() })
}

async fn wait(world: &World, target: Target, policy: Policy) -> Report {
    world.step(&["health"], GRANTED).call(&Wait { target, policy }).await.expect("an answer")
}

#[tokio::test]
async fn it_asks_until_it_is_sure() {
    for (attempts, policy, healthy) in [
        (&[true, true][..], POLICY, true),
        (&[false, false], POLICY, false),
        (&[true, false, true, true], POLICY, true),
        (&[false, true, false, false], POLICY, false),
        (&[false, false, false, false, false], Policy { start_period_ms: 700, ..POLICY }, false),
        (&[false, false, false, true, true], Policy { start_period_ms: 700, ..POLICY }, true),
    ] {
        let script = Script::seeing(attempts);
        let world = script.world();
        let report = wait(&world, url(), policy).await;
        let last = if *attempts.last().expect("one") { "HTTP 200" } else { "HTTP 503" };
        assert_eq!(
            report,
            Report { healthy, attempts: u32::try_from(attempts.len()).expect("few"), last: last.to_owned() },
            "{attempts:?}"
        );
        assert!(script.is_over(), "{attempts:?}");
        let calls = script.names();
        assert_eq!(calls.len(), 2 * attempts.len() - 1, "a pause between two attempts, and none after the last");
        for (index, call) in calls.iter().enumerate() {
            assert_eq!(call, if index % 2 == 0 { "http.probe" } else { "timer.sleep" });
        }
    }
}

#[tokio::test]
async fn each_attempt_leaves_a_line_in_the_log() {
    let world = Script::seeing(&[false, false, true, true]).world();
    wait(&world, url(), Policy { start_period_ms: 250, ..POLICY }).await;
    assert_eq!(
        world.log(Stream::Log).await,
        "health of http://127.0.0.1:1/health: attempt 1: not yet healthy: HTTP 503\n\
         health of http://127.0.0.1:1/health: attempt 2: unhealthy: HTTP 503\n\
         health of http://127.0.0.1:1/health: attempt 3: healthy: HTTP 200\n\
         health of http://127.0.0.1:1/health: attempt 4: healthy: HTTP 200\n"
    );
}

#[tokio::test]
async fn a_container_that_has_ended_ends_the_wait_at_once() {
    let state = "exited with code 3\nfatal: no such table\nbye";
    let script = Script::of([Ok(container_seen(false, true, "starting")), Ok(container_seen(false, false, state))]);
    let world = script.world();
    let policy = Policy { retries: 10, start_period_ms: 60_000, ..POLICY };
    let report = wait(&world, Target::Docker("shop".to_owned()), policy).await;
    assert_eq!(report, Report { healthy: false, attempts: 2, last: state.to_owned() });
    assert_eq!(
        world.log(Stream::Log).await.lines().last(),
        Some("health of shop: attempt 2: ended: exited with code 3")
    );
}

#[tokio::test]
async fn an_attempt_that_cannot_be_made_ends_the_wait_with_its_error() {
    for failure in
        [CallError::NotFound("no container `shop`".to_owned()), CallError::Unavailable("no Docker".to_owned())]
    {
        let script = Script::of([Ok(container_seen(false, true, "starting")), Err(failure.clone())]);
        let world = script.world();
        let mut session = world.step(&["health"], GRANTED);
        let wait = Wait { target: Target::Docker("shop".to_owned()), policy: POLICY };
        assert_eq!(error(session.call(&wait).await), failure);
    }
}

#[tokio::test]
async fn a_policy_that_cannot_be_meant_is_refused_without_an_attempt() {
    let script = Script::default();
    let world = script.world();
    let mut session = world.step(&["health"], GRANTED);
    for policy in [
        Policy { interval_ms: 9, ..POLICY },
        Policy { timeout_ms: 0, ..POLICY },
        Policy { retries: 0, ..POLICY },
        Policy { success_threshold: 0, ..POLICY },
    ] {
        assert!(
            matches!(error(session.call(&Wait { target: url(), policy }).await), CallError::Invalid(_)),
            "{policy:?}"
        );
    }
    assert_eq!(script.made(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The way through the attempts follows from the answers alone: it is the judge's, and the same
    /// answers lead to the same calls with the same arguments again.
    #[test]
    fn the_same_answers_lead_the_same_way(
        attempts in proptest::collection::vec(any::<bool>(), 1..12),
        retries in 1_u32..4, success_threshold in 1_u32..4, start_period_ms in 0_u64..1500, interval_ms in 10_u64..500,
    ) {
        let policy = Policy { interval_ms, timeout_ms: 500, retries, start_period_ms, success_threshold };
        let mut judge = Judge::new(&policy);
        // After the given attempts it is well for good, so that every wait ends.
        let attempts: Vec<bool> = attempts.into_iter().chain([true; 4]).collect();
        let decided = attempts.iter().position(|healthy| {
            let verdict = judge.attempt(*healthy);
            judge.pause(interval_ms);
            verdict != Verdict::Undecided
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (first, second) = runtime.block_on(async {
            let mut runs = Vec::new();
            for _ in 0..2 {
                let script = Script::of(attempts.iter().map(|healthy| Ok(seen(*healthy))));
                let report = wait(&script.world(), url(), policy).await;
                runs.push((report, script.made()));
            }
            (runs.remove(0), runs.remove(0))
        });
        prop_assert_eq!(&first, &second);
        prop_assert_eq!(Some(first.0.attempts as usize), decided.map(|index| index + 1));
    }
}
