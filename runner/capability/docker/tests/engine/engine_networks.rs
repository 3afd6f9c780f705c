//! Networks and volumes, and containers in them.

use windlass_gate::CallError;
use windlass_gate::api::docker::{
    ContainerSpec, CreateNetwork, CreateVolume, Exec, ExecSpec, Lifetime, Mount, MountSource, RemoveNetwork,
    RemoveVolume, Run, Start,
};

use crate::common::{ALL, engine, error, spec};

fn network(name: &str, internal: bool) -> CreateNetwork {
    CreateNetwork { name: name.to_owned(), internal, lifetime: Lifetime::Run }
}

fn volume(name: &str) -> CreateVolume {
    CreateVolume { name: name.to_owned(), lifetime: Lifetime::Run }
}

#[test]
fn containers_reach_each_other_by_name_and_alias_in_every_network() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        step.call(&network("front", false)).await.expect("made");
        step.call(&network("back", true)).await.expect("made");
        let serve = ContainerSpec {
            networks: vec!["front".into(), "back".into()],
            aliases: vec!["store".into()],
            ..spec(&["sh", "-c", "mkdir /www && echo hello > /www/index.html && httpd -f -p 80 -h /www"])
        };
        let made =
            step.call(&Start { name: "web".into(), spec: serve, lifetime: Lifetime::Run }).await.expect("started");
        assert_eq!(made.addresses.iter().map(|address| address.name.as_str()).collect::<Vec<_>>(), ["back", "front"]);
        for network in ["front", "back"] {
            for host in ["web", "store"] {
                let line = format!(
                    "for i in 1 2 3 4 5 6 7 8 9; do wget -q -O - http://{host}/ && exit 0; sleep 0.2; done; exit 1"
                );
                let ask = ContainerSpec { networks: vec![network.into()], ..spec(&["sh", "-c", &line]) };
                let exit = step.call(&Run { spec: ask, timeout_ms: Some(20_000) }).await.expect("it ran");
                assert_eq!((exit.code, exit.stdout_tail.as_str()), (0, "hello\n"), "{host} in {network}: {exit:?}");
            }
        }
        let busy = error(step.call(&RemoveNetwork { name: "back".into() }).await);
        assert!(matches!(&busy, CallError::Conflict(text) if text.contains("containers are in it")), "{busy:?}");
    });
}

#[test]
fn a_network_is_made_once_and_removed_for_good() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        step.call(&network("back", false)).await.expect("made");
        step.call(&network("back", false)).await.expect("taken as it is");
        let other = error(step.call(&network("back", true)).await);
        assert!(matches!(&other, CallError::Conflict(text) if text.contains("way to the outside")), "{other:?}");
        step.call(&RemoveNetwork { name: "back".into() }).await.expect("removed");
        step.call(&RemoveNetwork { name: "back".into() }).await.expect("removed twice is removed");
        let gone = ContainerSpec { networks: vec!["back".into()], ..spec(&["true"]) };
        let error = error(step.call(&Run { spec: gone, timeout_ms: None }).await);
        assert!(matches!(&error, CallError::NotFound(text) if text.contains("docker.create-network")), "{error:?}");
    });
}

#[test]
fn a_container_without_a_network_has_none() {
    engine(|world| async move {
        let spec = ContainerSpec { no_network: true, ..spec(&["ip", "-o", "link"]) };
        let exit = world.step(ALL).call(&Run { spec, timeout_ms: None }).await.expect("it ran");
        assert_eq!(exit.stdout_tail.lines().count(), 1, "{}", exit.stdout_tail);
    });
}

#[test]
fn a_volume_keeps_what_is_written() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        step.call(&volume("data")).await.expect("made");
        step.call(&volume("data")).await.expect("taken as it is");
        let with = |line: &str, writable| ContainerSpec {
            mounts: vec![Mount { source: MountSource::Volume("data".into()), target: "/data".into(), writable }],
            no_network: true,
            ..spec(&["sh", "-c", line])
        };
        let wrote =
            step.call(&Run { spec: with("echo kept > /data/x", true), timeout_ms: None }).await.expect("it ran");
        let read = step
            .call(&Run { spec: with("cat /data/x; ! touch /data/y", false), timeout_ms: None })
            .await
            .expect("it ran");
        assert_eq!((wrote.code, read.code, read.stdout_tail.as_str()), (0, 0, "kept\n"));
        step.call(&RemoveVolume { name: "data".into() }).await.expect("removed");
        step.call(&RemoveVolume { name: "data".into() }).await.expect("removed twice is removed");
        let error = error(step.call(&Run { spec: with("true", true), timeout_ms: None }).await);
        assert!(matches!(&error, CallError::NotFound(text) if text.contains("docker.create-volume")), "{error:?}");
    });
}

#[test]
fn a_volume_in_use_stays() {
    engine(|world| async move {
        let mut step = world.step(ALL);
        step.call(&volume("data")).await.expect("made");
        let mount = Mount { source: MountSource::Volume("data".into()), target: "/data".into(), writable: true };
        let spec = ContainerSpec { mounts: vec![mount], no_network: true, ..spec(&["sleep", "600"]) };
        step.call(&Start { name: "db".into(), spec, lifetime: Lifetime::Run }).await.expect("started");
        let busy = error(step.call(&RemoveVolume { name: "data".into() }).await);
        assert!(matches!(&busy, CallError::Conflict(text) if text.contains("remove the containers")), "{busy:?}");
    });
}

#[test]
fn names_that_mean_something_else_are_refused() {
    engine(|world| async move {
        let mut host = world.host(1);
        for name in ["", "../x", "a b"] {
            assert!(matches!(error(host.call(&network(name, false)).await), CallError::Invalid(_)), "{name:?}");
            assert!(matches!(error(host.call(&volume(name)).await), CallError::Invalid(_)), "{name:?}");
            let spec = ExecSpec {
                container: name.into(),
                command: vec!["true".into()],
                env: Vec::new(),
                user: None,
                working_directory: None,
                timeout_ms: None,
            };
            assert!(matches!(error(host.call(&Exec { spec }).await), CallError::Invalid(_)), "{name:?}");
        }
    });
}
