//! What a container costs through the whole way: gate, journal, engine.

use std::time::{Duration, Instant};

use windlass_gate::api::docker::{Exec, ExecSpec, Run};

use crate::common::{ALL, BASE, engine, shell, wanted};

const ROUNDS: usize = 9;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Compared with Docker's own command line where there is one. The bound is wide, because other
/// tests run at the same time; the figures are for people (`--nocapture`).
#[test]
fn a_run_costs_what_docker_itself_takes() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let exit = step.call(&Run { spec: shell("echo x"), timeout_ms: None }).await.expect("it ran");
            ours.push(begun.elapsed());
            assert_eq!(exit.stdout_tail, "x\n");
            let begun = Instant::now();
            let mut docker = std::process::Command::new("docker");
            docker.args([
                "--host",
                &wanted("DOCKER_HOST"),
                "run",
                "--rm",
                "--network",
                "none",
                "--init",
                BASE,
                "echo",
                "x",
            ]);
            if docker.output().is_ok_and(|output| output.status.success()) {
                theirs.push(begun.elapsed());
            }
        }
        let ours = median(ours);
        println!("docker.run: {ours:?}");
        if !theirs.is_empty() {
            let theirs = median(theirs);
            println!("docker run --rm: {theirs:?}");
            assert!(ours < theirs * 2, "{ours:?} against {theirs:?}");
        }
    });
}

#[test]
fn an_exec_costs_little() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        world.running(&mut step, "db").await;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let spec = ExecSpec {
                container: "db".into(),
                command: vec!["true".into()],
                env: Vec::new(),
                user: None,
                working_directory: None,
                timeout_ms: None,
            };
            let begun = Instant::now();
            assert_eq!(step.call(&Exec { spec }).await.expect("it ran").code, 0);
            times.push(begun.elapsed());
        }
        println!("docker.exec: {:?}", median(times));
    });
}
