//! Every function of Docker: it works when it is allowed, and is denied when the plugin's
//! description does not ask for it, and when no grant allows it.

use std::collections::BTreeSet;

use windlass_gate::api::docker::{
    Build, BuildSpec, ContainerSpec, ContainerState, CreateNetwork, CreateVolume, Exec, ExecSpec, Healthcheck, Inspect,
    InspectImage, Leftovers, Lifetime, List, ListImages, Locate, LogQuery, Logs, Mount, MountSource, ProbeCommand,
    ProbeHealth, Pull, Push, Remove, RemoveNetwork, RemoveVolume, Run, Start, StartAgain, Stats, Stop, Sweep, Tag,
    WaitHealthy,
};
use windlass_gate::{CallError, Function, Kind};

use crate::common::{BASE, World, bollard, build, engine, plain, shell, wanted};

fn exec() -> ExecSpec {
    ExecSpec {
        container: "db".into(),
        command: vec!["true".into()],
        env: vec![plain("A", "1")],
        user: None,
        working_directory: None,
        timeout_ms: None,
    }
}

fn query() -> LogQuery {
    LogQuery { container: "db".into(), tail: Some(1), since: None, follow_ms: 0 }
}

fn container() -> ContainerSpec {
    let mount = |source, target: &str| Mount { source, target: target.into(), writable: true };
    let check = Healthcheck {
        command: vec!["true".into()],
        interval_ms: 100,
        timeout_ms: 1_000,
        retries: 3,
        start_period_ms: 0,
    };
    ContainerSpec {
        networks: vec!["back".into()],
        mounts: vec![
            mount(MountSource::Volume("data".into()), "/data"),
            mount(MountSource::Folder("shared".into()), "/shared"),
        ],
        healthcheck: Some(check),
        no_network: false,
        ..shell("echo up; sleep 600")
    }
}

fn functions() -> impl Iterator<Item = Function> {
    Function::all().filter(|function| function.row().capability == "docker")
}

/// Arguments of every function, as a plugin that knows nothing would write them.
fn args(function: Function) -> serde_json::Value {
    use serde_json::json;
    let spec = serde_json::to_value(container()).expect("JSON");
    let exec = serde_json::to_value(exec()).expect("JSON");
    let id = "0123456789abcdef";
    match function {
        Function::DockerBuild => json!({ "spec": build(".") }),
        Function::DockerTag => json!({ "image": BASE, "reference": "windlass-test/denied:1" }),
        Function::DockerPush => json!({ "reference": "windlass-test/denied:1", "credentials": null }),
        Function::DockerPull => json!({ "reference": "windlass-test/denied:1", "credentials": null, "platform": null }),
        Function::DockerInspectImage => json!({ "reference": BASE }),
        Function::DockerListImages => json!({ "repository": "windlass-test/base" }),
        Function::DockerRun => json!({ "spec": spec, "timeout-ms": null }),
        Function::DockerStart | Function::DockerCreate => json!({ "name": "db", "spec": spec, "lifetime": "run" }),
        Function::DockerStartCreated | Function::DockerRemoveCreated => json!({ "id": id }),
        Function::DockerWait => json!({ "id": id, "timeout-ms": null }),
        Function::DockerExec | Function::DockerExecCreate => json!({ "spec": exec }),
        Function::DockerExecStart => json!({ "id": id, "container": "db", "timeout-ms": null }),
        Function::DockerInspect | Function::DockerStats | Function::DockerProbeHealth => json!({ "container": "db" }),
        Function::DockerLogs => json!({ "query": query() }),
        Function::DockerWaitHealthy => json!({ "container": "db", "timeout-ms": 1 }),
        Function::DockerStop => json!({ "container": "db", "grace-ms": 1 }),
        Function::DockerStartAgain => json!({ "container": "db" }),
        Function::DockerRemove => json!({ "container": "db", "force": true }),
        Function::DockerCreateNetwork => json!({ "name": "back", "internal": false, "lifetime": "run" }),
        Function::DockerCreateVolume => json!({ "name": "data", "lifetime": "run" }),
        Function::DockerRemoveNetwork | Function::DockerRemoveVolume => json!({ "name": "data" }),
        Function::DockerLocate => json!({ "container": "db", "port": 80 }),
        Function::DockerProbeCommand => json!({ "container": "db", "command": ["true"], "timeout-ms": 1 }),
        Function::DockerLeftovers => json!({ "kept-too": true }),
        Function::DockerSweep => json!({ "leftover": { "kind": "volume", "id": "x", "name": "x" } }),
        _ => json!({}),
    }
}

async fn denied(world: &World, asked: &[&str], grants: &str, sign: &str) {
    for function in functions() {
        let mut step = world.asking(asked, grants);
        let answer = step.call_json(function, args(function).to_string()).await.expect("an answer");
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        let denial = answer.pointer("/err/denied").and_then(serde_json::Value::as_str);
        let text = denial.unwrap_or_else(|| panic!("{} was answered with {answer}", function.name()));
        let made_itself = text.contains("for what the step made itself");
        assert!(text.contains(sign) || made_itself, "{}: {text}", function.name());
    }
    assert!(!world.gate.has_acted("docker"), "nothing was done");
}

#[test]
fn what_the_description_does_not_ask_for_is_denied() {
    let grants = r#"{ docker = { build = ["."], push = ["windlass-test/*"], pull = ["windlass-test/*"], run = ["windlass-test/*"], containers = ["*"], networks = ["*"], volumes = ["*"] }, health = ["*"] }"#;
    let world = World::new(windlass_capability_docker::DockerConfig::at("unix:///nowhere"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(denied(&world, &["http"], grants, "does not ask for"));
}

#[test]
fn what_no_grant_allows_is_denied_with_the_grant_to_add() {
    let world = World::new(windlass_capability_docker::DockerConfig::at("unix:///nowhere"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // The health rows are asked for as `health`, the others as `docker`.
    runtime.block_on(denied(&world, &["docker", "health"], r#"{ http = ["GET https://x.example/"] }"#, "grant"));
}

#[test]
fn with_its_grant_every_function_works() {
    engine(|world| async move {
        let registry = wanted("WINDLASS_REGISTRY");
        let name = format!("{registry}/triad-{}", world.run);
        let reference = format!("{name}:1");
        let grants = format!(
            r#"{{ docker = {{ build = ["app"], tag = ["{name}"], push = ["{name}"], pull = ["{name}"], run = {{ images = ["{name}", "windlass-test/base"], mounts-write = ["shared"] }}, containers = ["db"], networks = ["back"], volumes = ["data"] }}, health = ["db"] }}"#
        );
        world.file("app/Dockerfile", &format!("FROM {BASE}\nRUN echo {}\n", world.run));
        world.file("shared/x", "");
        let mut step = world.step(&grants);
        let spec = BuildSpec { tags: vec![reference.clone()], ..build("app") };
        let built = step.call(&Build { spec }).await.expect("built");
        step.call(&Tag { image: built.id, reference: reference.clone() }).await.expect("tagged");
        step.call(&Push { reference: reference.clone(), credentials: None }).await.expect("pushed");
        step.call(&Pull { reference: reference.clone(), credentials: None, platform: None }).await.expect("pulled");
        step.call(&InspectImage { reference: reference.clone() }).await.expect("seen");
        assert_eq!(step.call(&ListImages { repository: name }).await.expect("listed").len(), 1);

        step.call(&CreateNetwork { name: "back".into(), internal: false, lifetime: Lifetime::Run })
            .await
            .expect("made");
        step.call(&CreateVolume { name: "data".into(), lifetime: Lifetime::Run }).await.expect("made");
        let image = ContainerSpec { image: reference.clone(), ..shell("true") };
        assert_eq!(step.call(&Run { spec: image, timeout_ms: None }).await.expect("ran").code, 0);
        step.call(&Start { name: "db".into(), spec: container(), lifetime: Lifetime::Run }).await.expect("started");
        step.call(&WaitHealthy { container: "db".into(), timeout_ms: 20_000 }).await.expect("healthy");
        assert_eq!(step.call(&Exec { spec: exec() }).await.expect("ran").code, 0);
        step.call(&Inspect { container: "db".into() }).await.expect("seen");
        assert_eq!(step.call(&List {}).await.expect("listed").len(), 1);
        assert_eq!(step.call(&Logs { query: query() }).await.expect("read").stdout_tail, "up\n");
        step.call(&Stats { container: "db".into() }).await.expect("seen");
        assert!(step.call(&Locate { container: "db".into(), port: 80 }).await.expect("found").running);
        let command = ProbeCommand { container: "db".into(), command: vec!["true".into()], timeout_ms: 5_000 };
        assert!(step.call(&command).await.expect("seen").healthy);
        assert!(step.call(&ProbeHealth { container: "db".into() }).await.expect("seen").healthy);
        let stop = Stop { container: "db".into(), grace_ms: 5_000 };
        step.call(&stop).await.expect("stopped");
        for what in ["started again", "it runs, which is fine"] {
            let again = step.call(&StartAgain { container: "db".into() }).await.expect(what);
            assert_eq!(again.state, ContainerState::Running);
        }
        step.call(&stop).await.expect("stopped");
        step.call(&Remove { container: "db".into(), force: false }).await.expect("removed");
        step.call(&RemoveNetwork { name: "back".into() }).await.expect("removed");

        // These two are the host's own.
        let mut host = world.host(1);
        let left = host.call(&Leftovers { kept_too: true, of_attempt: None }).await.expect("asked");
        assert_eq!(left.iter().map(|left| left.name.as_str()).collect::<Vec<_>>(), ["data"]);
        for leftover in left {
            host.call(&Sweep { leftover }).await.expect("swept");
        }
        step.call(&RemoveVolume { name: "data".into() }).await.expect("it is gone, which is fine");
        let options = bollard::query_parameters::RemoveImageOptionsBuilder::default().force(true).build();
        bollard().remove_image(&reference, Some(options), None).await.expect("removed");

        let called: BTreeSet<String> = world.calls().await.into_iter().collect();
        let missing: Vec<_> = functions()
            .filter(|function| !matches!(function.row().kind, Kind::Composite) && !called.contains(function.name()))
            .map(Function::name)
            .collect();
        assert_eq!(missing, Vec::<&str>::new(), "every function was called");
    });
}

#[test]
fn another_name_than_the_granted_one_is_denied() {
    engine(|world| async move {
        let mut step =
            world.step(r#"{ docker = { run = ["windlass-test/*"], containers = ["db"] }, health = ["db"] }"#);
        let image = ContainerSpec { image: "windlass-other/base:1".into(), ..shell("true") };
        assert!(matches!(
            crate::common::error(step.call(&Run { spec: image, timeout_ms: None }).await),
            CallError::Denied(_)
        ));
        let other = Inspect { container: "other".into() };
        assert!(matches!(crate::common::error(step.call(&other).await), CallError::Denied(_)));
        let folder = Mount { source: MountSource::Folder(".".into()), target: "/x".into(), writable: false };
        let mounting = ContainerSpec { mounts: vec![folder], ..shell("true") };
        assert!(matches!(
            crate::common::error(step.call(&Run { spec: mounting, timeout_ms: None }).await),
            CallError::Denied(_)
        ));
    });
}
