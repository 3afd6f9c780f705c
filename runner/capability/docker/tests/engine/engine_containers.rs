//! Containers that go on.

use windlass_gate::CallError;
use windlass_gate::api::docker::{
    ContainerSpec, ContainerState, HealthState, Healthcheck, Inspect, Leftovers, Lifetime, List, LogQuery, Logs, Port,
    Protocol, Remove, Restart, Start, Stats, Stop, WaitHealthy,
};
use windlass_journal::Stream;

use crate::common::{ALL, BASE, World, bollard, engine, error, pair, shell, spec};

fn start(name: &str, spec: ContainerSpec) -> Start {
    Start { name: name.to_owned(), spec, lifetime: Lifetime::Run }
}

fn inspect(name: &str) -> Inspect {
    Inspect { container: name.to_owned() }
}

fn stop(name: &str) -> Stop {
    Stop { container: name.to_owned(), grace_ms: 10_000 }
}

fn remove(name: &str, force: bool) -> Remove {
    Remove { container: name.to_owned(), force }
}

#[test]
fn its_life_from_start_to_removal() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let spec = ContainerSpec { labels: vec![pair("team", "shop")], ..spec(&["sleep", "600"]) };
        let made = step.call(&start("db", spec)).await.expect("started");
        assert_eq!((made.name.as_str(), made.image.as_str(), made.run.as_str()), ("db", BASE, world.run.as_str()));
        assert_eq!((&made.state, &made.health, made.exit_code), (&ContainerState::Running, &HealthState::None, None));
        assert_eq!(made.labels, [pair("team", "shop")]);
        assert!(made.image_id.starts_with("sha256:") && made.started.starts_with("20") && made.started.ends_with('Z'));
        assert_eq!(made.addresses.len(), 1);
        assert_eq!(step.call(&inspect("db")).await.expect("seen"), made);
        assert_eq!(step.call(&List {}).await.expect("listed"), [made]);

        let conflict = error(step.call(&remove("db", false)).await);
        assert!(matches!(&conflict, CallError::Conflict(text) if text.contains("docker.stop")), "{conflict:?}");
        step.call(&stop("db")).await.expect("stopped");
        step.call(&stop("db")).await.expect("stopped twice is stopped");
        let ended = step.call(&inspect("db")).await.expect("seen");
        assert_eq!(ended.state, ContainerState::Exited);
        assert_eq!(ended.exit_code, Some(143));
        step.call(&remove("db", false)).await.expect("removed");
        step.call(&remove("db", true)).await.expect("removed twice is removed");
        let gone = error(step.call(&inspect("db")).await);
        assert!(matches!(&gone, CallError::NotFound(text) if text.contains("`db`")), "{gone:?}");
    });
}

#[test]
fn the_engine_sees_names_and_labels_of_the_call() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        world.running(&mut step, "db").await;
        let docker = bollard();
        let found =
            docker.inspect_container(&format!("windlass-{}-0-1-0", world.run), None).await.expect("named by the call");
        let labels = found.config.expect("a config").labels.expect("labels");
        for (label, value) in [
            ("windlass.run", world.run.as_str()),
            ("windlass.pipeline", world.pipeline.as_str()),
            ("windlass.step", "release/deploy"),
            ("windlass.name", "db"),
            ("windlass.lifetime", "run"),
            ("windlass.call", format!("{}-0-1-0", world.run).as_str()),
        ] {
            assert_eq!(labels.get(label).map(String::as_str), Some(value), "{label}");
        }
        let host = found.host_config.expect("a host config");
        assert_eq!((host.privileged, host.init, host.network_mode.as_deref()), (Some(false), Some(true), Some("none")));
    });
}

#[test]
fn a_name_is_one_containers() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        world.running(&mut step, "db").await;
        let mut other = world.other_step(ALL);
        let conflict = error(other.call(&start("db", shell("sleep 600"))).await);
        let CallError::Conflict(text) = &conflict else { panic!("{conflict:?}") };
        assert!(
            text.contains(&world.run) && text.contains("release/deploy") && text.contains("docker rm -f windlass-"),
            "{text}"
        );
        assert!(!text.contains("windlass resume"), "the run cannot be resumed while it runs: {text}");
        let another = world.next_run();
        let conflict = error(another.step(ALL).call(&start("db", shell("sleep 600"))).await);
        let CallError::Conflict(text) = &conflict else { panic!("{conflict:?}") };
        let (resume, by_hand) =
            (text.find(&format!("windlass resume {}", world.run)), text.find("docker rm -f windlass-"));
        assert!(resume.is_some() && resume < by_hand, "{text}");
        assert_eq!(world.host(1).call(&List {}).await.expect("listed").len(), 1, "the second was not left behind");
        step.call(&inspect("db")).await.expect("the first goes on");
    });
}

#[test]
fn of_two_that_are_started_at_once_at_most_one_stays() {
    engine(|world| async move {
        let (mut one, mut two) = (world.step(ALL), world.other_step(ALL));
        let request = start("db", shell("sleep 600"));
        let (one, two) = tokio::join!(one.call(&request), two.call(&request));
        let left = world.host(1).call(&List {}).await.expect("listed");
        let made = usize::from(one.is_ok()) + usize::from(two.is_ok());
        assert!(made <= 1 && left.len() == made, "{one:?} {two:?} {left:?}");
    });
}

#[test]
fn another_pipeline_sees_nothing_of_it() {
    engine(|world| async move {
        world.running(&mut world.step(ALL), "db").await;
        let other = World::new(windlass_capability_docker::DockerConfig::at(crate::common::wanted("DOCKER_HOST")));
        let mut step = other.step(ALL);
        assert!(matches!(error(step.call(&inspect("db")).await), CallError::NotFound(_)));
        assert_eq!(step.call(&List {}).await.expect("listed"), []);
        step.call(&remove("db", true)).await.expect("there is nothing to remove");
        world.step(ALL).call(&inspect("db")).await.expect("it is still there");
    });
}

#[test]
fn the_next_run_of_the_pipeline_sees_what_was_kept() {
    engine(|world| async move {
        let kept = Start { name: "db".into(), spec: shell("sleep 600"), lifetime: Lifetime::Kept };
        world.step(ALL).call(&kept).await.expect("started");
        assert_eq!(world.host(1).call(&Leftovers { kept_too: false, of_attempt: None }).await.expect("asked"), []);
        assert_eq!(world.host(1).call(&Leftovers { kept_too: true, of_attempt: None }).await.expect("asked").len(), 1);
        let next = world.next_run();
        let seen = next.step(ALL).call(&inspect("db")).await.expect("seen");
        assert_eq!(seen.run, world.run);
        assert_eq!(
            next.host(1).call(&Leftovers { kept_too: true, of_attempt: None }).await.expect("asked"),
            [],
            "it is not of this run"
        );
    });
}

#[test]
fn ports_are_published() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let spec = ContainerSpec {
            ports: vec![Port { container: 8080, host: None, address: None, protocol: Protocol::Tcp }],
            ..spec(&["sleep", "600"])
        };
        let made = step.call(&start("web", spec)).await.expect("started");
        let [port] = made.ports.as_slice() else { panic!("{:?}", made.ports) };
        assert_eq!((port.container, port.address.as_str()), (8080, "127.0.0.1"));
        assert!(port.host > 0);
    });
}

#[test]
fn a_port_in_use_is_named_and_leaves_nothing() {
    engine(|world| async move {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
        let port = taken.local_addr().expect("an address").port();
        let spec = ContainerSpec {
            ports: vec![Port { container: 80, host: Some(port), address: None, protocol: Protocol::Tcp }],
            ..spec(&["sleep", "600"])
        };
        let error = error(world.host(1).call(&start("web", spec)).await);
        assert!(
            matches!(&error, CallError::PortInUse(text) if text.contains(&format!("127.0.0.1:{port}"))),
            "{error:?}"
        );
        assert_eq!(world.host(2).call(&List {}).await.expect("listed"), []);
    });
}

#[test]
fn one_that_ends_at_once_is_told_as_it_is() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let made = step.call(&start("brief", shell("echo oh no; exit 7"))).await.expect("it was started");
        // Whether the first look already sees the end is a race; the end itself is not.
        let mut seen = made;
        while seen.state != ContainerState::Exited {
            seen = step.call(&inspect("brief")).await.expect("seen");
        }
        assert_eq!((seen.exit_code, seen.oom_killed), (Some(7), false));
    });
}

#[test]
fn logs_come_by_line_by_time_and_as_they_grow() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        step.call(&start("web", shell("echo one; echo two; echo err >&2; sleep 600"))).await.expect("started");
        let query =
            |tail, since, follow_ms| Logs { query: LogQuery { container: "web".into(), tail, since, follow_ms } };
        let followed = step.call(&query(None, None, 700)).await.expect("read");
        assert_eq!((followed.stdout_tail.as_str(), followed.stderr_tail.as_str()), ("one\ntwo\n", "err\n"));
        let last = step.call(&query(Some(1), None, 0)).await.expect("read");
        assert_eq!(format!("{}{}", last.stdout_tail, last.stderr_tail).lines().count(), 1);
        let none = step.call(&query(None, Some(i32::MAX as u64), 0)).await.expect("read");
        assert_eq!((none.stdout_tail.as_str(), none.stderr_tail.as_str()), ("", ""));
        assert!(world.log(Stream::Stdout).await.starts_with("one\ntwo\n"));
    });
}

#[test]
fn what_it_uses_is_seen_at_once() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let spec = ContainerSpec { memory: Some(64 << 20), ..spec(&["sleep", "600"]) };
        step.call(&start("db", spec)).await.expect("started");
        let usage = step.call(&Stats { container: "db".into() }).await.expect("seen");
        assert_eq!(usage.memory_limit, 64 << 20);
        assert!(usage.memory > 0 && usage.cpu_time_us > 0 && usage.processes >= 1, "{usage:?}");
        step.call(&stop("db")).await.expect("stopped");
        assert!(matches!(error(step.call(&Stats { container: "db".into() }).await), CallError::Conflict(_)));
    });
}

fn check(command: &str) -> Option<Healthcheck> {
    Some(Healthcheck {
        command: vec!["sh".into(), "-c".into(), command.into()],
        interval_ms: 200,
        timeout_ms: 1_000,
        retries: 2,
        start_period_ms: 0,
    })
}

#[test]
fn healthy_is_waited_for() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let spec =
            ContainerSpec { healthcheck: check("test -e /ready"), ..shell("sleep 0.3; touch /ready; sleep 600") };
        step.call(&start("web", spec)).await.expect("started");
        let seen = step.call(&WaitHealthy { container: "web".into(), timeout_ms: 20_000 }).await.expect("healthy");
        assert_eq!(seen.health, HealthState::Healthy);
    });
}

#[test]
fn unhealthy_says_what_the_check_printed() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let spec = ContainerSpec { healthcheck: check("echo no database; exit 1"), ..shell("sleep 600") };
        step.call(&start("web", spec)).await.expect("started");
        let error = error(step.call(&WaitHealthy { container: "web".into(), timeout_ms: 20_000 }).await);
        assert!(
            matches!(&error, CallError::Other(text) if text.contains("unhealthy") && text.contains("no database")),
            "{error:?}"
        );
    });
}

#[test]
fn never_healthy_runs_out_of_time() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let never = Healthcheck { retries: 1000, ..check("exit 1").expect("a check") };
        let spec = ContainerSpec { healthcheck: Some(never), ..shell("sleep 600") };
        step.call(&start("web", spec)).await.expect("started");
        let error = error(step.call(&WaitHealthy { container: "web".into(), timeout_ms: 900 }).await);
        assert!(matches!(&error, CallError::TimedOut(text) if text.contains("900ms")), "{error:?}");
    });
}

#[test]
fn a_container_that_ends_will_never_be_healthy() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let spec = ContainerSpec { healthcheck: check("exit 1"), ..shell("echo out of luck; sleep 0.2; exit 9") };
        step.call(&start("web", spec)).await.expect("started");
        let error = error(step.call(&WaitHealthy { container: "web".into(), timeout_ms: 20_000 }).await);
        assert!(
            matches!(&error, CallError::Other(text) if text.contains("exit code 9") && text.contains("out of luck")),
            "{error:?}"
        );
    });
}

#[test]
fn without_a_check_there_is_nothing_to_wait_for() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        world.running(&mut step, "web").await;
        assert!(matches!(
            error(step.call(&WaitHealthy { container: "web".into(), timeout_ms: 20_000 }).await),
            CallError::Invalid(_)
        ));
    });
}

#[test]
fn a_container_that_docker_starts_again_is_seen_as_such() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let spec = ContainerSpec { restart: Restart::OnFailure(1), ..shell("exit 4") };
        step.call(&start("flaky", spec)).await.expect("started");
        loop {
            let seen = step.call(&inspect("flaky")).await.expect("seen");
            if seen.state == ContainerState::Exited {
                assert_eq!(seen.exit_code, Some(4));
                break;
            }
        }
        let found = bollard().inspect_container(&format!("windlass-{}-0-1-0", world.run), None).await.expect("there");
        assert_eq!(found.restart_count, Some(1));
    });
}

#[test]
fn stopping_is_quick_for_programs_that_listen_to_nothing() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        world.running(&mut step, "web").await;
        let begun = std::time::Instant::now();
        step.call(&stop("web")).await.expect("stopped");
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    });
}
