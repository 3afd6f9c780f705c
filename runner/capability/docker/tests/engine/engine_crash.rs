//! What a process that is gone has left half done.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use windlass_capability_docker::{Docker, DockerConfig};
use windlass_gate::api::docker::{
    ContainerState, Create, CreateNetwork, CreateVolume, ExecCreate, ExecSpec, ExecStart, Inspect, Lifetime, List,
    Mount, MountSource, RemoveCreated, RemoveNetwork, StartCreated, Sweep, Wait,
};
use windlass_gate::{Authority, Call, CallError, Capability as _, Function, Redactor, StepLog};
use windlass_journal::{CallId, StepIndex, Stream};

use crate::common::{bollard, engine, error, shell, wanted};

fn create(name: &str, line: &str) -> Create {
    Create { name: name.to_owned(), spec: shell(line), lifetime: Lifetime::Run }
}

#[test]
fn a_container_that_was_made_is_taken() {
    engine(|world| async move {
        let request = create("db", "sleep 600");
        let made = world.host(1).call(&request).await.expect("made");
        let again = world.after_a_crash();
        let mut host = again.host(1);
        let taken = host.call(&request).await.expect("taken");
        assert_eq!(taken, made);
        host.call(&StartCreated { id: taken.id }).await.expect("started");
        let all = host.call(&List {}).await.expect("listed");
        assert_eq!(all.iter().map(|container| &container.state).collect::<Vec<_>>(), [&ContainerState::Running]);
    });
}

#[test]
fn a_container_that_ran_does_not_run_again() {
    engine(|world| async move {
        let mut request = create("", "echo ran >> /data/runs; echo said; exit 5");
        request.spec.mounts =
            vec![Mount { source: MountSource::Folder(".".into()), target: "/data".into(), writable: true }];
        let mut host = world.host(1);
        let made = host.call(&request).await.expect("made");
        host.call(&StartCreated { id: made.id.clone() }).await.expect("started");
        let first = host.call(&Wait { id: made.id.clone(), timeout_ms: None }).await.expect("ended");

        let again = world.after_a_crash();
        let mut host = again.host(1);
        host.call(&StartCreated { id: made.id.clone() }).await.expect("taken as started");
        let second = host.call(&Wait { id: made.id.clone(), timeout_ms: None }).await.expect("ended");
        assert_eq!((first.code, second.code), (5, 5));
        assert_eq!(second.stdout_tail, "said\n", "its output is still there");
        assert_eq!(std::fs::read_to_string(world.workspace().join("runs")).expect("written"), "ran\n");
        host.call(&RemoveCreated { id: made.id.clone() }).await.expect("removed");
        again.after_a_crash().host(1).call(&RemoveCreated { id: made.id }).await.expect("removed twice is removed");
    });
}

/// Old engines lose the end of a log that is followed; what waits after a crash has nothing else to go by at first.
#[test]
fn the_output_of_a_container_that_outlived_a_crash_is_whole() {
    engine(|world| async move {
        let request = create("", "i=0; while [ $i -lt 20000 ]; do echo \"line $i\"; i=$((i+1)); done");
        let mut host = world.host(1);
        let made = host.call(&request).await.expect("made");
        host.call(&StartCreated { id: made.id.clone() }).await.expect("started");
        let again = world.after_a_crash();
        again.host(1).call(&Wait { id: made.id, timeout_ms: None }).await.expect("ended");
        let log = again.log(Stream::Stdout).await;
        let expected: String = (0..20_000).map(|number| format!("line {number}\n")).collect();
        assert!(log == expected, "{} lines", log.lines().count());
    });
}

#[test]
fn a_name_that_somebody_else_has_is_a_conflict() {
    engine(|world| async move {
        let name = format!("windlass-{}-host-1-0", world.run);
        let options = bollard::query_parameters::CreateContainerOptionsBuilder::default().name(&name).build();
        let body =
            bollard::models::ContainerCreateBody { image: Some(crate::common::BASE.to_owned()), ..Default::default() };
        let foreign = bollard().create_container(Some(options), body).await.expect("made").id;
        let error = error(world.host(1).call(&create("", "true")).await);
        bollard().remove_container(&foreign, None).await.expect("removed");
        assert!(matches!(&error, CallError::Conflict(text) if text.contains(&name)), "{error:?}");
    });
}

/// A request that is cut off is finished by the engine all the same, sometimes after the next one has come.
#[test]
fn a_create_that_was_cut_off_makes_one_container() {
    engine(|world| async move {
        let docker = Docker::new(DockerConfig::at(wanted("DOCKER_HOST")));
        docker.probe().await.expect("there");
        for trial in 0..24_u32 {
            let request = create("", "true");
            let call = Call {
                function: Function::DockerCreate,
                id: CallId { step: StepIndex(7), attempt: 1, ordinal: trial },
                args: serde_json::to_string(&request).expect("text").into(),
                authority: Authority::Host,
                run: Arc::clone(world.gate.run()),
                log: StepLog::new(world.gate.journal().clone(), StepIndex(7), 1, 1 << 20, Redactor::default()),
                began_before: std::time::Duration::ZERO,
            };
            let cut = Duration::from_micros(400 * u64::from(trial));
            let _ = tokio::time::timeout(cut, docker.perform(call.clone())).await;
            let resumed = Docker::new(DockerConfig::at(wanted("DOCKER_HOST")));
            let made = resumed.perform(call.clone()).await.unwrap_or_else(|error| panic!("trial {trial}: {error}"));
            let id = made["id"].as_str().expect("an id").to_owned();
            let start = Call {
                function: Function::DockerStartCreated,
                args: serde_json::json!({ "id": id }).to_string().into(),
                ..call.clone()
            };
            resumed.perform(start).await.unwrap_or_else(|error| panic!("trial {trial}: {error}"));
            let filters = HashMap::from([("label".to_owned(), vec![format!("windlass.call={}", call.identity())])]);
            let options =
                bollard::query_parameters::ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
            let all = bollard().list_containers(Some(options)).await.expect("listed");
            assert_eq!(all.len(), 1, "trial {trial}");
        }
    });
}

#[test]
fn an_exec_goes_on_from_wherever_it_was() {
    engine(|world| async move {
        let mut step = world.step(crate::common::ALL);
        world.running(&mut step, "db").await;
        let exec = |line: &str| ExecCreate {
            spec: ExecSpec {
                container: "db".into(),
                command: ["sh", "-c", line].map(str::to_owned).to_vec(),
                env: Vec::new(),
                user: None,
                working_directory: None,
                timeout_ms: None,
            },
        };
        let start = |id: String| ExecStart { id, container: "db".into(), timeout_ms: None };
        let mut host = world.host(1);

        // Never started: it is started now.
        let made = host.call(&exec("echo one; exit 3")).await.expect("made");
        let again = world.after_a_crash();
        let exit = again.host(1).call(&start(made.id.clone())).await.expect("ran");
        assert_eq!((exit.code, exit.stdout_tail.as_str()), (3, "one\n"));

        // Over: its exit code is left.
        let exit = world.after_a_crash().host(2).call(&start(made.id)).await.expect("known");
        assert_eq!((exit.code, exit.stdout_tail.as_str()), (3, ""));

        // Running: its end is waited for, and it is not started again.
        let made =
            host.call(&exec("echo x >> /tmp-runs; while ! test -e /go; do :; done; exit 4")).await.expect("made");
        let options = bollard::exec::StartExecOptions { detach: true, ..Default::default() };
        bollard().start_exec(&made.id, Some(options)).await.expect("started by the process that is gone");
        let again = world.after_a_crash();
        let (waited, go) = (start(made.id), exec("touch /go"));
        let mut waiting = again.host(3);
        let (exit, ()) = tokio::join!(waiting.call(&waited), async {
            let made = host.call(&go).await.expect("made");
            host.call(&start(made.id)).await.expect("ran");
        });
        assert_eq!(exit.expect("known").code, 4);
        assert!(again.log(Stream::Log).await.contains("what it printed is lost"));
        let runs = host.call(&exec("cat /tmp-runs")).await.expect("made");
        assert_eq!(host.call(&start(runs.id)).await.expect("ran").stdout_tail, "x\n");
    });
}

#[test]
fn an_exec_that_printed_to_nobody_cannot_be_known() {
    engine(|world| async move {
        let mut step = world.step(crate::common::ALL);
        world.running(&mut step, "db").await;
        let spec = ExecSpec {
            container: "db".into(),
            command: ["sh", "-c", "sleep 0.3; echo said; exit 3"].map(str::to_owned).to_vec(),
            env: Vec::new(),
            user: None,
            working_directory: None,
            timeout_ms: None,
        };
        let made = world.host(1).call(&ExecCreate { spec }).await.expect("made");
        // The runner reads the output, and dies before there is any.
        drop(bollard().start_exec(&made.id, None).await.expect("started by the process that is gone"));
        let start = ExecStart { id: made.id, container: "db".into(), timeout_ms: None };
        let error = error(world.after_a_crash().host(1).call(&start).await);
        assert!(matches!(&error, CallError::Lost(text) if text.contains("not known")), "{error:?}");
    });
}

#[test]
fn an_exec_whose_container_is_gone_cannot_be_known() {
    engine(|world| async move {
        let mut step = world.step(crate::common::ALL);
        let container = world.running(&mut step, "db").await;
        let spec = ExecSpec {
            container: "db".into(),
            command: vec!["true".into()],
            env: Vec::new(),
            user: None,
            working_directory: None,
            timeout_ms: None,
        };
        let made = world.host(1).call(&ExecCreate { spec }).await.expect("made");
        world.host(2).call(&RemoveCreated { id: container.id }).await.expect("removed");
        let start = ExecStart { id: made.id, container: "db".into(), timeout_ms: None };
        let error = error(world.after_a_crash().host(1).call(&start).await);
        assert!(matches!(&error, CallError::NotFound(text) if text.contains("is gone")), "{error:?}");
    });
}

#[test]
fn of_two_networks_of_one_name_the_oldest_stays() {
    engine(|world| async move {
        let docker = bollard();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let labels = [
                ("windlass.run", &world.run),
                ("windlass.pipeline", &world.pipeline),
                ("windlass.name", &"back".to_owned()),
                ("windlass.lifetime", &"run".to_owned()),
            ];
            let request = bollard::models::NetworkCreateRequest {
                name: format!("windlass-{}-back", world.pipeline),
                labels: Some(labels.into_iter().map(|(label, value)| (label.to_owned(), value.clone())).collect()),
                ..Default::default()
            };
            ids.push(docker.create_network(request).await.expect("made").id);
        }
        let request = CreateNetwork { name: "back".into(), internal: false, lifetime: Lifetime::Run };
        let (mut one, mut two) = (world.host(1), world.host(2));
        // Both are there already, so neither call makes one; removal takes both.
        let (first, second) = tokio::join!(one.call(&request), two.call(&request));
        first.and(second).expect("taken as it is");
        one.call(&RemoveNetwork { name: "back".into() }).await.expect("removed");
        for id in ids {
            assert!(docker.inspect_network(&id, None).await.is_err(), "{id} is gone");
        }
    });
}

#[test]
fn networks_that_are_made_at_once_become_one() {
    engine(|world| async move {
        let request = CreateNetwork { name: "back".into(), internal: true, lifetime: Lifetime::Run };
        let (mut one, mut two) = (world.host(1), world.host(2));
        let (first, second) = tokio::join!(one.call(&request), two.call(&request));
        first.and(second).expect("made");
        let filters = HashMap::from([("label".to_owned(), vec![format!("windlass.pipeline={}", world.pipeline)])]);
        let options = bollard::query_parameters::ListNetworksOptionsBuilder::default().filters(&filters).build();
        assert_eq!(bollard().list_networks(Some(options)).await.expect("listed").len(), 1);
    });
}

#[test]
fn a_volume_of_somebody_else_is_a_conflict() {
    engine(|world| async move {
        let name = format!("windlass-{}-data", world.pipeline);
        let request = bollard::models::VolumeCreateRequest { name: Some(name.clone()), ..Default::default() };
        bollard().create_volume(request).await.expect("made");
        let error = error(world.host(1).call(&CreateVolume { name: "data".into(), lifetime: Lifetime::Run }).await);
        bollard().remove_volume(&name, None::<bollard::query_parameters::RemoveVolumeOptions>).await.expect("removed");
        assert!(matches!(&error, CallError::Conflict(text) if text.contains(&name)), "{error:?}");
    });
}

#[test]
fn what_is_left_is_swept_in_an_order_that_works() {
    engine(|world| async move {
        use windlass_gate::api::docker::{ContainerSpec, Leftovers};
        let mut host = world.host(1);
        host.call(&CreateNetwork { name: "back".into(), internal: true, lifetime: Lifetime::Run }).await.expect("made");
        host.call(&CreateVolume { name: "data".into(), lifetime: Lifetime::Run }).await.expect("made");
        let mount = Mount { source: MountSource::Volume("data".into()), target: "/data".into(), writable: true };
        let spec = ContainerSpec {
            networks: vec!["back".into()],
            mounts: vec![mount],
            no_network: false,
            ..shell("sleep 600")
        };
        let made = host.call(&Create { name: "db".into(), spec, lifetime: Lifetime::Run }).await.expect("made");
        host.call(&StartCreated { id: made.id }).await.expect("started");
        let left = host.call(&Leftovers { kept_too: false, of_attempt: None }).await.expect("asked");
        assert_eq!(left.iter().map(|left| left.name.as_str()).collect::<Vec<_>>(), ["db", "back", "data"]);
        for _ in 0..2 {
            for leftover in left.clone() {
                host.call(&Sweep { leftover }).await.expect("swept");
            }
        }
        assert_eq!(host.call(&Leftovers { kept_too: true, of_attempt: None }).await.expect("asked"), []);
        assert!(matches!(error(host.call(&Inspect { container: "db".into() }).await), CallError::NotFound(_)));
    });
}
