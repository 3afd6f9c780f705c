//! Deploys, from the calls about traffic that a run has made.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use windlass_journal::{
    CallId, Decision, FailureKind, Record, RunResumed, RunState, StageIndex, Status, StepIndex, Stream,
};

use super::story::{Output, START, Story};
use crate::deployments::{Deployment, DeploymentsOptions, Outcome, deployments, folded, report};
use crate::style::{Format, Style};

/// Reports of a run that goes on while its calls are told one after the other.
struct Tale {
    story: Story,
    next: BTreeMap<StepIndex, u32>,
}

impl Tale {
    /// A run whose step `deploy` of stage `staging` has begun.
    fn new(environment: Option<&str>) -> Self {
        let mut story = Story::new(1, 1);
        if let Record::RunStarted(started) = &mut story.entries[0].record {
            started.facts.insert("run.by".to_owned(), "ada@build-7".to_owned());
        }
        let environment = environment.map(Into::into);
        story.push(Record::StageStarted { stage: StageIndex(0), name: "staging".into(), environment }).wait(40);
        story.step(0, 1, 0, "deploy");
        Self { story, next: BTreeMap::new() }
    }

    fn call_of(&mut self, step: StepIndex, millis: u64, function: &str, args: Value, answer: Value) -> &mut Self {
        let next = self.next.entry(step).or_default();
        let call = CallId { step, attempt: 1, ordinal: *next };
        *next += 1;
        let grant = Some("traffic = [\"storefront\"] at 9:12".to_owned());
        self.story.push(Record::CallStarted { call, function: function.into(), args: args.to_string(), grant });
        self.story.wait(millis).push(Record::CallEnded { call, answer: answer.to_string() });
        self
    }

    fn call(&mut self, millis: u64, function: &str, args: Value) -> &mut Self {
        self.call_of(StepIndex(0), millis, function, args, json!({ "ok": null }))
    }

    fn begin(&mut self, revision: &str, strategy: &str, previous: Option<&str>) -> &mut Self {
        let deployment = json!({
            "service": "storefront", "revision": revision, "strategy": strategy, "replicas": 2,
            "details": [{ "name": "image", "value": format!("localhost:5000/storefront:{revision}") }],
        });
        let of = |name: &str, weight: u32| json!({ "name": name, "weight": weight, "ready": 2, "replicas": 2, "endpoints": [{ "container": format!("storefront-{name}-1") }] });
        let revisions: Vec<_> = previous.iter().map(|name| of(name, 10_000)).chain([of(revision, 0)]).collect();
        let state = json!({ "service": "storefront", "revisions": revisions, "deployment": { "previous": previous } });
        self.call_of(StepIndex(0), 20, "traffic.begin", json!({ "deployment": deployment }), json!({ "ok": state }))
    }

    fn ready(&mut self, revision: &str, ready: &[bool]) -> &mut Self {
        let one = |(index, ready): (usize, &bool)| {
            let container = format!("storefront-{revision}-{}", index + 1);
            json!({ "container": container, "id": "c", "port": 80, "address": "172.17.0.3:80", "ready": ready })
        };
        let endpoints: Vec<_> = ready.iter().enumerate().map(one).collect();
        let args = json!({ "service": "storefront", "revision": revision, "endpoints": endpoints });
        self.call(5, "traffic.set-endpoints", args)
    }

    fn shift(&mut self, weights: &[(&str, u32)]) -> &mut Self {
        let weights: Vec<_> =
            weights.iter().map(|(name, weight)| json!({ "revision": name, "weight": weight })).collect();
        self.call(3, "traffic.shift", json!({ "service": "storefront", "weights": weights }))
    }

    fn judge(&mut self, verdict: &str, next: &str, reason: &str) -> &mut Self {
        let judgement = json!({
            "revision": "v2", "metric": "error-rate", "verdict": verdict, "next": next, "reason": reason,
        });
        let next = self.next.entry(StepIndex(0)).or_default();
        let call = CallId { step: StepIndex(0), attempt: 1, ordinal: *next };
        *next += 1;
        let args = json!({ "service": "storefront", "judgement": judgement }).to_string();
        let (function, grant, answer, took) = ("traffic.judge".into(), None, r#"{"ok":null}"#.to_owned(), 9);
        self.story.push(Record::CallRecorded { call, function, args, grant, answer, took });
        self
    }

    fn wait(&mut self, millis: u64) -> &mut Self {
        self.story.wait(millis);
        self
    }

    fn restore(&mut self, step: StepIndex) -> &mut Self {
        let ok = json!({ "ok": null });
        let drained = json!({ "ok": { "done": true, "in-flight": 0, "cut": 1 } });
        let drain = json!({ "service": "storefront", "revision": "v2", "container": null, "limit-ms": 10_000 });
        self.call_of(step, 80, "docker.start-again", json!({ "container": "storefront-v1-2" }), ok.clone());
        self.call_of(step, 4, "traffic.restore", json!({ "service": "storefront" }), ok);
        self.call_of(step, 900, "traffic.drain", drain, drained)
    }

    fn found(&self, state: RunState) -> Vec<Deployment> {
        folded("k3v0c2mtx4", "storefront", state, &self.story.entries)
    }
}

const ENDED: fn(Status) -> RunState = RunState::Ended;

fn shown(found: &[Deployment], format: Format, details: bool) -> String {
    let mut output = Output::default();
    let options = DeploymentsOptions { style: Style::default(), format, details, now: START + 300_000_000 };
    deployments(found, options, &mut output).unwrap();
    output.text()
}

/// A canary that goes all the way, with a person in between.
fn committed() -> Tale {
    let mut tale = Tale::new(Some("staging"));
    tale.begin("v2", "canary", Some("v1")).wait(3000).ready("v2", &[true, true]);
    tale.shift(&[("v2", 500), ("v1", 9500)]).wait(30_000);
    tale.judge("pass", "go-on", "2 of 640 failed, the baseline 3 of 12,100");
    let stage: std::sync::Arc<str> = "staging".into();
    let call = Some(CallId { step: StepIndex(0), attempt: 1, ordinal: 9 });
    tale.story
        .push(Record::ApprovalAsked { stage: stage.clone(), call, message: "all of it?".to_owned() })
        .wait(60_000);
    let decision = Decision { approved: true, by: "bob@shop".to_owned(), why: None, decided_at: START + 95_000_000 };
    tale.story.push(Record::Decided { stage, call, decision });
    let service = json!({ "service": "storefront" });
    tale.shift(&[("v2", 10_000), ("v1", 0)]).call(10, "traffic.commit", service.clone());
    let drained = json!({ "ok": { "done": true, "in-flight": 0, "cut": 0 } });
    let drain = json!({ "service": "storefront", "revision": "v1", "container": null, "limit-ms": 10_000 });
    tale.call_of(StepIndex(0), 700, "traffic.drain", drain, drained);
    tale.call(9, "traffic.finish", service);
    tale.story.ok(0, 1, &[]).stage_end(0, "staging", Status::Succeeded).end(Status::Succeeded, 0);
    tale
}

/// A canary that fails its analysis; the plugin gives up.
fn rolled_back(by: StepIndex) -> Tale {
    let mut tale = Tale::new(Some("staging"));
    tale.story.out(0, "starting storefront:v2\n");
    tale.begin("v2", "canary", Some("v1")).wait(3000).ready("v2", &[true, false]);
    let refused = json!({ "err": { "unsafe": "v2 has 1 of 2 replicas ready, which carry 50 %" } });
    let weights = json!([{ "revision": "v2", "weight": 10_000 }]);
    let args = json!({ "service": "storefront", "weights": weights });
    tale.call_of(StepIndex(0), 2, "traffic.shift", args, refused);
    tale.ready("v2", &[true, true]).shift(&[("v2", 500), ("v1", 9500)]).wait(20_000);
    tale.judge("insufficient-data", "hold", "212 requests, and 500 are needed").wait(20_000);
    tale.judge("fail", "abort", "61 of 590 failed, the baseline 4 of 11,200; p < 0.001");
    let logs = |container: &str| json!({ "query": { "container": container, "tail": 50, "follow-ms": 0 } });
    let said = |text: &str| json!({ "ok": { "stdout-tail": text, "stderr-tail": "panic: no | such ` table\n" } });
    tale.call_of(StepIndex(0), 9, "docker.logs", logs("storefront-v2-1"), said("listening\n::error::x\n"));
    tale.call_of(StepIndex(0), 9, "docker.logs", logs("storefront-v1-1"), said("the old one\n"));
    tale.story.log(0, 1, Stream::Log, b"error-rate fails: giving up\n\x1b[31m##[error]no\n");
    if by != StepIndex::HOST {
        tale.restore(by);
    }
    tale.story.fail(0, 1, FailureKind::Failed, "v2 fails error-rate: 61 of 590 *failed*\n`storefront-v2-1` runs", None);
    if by == StepIndex::HOST {
        tale.restore(by);
    }
    tale.story.stage_end(0, "staging", Status::Failed).end(Status::Failed, 1);
    tale
}

#[test]
fn a_deploy_that_went_well() {
    let found = committed().found(ENDED(Status::Succeeded));
    assert_eq!((found.len(), found[0].outcome()), (1, Outcome::Committed));
    insta::assert_snapshot!(shown(&found, Format::Human, true));
    insta::assert_snapshot!(shown(&found, Format::Json, false));
}

#[test]
fn a_deploy_that_was_rolled_back() {
    let found = rolled_back(StepIndex(0)).found(ENDED(Status::Failed));
    assert_eq!((found.len(), found[0].outcome()), (1, Outcome::RolledBack));
    insta::assert_snapshot!(shown(&found, Format::Human, true));
    insta::assert_snapshot!(shown(&found, Format::Json, false));
}

#[test]
fn the_report_of_an_incident() {
    let tale = rolled_back(StepIndex(0));
    let found = tale.found(ENDED(Status::Failed));
    let mut incidents = report(found, &tale.story.entries, &|offset, len| tale.story.read(offset, len)).unwrap();
    assert_eq!(incidents.len(), 1);
    let incident = incidents.remove(0);
    assert_eq!((&*incident.name, incident.is_automatic()), ("staging.storefront", true));
    insta::assert_snapshot!(incident.text);
}

#[test]
fn the_host_aborts_what_a_step_leaves_open() {
    let tale = rolled_back(StepIndex::HOST);
    let found = tale.found(ENDED(Status::Failed));
    assert_eq!(found[0].outcome(), Outcome::RolledBack);
    assert_eq!(found[0].why().as_deref(), Some("v2 fails error-rate: 61 of 590 *failed*\n`storefront-v2-1` runs"));
    let incidents = report(found, &tale.story.entries, &|offset, len| tale.story.read(offset, len)).unwrap();
    assert!(incidents[0].text.contains("storefront-v1-2 was started again"), "{}", incidents[0].text);
    assert!(incidents[0].text.contains("v2 is drained, 1 cut"), "{}", incidents[0].text);
}

#[test]
fn a_run_that_is_over_has_an_incident_only_for_what_was_restored() {
    let tale = committed();
    let found = tale.found(ENDED(Status::Succeeded));
    assert!(report(found, &tale.story.entries, &|offset, len| tale.story.read(offset, len)).unwrap().is_empty());
}

#[test]
fn what_a_person_ends_is_cancelled() {
    let mut tale = Tale::new(None);
    tale.begin("v2", "blue-green", Some("v1")).wait(500);
    tale.story.push(Record::CancelRequested { by: "SIGINT".to_owned() });
    tale.restore(StepIndex::HOST);
    let found = tale.found(ENDED(Status::Cancelled));
    assert_eq!(found[0].outcome(), Outcome::Cancelled);
    assert_eq!(found[0].why().as_deref(), Some("cancelled by SIGINT"));
    let incidents = report(found, &tale.story.entries, &|offset, len| tale.story.read(offset, len)).unwrap();
    assert!(!incidents[0].is_automatic());
    assert!(incidents[0].text.starts_with("# storefront: revision v2 was cancelled\n"), "{}", incidents[0].text);
}

#[test]
fn a_resumed_deploy_is_one_deploy() {
    let mut tale = Tale::new(None);
    tale.begin("v2", "rolling", Some("v1")).wait(500);
    assert_eq!(tale.found(RunState::Interrupted)[0].outcome(), Outcome::Interrupted);
    assert_eq!(tale.found(RunState::Waiting)[0].outcome(), Outcome::Open);
    let resumed = RunResumed { versions: BTreeMap::new(), plugins: Vec::new(), restarted: Vec::new() };
    tale.story.push(Record::RunResumed(Box::new(resumed)));
    tale.begin("v2", "rolling", Some("v1")).shift(&[("v2", 10_000)]);
    let service = json!({ "service": "storefront" });
    tale.call(5, "traffic.commit", service.clone()).call(5, "traffic.finish", service);
    let found = tale.found(ENDED(Status::Succeeded));
    assert_eq!((found.len(), found[0].outcome()), (1, Outcome::Committed));
    // What comes after the end is another deploy.
    tale.begin("v3", "rolling", Some("v2"));
    let found = tale.found(RunState::Running);
    assert_eq!(found.iter().map(|one| &*one.revision).collect::<Vec<_>>(), ["v2", "v3"]);
}

#[test]
fn the_table_lines_up() {
    let mut found = rolled_back(StepIndex(0)).found(ENDED(Status::Failed));
    found.extend(committed().found(ENDED(Status::Succeeded)));
    let mut open = Tale::new(None);
    open.begin("v3-with-a-name-that-is-longer-than-a-column", "ring", None).shift(&[("v3", 2500), ("v2", 7500)]);
    found.extend(open.found(RunState::Running));
    found.extend(open.found(RunState::Interrupted));
    insta::assert_snapshot!(shown(&found, Format::Human, false));
    assert_eq!(shown(&[], Format::Human, true), "nothing was deployed here\n");
    assert_eq!(shown(&[], Format::Json, true), "");
}

#[test]
fn nothing_from_outside_is_a_command_or_markup() {
    let mut tale = Tale::new(None);
    let bad = "v2\u{1b}[2J##[error]|<b>`";
    tale.begin(bad, bad, Some(bad)).shift(&[(bad, 10_000)]).judge(bad, bad, bad).restore(StepIndex(0));
    tale.story.fail(0, 1, FailureKind::Failed, bad, None);
    let found = tale.found(ENDED(Status::Failed));
    let mut all = report(found.clone(), &tale.story.entries, &|offset, len| tale.story.read(offset, len)).unwrap();
    let report = all.remove(0).text;
    for text in [shown(&found, Format::Human, false), shown(&found, Format::Human, true), report.clone()] {
        assert!(!text.contains('\u{1b}') && !text.contains("##["), "{text}");
    }
    assert!(!report.contains(" <b>") && !report.contains("]|<"), "{report}");
}

#[test]
fn nonsense_in_the_record_is_no_deploy() {
    let mut tale = Tale::new(None);
    tale.call(1, "traffic.begin", json!([1])).call(1, "traffic.shift", json!({ "service": "x", "weights": 1 }));
    tale.call(1, "traffic.begin", json!({ "deployment": { "service": 1 } })).call(1, "traffic.commit", json!(null));
    assert!(tale.found(RunState::Running).is_empty());
}
