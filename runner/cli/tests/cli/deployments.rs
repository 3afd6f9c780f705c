//! `windlass deployments`, from journals that are written here: the deploys themselves are tested end to end.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use windlass_journal::{
    CallId, Failure, FailureKind, Journal, Record, RunStarted, StageIndex, Status, StepIndex, Stream, Writer,
    WriterOptions, new_run_id,
};

use crate::support::{Folder, settled};

/// The pipeline that the deploys are of.
pub(crate) const SHOP: &str = r#"[pipeline]
name = "shop"
[vars]
image = "localhost:5000/shop"
[secrets]
db = { env = "DB_PASSWORD" }
[environments.live]
[stages.build]
[[stages.build.steps]]
name = "image"
uses = "builtin:image"
with = { context = ".", tag = "${vars.image}:${git.short}" }
grants = { docker = { build = ["."] } }
[stages.ship]
needs = ["build"]
environment = "live"
[[stages.ship.steps]]
name = "it"
uses = "builtin:deploy"
with = { service = "web", image = "${stages.build.steps.image.outputs.ref}", port = 8080, strategy = "canary", canary = { steps = [{ weight = 5, pause = "1m" }] }, health = { http = "/health" }, env = { NOTE = "$${HOME}", DB = { secret = "db" } } }
grants = { docker = { run = ["${vars.image}"], containers = ["web-*"] }, traffic = ["web"], health = ["web-*"], secrets = ["db"] }
"#;

/// How a deploy ends.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum End {
    Committed,
    RolledBack,
    Open,
}

/// A run that deploys revisions, written as the runner would write it.
pub(crate) struct Deploy {
    writer: Writer,
    ordinal: u32,
    pub(crate) run: String,
}

impl Deploy {
    /// A run whose step `ship/it` is about to deploy the image of this name.
    pub(crate) fn begun(folder: &Folder, source: &str, image: &str) -> Self {
        let run = new_run_id();
        let facts = [("git.short", "4f2a9c1"), ("run.by", "ada@build-7")];
        let started = RunStarted {
            run: run.clone(),
            pipeline: "shop".to_owned(),
            file: "pipeline.toml".to_owned(),
            workspace: folder.path().display().to_string(),
            source: source.into(),
            facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            plugins: Vec::new(),
            versions: BTreeMap::new(),
            stages: 2,
            steps: 2,
            flags: Default::default(),
        };
        let journal = Journal::open_or_create(&folder.path().join(".windlass")).unwrap();
        let writer = journal.start_run(WriterOptions::default(), started).unwrap();
        let stage = |stage: u32, name: &str, environment: Option<&str>| Record::StageStarted {
            stage: StageIndex(stage),
            name: name.into(),
            environment: environment.map(Into::into),
        };
        let step = |index: u32, name: &str| Record::StepStarted {
            step: StepIndex(index),
            attempt: 1,
            stage: StageIndex(index),
            name: name.into(),
        };
        let outputs = [("ref".to_owned(), Json::from(image))].into();
        let (status, failure) = (Status::Succeeded, None);
        let built = Record::StepEnded { step: StepIndex(0), attempt: 1, status, failure, outputs };
        let environment = source.contains("environment = \"live\"").then_some("live");
        for record in [stage(0, "build", None), step(0, "image"), built, stage(1, "ship", environment), step(1, "it")] {
            writer.append(record);
        }
        Self { writer, ordinal: 0, run }
    }

    pub(crate) fn call(&mut self, function: &str, args: Json, answer: Json) -> &mut Self {
        let call = CallId { step: StepIndex(1), attempt: 1, ordinal: self.ordinal };
        self.ordinal += 1;
        let grant = None;
        self.writer.append(Record::CallStarted { call, function: function.into(), args: args.to_string(), grant });
        self.writer.append(Record::CallEnded { call, answer: answer.to_string() });
        self
    }

    /// Deploys a revision of a service.
    pub(crate) fn deploy(&mut self, service: &str, revision: &str, previous: Option<&str>, end: End) -> &mut Self {
        let details = json!([{ "name": "image", "value": format!("localhost:5000/shop@{revision}") }]);
        let deployment = json!({ "service": service, "revision": revision, "strategy": "canary", "replicas": 1, "details": details });
        let before = previous.map(|name| json!({ "name": name, "weight": 10_000 }));
        let state = json!({ "revisions": before.as_slice(), "deployment": { "previous": previous } });
        let (of, ok) = (json!({ "service": service }), json!({ "ok": null }));
        self.call("traffic.begin", json!({ "deployment": deployment }), json!({ "ok": state }));
        let weights = json!({ "service": service, "weights": [{ "revision": revision, "weight": 10_000 }] });
        self.call("traffic.shift", weights, ok.clone());
        match end {
            End::Open => self,
            End::Committed => self.call("traffic.commit", of.clone(), ok.clone()).call("traffic.finish", of, ok),
            End::RolledBack => {
                self.writer.log(StepIndex(1), 1, Stream::Log, b"p99 is 9 s\n", 1 << 20);
                self.call("traffic.restore", of, ok)
            }
        }
    }

    /// Ends the run.
    pub(crate) fn end(self, status: Status) -> String {
        let kind = FailureKind::Failed;
        let message = "the revision is slow: p99 is 9 s".to_owned();
        let failure = (status == Status::Failed).then_some(Failure { kind, message, hint: None });
        let (step, attempt, outputs) = (StepIndex(1), 1, BTreeMap::new());
        self.writer.append(Record::StepEnded { step, attempt, status, failure, outputs });
        let exit_code = u8::from(status == Status::Failed);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(self.writer.close(Record::RunEnded { status, exit_code })).unwrap();
        self.run
    }
}

/// A folder in which `web` was deployed in turn: each revision with what became of it.
pub(crate) fn deployed(source: &str, revisions: &[(&str, End)]) -> (Folder, Vec<String>) {
    let folder = Folder::with(source);
    let mut previous: Option<&str> = None;
    let mut runs = Vec::new();
    for (revision, end) in revisions {
        let mut deploy = Deploy::begun(&folder, source, &format!("localhost:5000/shop@{revision}"));
        deploy.deploy("web", revision, previous, *end);
        if *end == End::Committed {
            previous = Some(revision);
        }
        runs.push(match end {
            End::Committed => deploy.end(Status::Succeeded),
            End::RolledBack => deploy.end(Status::Failed),
            End::Open => deploy.run.clone(),
        });
    }
    (folder, runs)
}

#[test]
fn the_newest_first() {
    let (folder, runs) = deployed(SHOP, &[("v1", End::Committed), ("v2", End::RolledBack), ("v3", End::Open)]);
    let table = folder.windlass(&["deployments"]).exits(0);
    let lines: Vec<_> = table.out.lines().collect();
    assert!(lines[0].starts_with("RESULT       SERVICE  ENVIRONMENT  REVISION  STRATEGY"), "{}", table.out);
    for (line, words) in lines[1..].iter().zip(["interrupted", "rolled back", "committed"]) {
        assert!(line.starts_with(words) && line.contains("ada@build-7"), "{line}");
    }
    assert!(lines[1].ends_with(&format!("windlass resume {}", runs[2])), "{}", lines[1]);
    assert!(lines[2].ends_with("the revision is slow: p99 is 9 s"), "{}", lines[2]);
    let values = folder.windlass(&["deployments", "web", "--format", "json", "-n", "2"]).exits(0).json();
    let results: Vec<_> = values.iter().map(|value| (value["revision"].as_str(), value["result"].as_str())).collect();
    assert_eq!(results, [(Some("v3"), Some("interrupted")), (Some("v2"), Some("rolled-back"))]);
    assert_eq!(values[1]["weights"][0]["weights"], json!({ "v1": 10_000 }));
    assert_eq!(values[1]["weights"][2]["weights"], json!({ "v1": 10_000 }), "as before");
    assert_eq!((&values[1]["by"], &values[1]["path"]), (&json!("ada@build-7"), &json!("ship/it")));
    let one = folder.windlass(&["deployments", "--run", &runs[0]]).exits(0);
    one.says("web in live: revision v1, committed").says("v1 100 %").says("localhost:5000/shop@v1");
}

#[test]
fn what_was_not_deployed_is_told_with_the_nearest_name() {
    let (folder, _) = deployed(SHOP, &[("v1", End::Committed)]);
    folder.windlass(&["deployments", "wbe"]).exits(2).says("no service `wbe`").says("did you mean `web`?");
    folder.windlass(&["deployments", "database"]).exits(2).says("deployed were: web");
    folder.windlass(&["deployments", "--env", "lvie"]).exits(2).says("something was in `live`");
    folder.windlass(&["deployments", "--environment", "live"]).exits(0).says("v1");
    let folder = Folder::with(crate::support::HELLO);
    folder.windlass(&["run", "-q"]).exits(0);
    folder.windlass(&["deployments"]).exits(0).says("nothing was deployed here");
    folder.windlass(&["deployments", "web"]).exits(0).says("nothing was deployed here");
    Folder::new().windlass(&["deployments"]).exits(2);
}

#[test]
fn an_incident_is_told_again_from_the_journal() {
    let (folder, runs) = deployed(SHOP, &[("v1", End::Committed), ("v2", End::RolledBack)]);
    let report = folder.windlass(&["deployments", "--incident", &runs[1]]).exits(0);
    let report = report.says("# web in live: revision v2 was rolled back").says("localhost:5000/shop@v2");
    let report = report.says("| p99 is 9 s").says(&format!("windlass show {} --calls", runs[1]));
    let value = folder.windlass(&["deployments", "--incident", "latest", "--format", "json"]).exits(0).json().remove(0);
    assert_eq!((value["text"].as_str(), &value["automatic"]), (Some(&*report.out), &json!(true)));
    folder.windlass(&["deployments", "--incident", &runs[0]]).exits(2).says("has rolled nothing back");
    let _settled = settled();
    folder.windlass(&["deployments", "--incident", &runs[1], "-n", "3"]).exits(2);
    folder.windlass(&["deployments", "-n", "0"]).exits(0).says_nothing();
}

#[test]
fn who_started_a_run_is_recorded() {
    let folder = Folder::with(crate::support::HELLO).env("USER", "ada");
    folder.windlass(&["run", "-q"]).exits(0);
    let run = folder.windlass(&["show", "--format", "json"]).exits(0).json().remove(0);
    assert!(run["facts"]["run.by"].as_str().is_some_and(|by| by.starts_with("ada")), "{run}");
}

#[test]
fn reports_go_with_their_runs() {
    let (folder, runs) = deployed(SHOP, &[("v1", End::RolledBack), ("v2", End::Committed)]);
    let incidents = folder.path().join(".windlass/incidents");
    std::fs::create_dir_all(&incidents).unwrap();
    let old = incidents.join(format!("{}-live.web.md", runs[0]));
    for path in [&old, &incidents.join(format!("{}-live.web.md", runs[1])), &incidents.join("notes.md")] {
        std::fs::write(path, "x").unwrap();
    }
    folder.windlass(&["runs", "prune", "--keep", "1"]).exits(0).says("1 run removed");
    assert!(!old.exists());
    assert_eq!(incidents.read_dir().unwrap().count(), 2);
}
