//! What health checks ask of Docker.

use std::io::{Read as _, Write as _};

use windlass_gate::api::docker::{
    ContainerSpec, Healthcheck, Lifetime, Locate, Port, ProbeCommand, ProbeHealth, Protocol, Remove, Start, Stop,
};

use crate::common::{ALL, World, engine, shell, spec};

fn locate(port: u16) -> Locate {
    Locate { container: "web".into(), port }
}

fn command(line: &str) -> ProbeCommand {
    ProbeCommand { container: "web".into(), command: ["sh", "-c", line].map(str::to_owned).to_vec(), timeout_ms: 500 }
}

async fn start(world: &World, spec: ContainerSpec) {
    world.host(5).call(&Start { name: "web".into(), spec, lifetime: Lifetime::Run }).await.expect("started");
}

fn get(address: &str) -> std::io::Result<String> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn a_port_is_reached_where_it_is_said_to_be() {
    engine(|world| async move {
        let serve = "mkdir /www && echo hello > /www/index.html && httpd -f -p 80 -h /www";
        let published = vec![Port { container: 80, host: None, address: None, protocol: Protocol::Tcp }];
        for (attempt, ports) in [(1, published), (2, Vec::new())] {
            let is_published = !ports.is_empty();
            let spec = ContainerSpec { ports, ..spec(&["sh", "-c", serve]) };
            let mut host = world.host(attempt);
            host.call(&Start { name: "web".into(), spec, lifetime: Lifetime::Run }).await.expect("started");
            let located = world.step(ALL).call(&locate(80)).await.expect("located");
            assert!(located.running, "{located:?}");
            assert!(!located.address.starts_with("127.0.0.1:"), "published ({is_published}): {located:?}");
            let text = loop {
                match get(&located.address) {
                    Ok(text) if !text.is_empty() => break text,
                    _ => tokio::task::yield_now().await,
                }
            };
            assert!(text.ends_with("hello\n"), "{text}");
            host.call(&Remove { container: "web".into(), force: true }).await.expect("removed");
        }
    });
}

#[test]
fn a_container_that_has_ended_says_how() {
    engine(|world| async move {
        start(&world, shell("echo out of luck; sleep 600")).await;
        let mut step = world.step(ALL);
        step.call(&Stop { container: "web".into(), grace_ms: 1_000 }).await.expect("stopped");
        let located = step.call(&locate(80)).await.expect("located");
        assert!(
            !located.running && located.state.contains("exit code") && located.state.contains("out of luck"),
            "{located:?}"
        );
        let seen = step.call(&ProbeHealth { container: "web".into() }).await.expect("seen");
        assert!(!seen.running && !seen.healthy && seen.what.contains("out of luck"), "{seen:?}");
        let seen = step.call(&command("true")).await.expect("seen");
        assert!(!seen.running && !seen.healthy && seen.what.contains("exit code"), "{seen:?}");
    });
}

#[test]
fn a_container_that_is_not_there_is_an_answer() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        let located = step.call(&locate(80)).await.expect("located");
        assert!(!located.running && located.state.contains("there is no container `web`"), "{located:?}");
        assert!(!step.call(&ProbeHealth { container: "web".into() }).await.expect("seen").running);
        assert!(!step.call(&command("true")).await.expect("seen").running);
    });
}

#[test]
fn a_container_without_a_network_has_no_address() {
    engine(|world| async move {
        start(&world, shell("sleep 600")).await;
        let located = world.step(ALL).call(&locate(80)).await.expect("located");
        assert!(located.running && located.address.is_empty() && located.state.contains("no network"), "{located:?}");
    });
}

#[test]
fn a_command_is_judged_by_its_exit_code() {
    engine(|world| async move {
        start(&world, shell("sleep 600")).await;
        let mut step = world.step(ALL);
        let before = world.log(windlass_journal::Stream::Stdout).await;
        let seen = step.call(&command("echo fine")).await.expect("seen");
        assert!(seen.healthy && seen.running && seen.what.contains("exit code 0: fine"), "{seen:?}");
        let seen = step.call(&command("echo not yet >&2; exit 1")).await.expect("seen");
        assert!(!seen.healthy && seen.running && seen.what.contains("not yet"), "{seen:?}");
        let seen = step.call(&command("sleep 600")).await.expect("seen");
        assert!(!seen.healthy && seen.running && seen.what.contains("500ms"), "{seen:?}");
        assert_eq!(world.log(windlass_journal::Stream::Stdout).await, before, "probes do not fill the log");
    });
}

#[test]
fn dockers_own_check_is_looked_at() {
    engine(|world| async move {
        let check = Healthcheck {
            command: vec!["test".into(), "-e".into(), "/ready".into()],
            interval_ms: 200,
            timeout_ms: 1_000,
            retries: 1000,
            start_period_ms: 0,
        };
        start(&world, ContainerSpec { healthcheck: Some(check), ..shell("sleep 600") }).await;
        let mut step = world.step(ALL);
        let probe = ProbeHealth { container: "web".into() };
        let seen = step.call(&probe).await.expect("seen");
        assert!(!seen.healthy && seen.running && seen.what.contains("not decided"), "{seen:?}");
        step.call(&command("touch /ready")).await.expect("touched");
        while !step.call(&probe).await.expect("seen").healthy {}
    });
}

#[test]
fn without_a_check_it_is_healthy_when_it_runs() {
    engine(|world| async move {
        start(&world, shell("sleep 600")).await;
        let seen = world.step(ALL).call(&ProbeHealth { container: "web".into() }).await.expect("seen");
        assert!(seen.healthy && seen.running && seen.what.contains("no health check"), "{seen:?}");
    });
}
