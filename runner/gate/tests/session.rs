//! What passes the gate, in which order, and what is left in the journal.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test that cannot go on fails, and looks at files itself"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use tokio::sync::Notify;
use windlass_gate::{
    Authority, Call, CallError, Capability, Function, Gate, Guard, Interrupt, RunContext, SecretStore, Secrets,
    Session, SessionOptions, StepAuthority, api,
};
use windlass_journal::{
    Decision, Entry, FailureKind, Journal, Record, RunStarted, Status, StepIndex, Stream, WriterOptions,
};
use windlass_pipeline::{Description, Facts, Grants, PluginSource, Source};

/// Stands in for Docker: it answers, counts, and can be made to wait.
#[derive(Clone, Default)]
struct Recorder {
    performed: Arc<AtomicUsize>,
    entered: Arc<Notify>,
    go_on: Option<Arc<Notify>>,
    finished: Arc<Notify>,
}

#[async_trait]
impl Capability for Recorder {
    fn name(&self) -> &'static str {
        "docker"
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        self.performed.fetch_add(1, Ordering::SeqCst);
        self.entered.notify_one();
        if let Some(go_on) = &self.go_on {
            go_on.notified().await;
        }
        self.finished.notify_one();
        match call.function {
            Function::DockerPush => {
                let push: api::docker::Push = call.decode()?;
                let password =
                    push.credentials.map(|credentials| call.run.secrets.reveal(&credentials.password)).transpose()?;
                Ok(json!({ "reference": push.reference, "digest": "sha256:0", "pinned": password.unwrap_or_default() }))
            }
            _ => Ok(json!({ "id": "c1" })),
        }
    }
}

struct NeverStop;

#[async_trait]
impl Guard for NeverStop {
    async fn veto(&self, call: &Call) -> Option<String> {
        (call.function == Function::DockerStop).then(|| "it serves traffic".to_owned())
    }
}

struct OneSecret;

impl SecretStore for OneSecret {
    fn read(&self, name: &str) -> Result<String, String> {
        Ok(format!("value-of-{name}"))
    }
}

fn grants(toml: &str) -> Arc<Grants> {
    let text = format!(
        "[pipeline]\nname = \"p\"\n[secrets]\ntoken = {{ env = \"TOKEN\" }}\n[stages.s]\n[[stages.s.steps]]\nname = \"t\"\nuses = \"./x.wasm\"\ngrants = {toml}\n"
    );
    let source = Source { name: "pipeline.toml".to_owned(), text };
    let pipeline = windlass_pipeline::parse(&source).unwrap_or_else(|errors| panic!("{errors}"));
    let description = Description {
        name: "x".to_owned(),
        version: "1.0.0".to_owned(),
        documentation: String::new(),
        with_schema: json!({}),
        capabilities: Vec::new(),
        outputs: Vec::new(),
    };
    let descriptions = pipeline
        .plugin_sources()
        .into_iter()
        .map(|(source, _)| (source, Arc::new(description.clone())))
        .collect::<BTreeMap<PluginSource, _>>();
    let plan = windlass_pipeline::plan(&pipeline, &source, &Facts::default(), &descriptions)
        .unwrap_or_else(|errors| panic!("{errors}"));
    Arc::clone(&plan.steps[0].grants)
}

struct World {
    folder: tempfile::TempDir,
    gate: Arc<Gate>,
}

impl World {
    fn new(docker: Recorder) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = Journal::open_or_create(folder.path()).expect("a journal");
        let started = RunStarted {
            run: "testr0n123".to_owned(),
            pipeline: "p".to_owned(),
            file: "pipeline.toml".to_owned(),
            workspace: "/w".to_owned(),
            source: "".into(),
            facts: BTreeMap::new(),
            plugins: Vec::new(),
            versions: BTreeMap::new(),
            stages: 1,
            steps: 1,
            flags: Default::default(),
        };
        let writer = journal.start_run(WriterOptions::default(), started).expect("a writer");
        let run = RunContext {
            run: "testr0n123".to_owned(),
            pipeline: "p".to_owned(),
            workspace: folder.path().to_owned(),
            state: folder.path().join(".windlass"),
            env: BTreeMap::new(),
            secrets: Secrets::new(OneSecret),
        };
        Self { folder, gate: Arc::new(Gate::new(writer, run).with(docker).guarded_by(NeverStop)) }
    }

    fn session(&self, asked: &[&str], granted: &str, max_calls: u64) -> Session {
        let authority = StepAuthority {
            stage: "build".into(),
            environment: None,
            step: "image".into(),
            grants: grants(granted),
            asked: asked.iter().map(|asked| (*asked).to_owned()).collect(),
        };
        let options = SessionOptions {
            step: StepIndex(0),
            attempt: 1,
            authority: Authority::Step(Arc::new(authority)),
            max_calls,
            max_log: 1 << 20,
            playback: None,
            repeat_in_doubt: false,
        };
        Session::new(Arc::clone(&self.gate), options)
    }

    async fn entries(self) -> Vec<Entry> {
        self.gate.journal().close(Record::RunEnded { status: Status::Succeeded, exit_code: 0 }).await.expect("closes");
        entries(self.folder.path())
    }
}

fn entries(folder: &Path) -> Vec<Entry> {
    let reader = Journal::open(folder).expect("a reader");
    let run = reader.resolve(None).expect("the run");
    reader.entries(&run, 0).expect("entries").map(|entry| entry.expect("an entry")).collect()
}

const PUSH: &str = r#"{"reference":"localhost:5000/shop:1","credentials":null}"#;
const CREATE: &str = r#"{"name":"web","spec":{"image":"localhost:5000/shop:1","command":null,"entrypoint":null,"env":[],"user":null,"working-directory":null,"labels":[],"ports":[],"mounts":[],"networks":[],"aliases":[],"no-network":false,"memory":null,"cpu-millis":null,"processes":null,"read-only-root":false,"restart":"no","healthcheck":null},"lifetime":"run"}"#;
const STOP: &str = r#"{"container":"web","grace-ms":1}"#;

async fn call(session: &mut Session, function: Function, args: &str) -> Json {
    let answer = session.call_json(function, args.to_owned()).await.expect("an answer");
    serde_json::from_str(&answer).expect("JSON")
}

#[tokio::test]
async fn an_effect_has_its_start_before_and_its_end_after() {
    let world = World::new(Recorder::default());
    let mut session = world.session(&["docker"], r#"{ docker = { push = ["localhost:5000/shop"] } }"#, 10);
    let answer = call(&mut session, Function::DockerPush, PUSH).await;
    assert_eq!(answer["ok"]["digest"], "sha256:0");
    let entries = world.entries().await;
    let [_, start, end, _] = &entries[..] else { panic!("{entries:#?}") };
    let Record::CallStarted { call, function, grant, .. } = &start.record else { panic!("{start:?}") };
    assert_eq!((&**function, call.ordinal), ("docker.push", 0));
    assert!(grant.as_deref().is_some_and(|grant| grant.starts_with("docker.push")), "{grant:?}");
    assert!(matches!(&end.record, Record::CallEnded { call: ended, .. } if ended == call));
}

#[tokio::test]
async fn a_failure_is_of_the_kind_of_the_error_that_it_reports() {
    let world = World::new(Recorder::default());
    let mut session = world.session(&["docker"], r#"{ docker = { containers = ["web"] } }"#, 10);
    let answer = call(&mut session, Function::DockerPush, PUSH).await;
    let denied = answer["err"]["denied"].as_str().expect("a denial").to_owned();
    assert_eq!(session.failure_kind("cannot go on"), FailureKind::Denied, "by the last call");
    // What tidies up goes well, and another call fails in its own way.
    let removed = call(&mut session, Function::DockerRemove, r#"{"container":"web","force":true}"#).await;
    assert!(removed["ok"].is_object(), "{removed}");
    assert_eq!(session.failure_kind(&format!("push the image: {denied}")), FailureKind::Denied);
    assert_eq!(session.failure_kind("it does not say what it reports"), FailureKind::Failed);
    let broken = call(&mut session, Function::DockerRemove, "{}").await;
    let invalid = broken["err"]["invalid"].as_str().expect("it cannot be read").to_owned();
    assert_eq!(session.failure_kind(&format!("stop it: {invalid}")), FailureKind::Failed);
    assert_eq!(session.failure_kind(&format!("{denied}; and then: {invalid}")), FailureKind::Failed, "the newest");
    assert_eq!(session.failure_kind(&denied), FailureKind::Denied);
}

#[tokio::test]
async fn without_a_grant_it_is_denied_recorded_and_not_done() {
    let docker = Recorder::default();
    let world = World::new(docker.clone());
    let mut session = world.session(&["docker"], r#"{ docker = { push = ["localhost:5000/other"] } }"#, 10);
    let answer = call(&mut session, Function::DockerPush, PUSH).await;
    let denied = answer["err"]["denied"].as_str().expect("a denial");
    assert!(
        denied.contains(r#"push = ["localhost:5000/shop"]"#)
            && denied.contains("`grants.docker`")
            && denied.contains("`build`"),
        "{denied}"
    );
    assert!(matches!(session.last_error(), Some(CallError::Denied(_))));
    assert_eq!(docker.performed.load(Ordering::SeqCst), 0);
    let entries = world.entries().await;
    assert!(
        matches!(&entries[1].record, Record::CallRecorded { function, answer, .. } if &**function == "docker.push" && answer.contains("denied"))
    );
}

#[tokio::test]
async fn what_the_description_does_not_ask_for_is_denied_even_when_granted() {
    let world = World::new(Recorder::default());
    let mut session = world.session(&["http"], r#"{ docker = { push = ["localhost:5000/shop"] } }"#, 10);
    let answer = call(&mut session, Function::DockerPush, PUSH).await;
    assert!(answer["err"]["denied"].as_str().expect("a denial").contains("does not ask for `docker`"), "{answer}");
}

fn decision(approved: bool) -> Decision {
    Decision { approved, by: "ada@shop".to_owned(), why: Some("looks good".to_owned()), decided_at: 1 }
}

#[tokio::test]
async fn a_step_that_may_waits_until_somebody_has_decided() {
    let world = World::new(Recorder::default());
    let gate = Arc::clone(&world.gate);
    let mut session = world.session(&["approval"], "{ approval = true }", 10);
    let wait = tokio::spawn(async move {
        let answer = call(&mut session, Function::ApprovalWait, r#"{"message":"more?"}"#).await;
        drop(session);
        answer
    });
    let mut changes = gate.approvals().changes();
    while gate.approvals().call_in("build").is_none() {
        changes.changed().await.expect("a change");
    }
    let subject = ("build".into(), gate.approvals().call_in("build"));
    gate.approvals().decide(subject, decision(true)).await.expect("decided");
    let answer = wait.await.expect("an answer");
    assert_eq!(answer, json!({ "ok": { "approved": true, "by": "ada@shop", "reason": "looks good" } }));
    assert!(gate.approvals().stages().is_empty());
    drop(gate);
    let records: Vec<_> = world.entries().await.into_iter().map(|entry| entry.record).collect();
    let [_, Record::CallStarted { grant, .. }, Record::ApprovalAsked { stage, call: Some(call), message }, rest @ ..] =
        &records[..]
    else {
        panic!("{records:#?}")
    };
    assert!(grant.as_deref().is_some_and(|grant| grant.starts_with("approval.wait")), "{grant:?}");
    assert_eq!((&**stage, call.ordinal, message.as_str()), ("build", 0, "more?"));
    assert!(matches!(rest, [Record::Decided { .. }, Record::CallEnded { .. }, Record::RunEnded { .. }]), "{rest:#?}");
}

#[tokio::test]
async fn a_step_that_was_not_granted_to_wait_is_told_what_to_write() {
    let world = World::new(Recorder::default());
    for granted in ["{}", "{ approval = false }"] {
        let mut session = world.session(&["approval"], granted, 10);
        let answer = call(&mut session, Function::ApprovalWait, r#"{"message":"more?"}"#).await;
        let denied = answer["err"]["denied"].as_str().expect("a denial");
        assert!(denied.contains("add `approval = true` to `grants` of step `image` in stage `build`"), "{denied}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_in_which_a_step_waits_is_not_that_in_which_it_works() {
    let world = World::new(Recorder::default());
    let gate = Arc::clone(&world.gate);
    let mut session = world.session(&["approval"], "{ approval = true }", 10);
    let began = tokio::time::Instant::now();
    let over = gate.approvals().worked(StepIndex(0), Duration::from_secs(10));
    let steps = async {
        tokio::time::sleep(Duration::from_secs(6)).await;
        let decide = async {
            tokio::time::sleep(Duration::from_secs(1000)).await;
            let subject = ("build".into(), gate.approvals().call_in("build"));
            gate.approvals().decide(subject, decision(true)).await.expect("decided");
        };
        tokio::join!(call(&mut session, Function::ApprovalWait, r#"{"message":""}"#), decide);
    };
    tokio::join!(over, steps);
    assert_eq!(began.elapsed().as_secs(), 1010);
}

#[tokio::test]
async fn no_function_that_needs_asking_for_is_answered_without() {
    let docker = Recorder::default();
    let world = World::new(docker.clone());
    let mut session = world.session(&[], r#"{ docker = { push = ["localhost:5000/shop"] } }"#, 1000);
    let mut denied = 0;
    for function in Function::all().filter(|function| !function.row().asked_as.is_empty()) {
        let answer = call(&mut session, function, "{}").await;
        let reason = answer["err"]["denied"].as_str().unwrap_or_else(|| panic!("{}: {answer}", function.name()));
        assert!(reason.contains("does not ask for"), "{}: {reason}", function.name());
        denied += 1;
    }
    assert!(denied > 30, "{denied}");
    assert_eq!(docker.performed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_step_may_touch_what_it_made_itself_and_nothing_else() {
    let world = World::new(Recorder::default());
    let mut session = world.session(&["docker"], r#"{ docker = { run = ["localhost:5000/shop"] } }"#, 10);
    let inspect = r#"{"container":"web"}"#;
    assert!(call(&mut session, Function::DockerInspect, inspect).await["err"]["denied"].is_string());
    assert_eq!(call(&mut session, Function::DockerCreate, CREATE).await["ok"]["id"], "c1");
    assert!(call(&mut session, Function::DockerInspect, inspect).await["ok"].is_object());
    assert!(call(&mut session, Function::DockerStartCreated, r#"{"id":"c1"}"#).await["ok"].is_object());
    let other = call(&mut session, Function::DockerStartCreated, r#"{"id":"c2"}"#).await;
    assert!(other["err"]["denied"].as_str().expect("a denial").contains("made itself"), "{other}");
}

#[tokio::test]
async fn only_the_host_may_sweep() {
    let world = World::new(Recorder::default());
    let mut session =
        world.session(&["docker"], r#"{ docker = { run = ["localhost:5000/**"], containers = ["*"] } }"#, 10);
    let sweep = r#"{"leftover":{"kind":"container","id":"x","name":"x"}}"#;
    assert!(call(&mut session, Function::DockerSweep, sweep).await["err"]["denied"].is_string());
}

#[tokio::test]
async fn a_guard_vetoes_what_a_grant_allows() {
    let docker = Recorder::default();
    let world = World::new(docker.clone());
    let mut session = world.session(&["docker"], r#"{ docker = { containers = ["web"] } }"#, 10);
    let answer = call(&mut session, Function::DockerStop, STOP).await;
    assert_eq!(answer["err"]["denied"], "it serves traffic");
    assert_eq!(docker.performed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_flood_of_calls_ends_the_step() {
    let world = World::new(Recorder::default());
    let mut session = world.session(&[], "{}", 2);
    let sleep = r#"{"metric":{"name":"m","value":1.0,"unit":"","labels":[]}}"#;
    call(&mut session, Function::MetricsEmit, sleep).await;
    call(&mut session, Function::MetricsEmit, sleep).await;
    let third = session.call_json(Function::MetricsEmit, sleep.to_owned()).await;
    assert!(matches!(third, Err(Interrupt::TooManyCalls { limit: 2 })), "{third:?}");
}

#[tokio::test]
async fn a_secret_is_journaled_by_name_and_taken_out_of_the_answer() {
    let world = World::new(Recorder::default());
    let mut session =
        world.session(&["docker"], r#"{ docker = { push = ["localhost:5000/shop"] }, secrets = ["token"] }"#, 10);
    let push = r#"{"reference":"localhost:5000/shop:1","credentials":{"username":"u","password":{"secret":"token"}}}"#;
    let answer = call(&mut session, Function::DockerPush, push).await;
    assert_eq!(answer["ok"]["pinned"], "***");
    session.log().write(Stream::Stdout, b"it is value-of");
    session.log().write(Stream::Stdout, b"-token, is it not\n");
    session.log().finish();
    let folder = world.folder.path().to_owned();
    world.gate.journal().close(Record::RunEnded { status: Status::Succeeded, exit_code: 0 }).await.expect("closes");
    let all = serde_json::to_string(&entries(&folder)).expect("JSON");
    assert!(all.contains(r#"\"secret\":\"token\""#) && !all.contains("value-of-token"), "{all}");
    let log = std::fs::read_to_string(folder.join("runs/testr0n123.log")).expect("the log");
    assert_eq!(log, "it is ***, is it not\n");
}

#[tokio::test]
async fn a_secret_needs_its_own_grant() {
    let world = World::new(Recorder::default());
    let mut session = world.session(&["docker"], r#"{ docker = { push = ["localhost:5000/shop"] } }"#, 10);
    let push = r#"{"reference":"localhost:5000/shop:1","credentials":{"username":"u","password":{"secret":"token"}}}"#;
    assert!(
        call(&mut session, Function::DockerPush, push).await["err"]["denied"]
            .as_str()
            .expect("a denial")
            .contains("token")
    );
}

#[tokio::test]
async fn what_is_being_made_is_seen_through_when_the_step_is_cancelled() {
    let go_on = Arc::new(Notify::new());
    let docker = Recorder { go_on: Some(Arc::clone(&go_on)), ..Recorder::default() };
    let world = World::new(docker.clone());
    let mut session = world.session(&["docker"], r#"{ docker = { run = ["localhost:5000/shop"] } }"#, 10);
    {
        let creating = session.call_json(Function::DockerCreate, CREATE.to_owned());
        tokio::pin!(creating);
        tokio::select! {
            _ = &mut creating => panic!("it waits"),
            () = docker.entered.notified() => {}
        }
    }
    drop(session);
    go_on.notify_one();
    docker.finished.notified().await;
    world.gate.settled().await;
    let entries = world.entries().await;
    assert!(entries.iter().any(|entry| matches!(entry.record, Record::CallEnded { .. })), "{entries:#?}");
}
