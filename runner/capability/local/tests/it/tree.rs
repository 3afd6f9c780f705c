//! Nothing that a program started outlives its call: not at its end, its time limit or its
//! cancellation, and not when Windlass itself is killed.

use std::time::{Duration, Instant};

use windlass_capability_testing::{World, error};
use windlass_gate::CallError;

use crate::process::{sh, world};
use crate::witness::Witness;

const GRANTS: &str = r#"{ process = ["sh"], env = ["PATH"] }"#;

/// Three levels of processes, one of them in a session of its own.
const TREE: &str = "sleep 1000 & (sleep 1000 & setsid sh -c 'sleep 1000 & echo up >&3; sleep 1000') & wait";

/// Runs the script until the witness has seen a line, then drops the call.
async fn cancelled(world: &World, script: &str, witness: &mut Witness) {
    let mut session = world.step(&["process"], GRANTS);
    let command = sh(&witness.script(script));
    tokio::select! {
        answer = session.call(&command) => panic!("it ended by itself: {answer:?}"),
        line = witness.line() => assert_eq!(line, "up"),
    }
}

#[tokio::test]
async fn a_dropped_call_ends_the_whole_tree() {
    let world = world();
    let mut witness = Witness::new(world.outside());
    cancelled(&world, TREE, &mut witness).await;
    assert_eq!(witness.all_gone().await, [""; 0]);
}

#[tokio::test]
async fn a_program_may_clean_up_before_it_ends() {
    let world = world();
    let mut witness = Witness::new(world.outside());
    cancelled(&world, "trap 'echo cleaned >&3; exit' TERM; sleep 1000 & echo up >&3; wait", &mut witness).await;
    assert_eq!(witness.all_gone().await, ["cleaned"]);
}

#[tokio::test]
async fn a_program_that_does_not_listen_is_killed() {
    let world = world();
    let mut witness = Witness::new(world.outside());
    let before = Instant::now();
    cancelled(&world, "trap '' TERM INT HUP; echo up >&3; while :; do sleep 1; done", &mut witness).await;
    witness.all_gone().await;
    assert!(before.elapsed() < Duration::from_secs(30), "it is ended by force, not by patience");
}

#[tokio::test]
async fn at_the_time_limit_the_whole_tree_is_ended_before_the_answer() {
    let world = world();
    let witness = Witness::new(world.outside());
    let mut command = sh(&witness.script(TREE));
    // It is up long before; on a very busy machine it may be ended while it starts.
    command.command.timeout_ms = Some(1000);
    let CallError::TimedOut(message) = error(world.step(&["process"], GRANTS).call(&command).await) else {
        panic!("not timed out")
    };
    assert!(message.contains("`sh`") && message.contains("1s") && message.contains("timeout-ms"), "{message}");
    let _ = witness.all_gone().await;
}

#[tokio::test]
async fn a_killed_keeper_is_not_taken_for_the_programs_end() {
    let world = world();
    let witness = Witness::new(world.outside());
    let command = sh(&witness.script("kill -KILL $PPID"));
    let CallError::Other(message) = error(world.step(&["process"], GRANTS).call(&command).await) else {
        panic!("it has an answer")
    };
    assert!(message.contains("lost its keeper") && message.contains("SIGKILL"), "{message}");
    witness.all_gone().await;
}

#[tokio::test]
async fn what_is_left_in_the_background_ends_with_the_program() {
    let world = world();
    let witness = Witness::new(world.outside());
    let command = sh(&witness.script("setsid sh -c 'echo up >&3; sleep 1000' & exit 7"));
    let exit = world.step(&["process"], GRANTS).call(&command).await.expect("it ran");
    assert_eq!(exit.code, 7);
    // It may have been ended before it could say a word.
    let _ = witness.all_gone().await;
}

/// Not a test of its own: it is the Windlass that the next test starts and kills.
#[tokio::test]
async fn a_runner_to_be_killed() {
    let Ok(script) = std::env::var("WINDLASS_TEST_SCRIPT") else { return };
    let world = world();
    let answer = world.step(&["process"], GRANTS).call(&sh(&script)).await;
    panic!("nobody killed the runner: {answer:?}");
}

#[tokio::test]
async fn when_windlass_is_killed_the_whole_tree_goes_with_it() {
    let world = world();
    let mut witness = Witness::new(world.outside());
    let mut runner = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "tree::a_runner_to_be_killed", "--nocapture"])
        .env("WINDLASS_TEST_SCRIPT", witness.script(TREE))
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("started");
    assert_eq!(witness.line().await, "up");
    // This is SIGKILL: nothing in the runner gets a chance to act.
    runner.kill().expect("killed");
    runner.wait().expect("gone");
    assert_eq!(witness.all_gone().await, [""; 0]);
}
