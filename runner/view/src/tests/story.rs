//! Runs that are made up: records with a clock that the test moves.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use windlass_journal::{
    CallId, Entry, Failure, FailureKind, FolderInput, InDoubtAnswer, JournalError, LogBytes, LogChunk, LogView,
    Observer, PluginPin, Record, RunResumed, RunStarted, StageIndex, Status, StepIndex, Stream,
};

use crate::model::RunModel;

/// 2025-11-21 04:25:39 UTC.
pub(super) const START: u64 = 1_763_699_139_000_000;

/// The records of a run, and the bytes of its log.
pub(super) struct Story {
    pub(super) entries: Vec<Entry>,
    pub(super) log: Vec<u8>,
    now: u64,
}

impl Story {
    pub(super) fn new(stages: u32, steps: u32) -> Self {
        let mut story = Self { entries: Vec::new(), log: Vec::new(), now: START };
        let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        story.push(Record::RunStarted(Box::new(RunStarted {
            run: "k3v0c2mtx4".to_owned(),
            pipeline: "storefront".to_owned(),
            file: "pipeline.toml".to_owned(),
            workspace: "/src/storefront".to_owned(),
            source: "".into(),
            facts: pairs(&[("git.short", "4f2a9c1"), ("vars.image", "localhost:5000/storefront")]),
            plugins: vec![
                PluginPin { source: "builtin:image".to_owned(), digest: format!("sha256:{}", "ab".repeat(32)) },
                PluginPin { source: "builtin:deploy".to_owned(), digest: format!("sha256:{}", "cd".repeat(32)) },
            ],
            versions: pairs(&[("gate", "1"), ("windlass", "0.1.0")]),
            stages,
            steps,
            flags: Default::default(),
        })));
        story
    }

    pub(super) fn push(&mut self, record: Record) -> &mut Self {
        self.entries.push(Entry { seq: self.entries.len() as u64 + 1, at: self.now, record });
        self
    }

    pub(super) fn wait(&mut self, millis: u64) -> &mut Self {
        self.now += millis * 1000;
        self
    }

    pub(super) fn stage(&mut self, stage: u32, name: &str) -> &mut Self {
        self.push(Record::StageStarted { stage: StageIndex(stage), name: name.into() })
    }

    pub(super) fn stage_end(&mut self, stage: u32, name: &str, status: Status) -> &mut Self {
        self.push(Record::StageEnded { stage: StageIndex(stage), name: name.into(), status })
    }

    pub(super) fn step(&mut self, step: u32, attempt: u32, stage: u32, name: &str) -> &mut Self {
        self.push(Record::StepStarted { step: StepIndex(step), attempt, stage: StageIndex(stage), name: name.into() })
    }

    pub(super) fn ok(&mut self, step: u32, attempt: u32, outputs: &[(&str, Value)]) -> &mut Self {
        let outputs: BTreeMap<_, _> = outputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.push(Record::StepEnded {
            step: StepIndex(step),
            attempt,
            status: Status::Succeeded,
            failure: None,
            outputs,
        })
    }

    pub(super) fn fail(
        &mut self,
        step: u32,
        attempt: u32,
        kind: FailureKind,
        message: &str,
        hint: Option<&str>,
    ) -> &mut Self {
        let failure = Some(Failure { kind, message: message.to_owned(), hint: hint.map(str::to_owned) });
        let outputs = BTreeMap::new();
        self.push(Record::StepEnded { step: StepIndex(step), attempt, status: Status::Failed, failure, outputs })
    }

    pub(super) fn log(&mut self, step: u32, attempt: u32, stream: Stream, bytes: &[u8]) -> &mut Self {
        let (offset, len) = (self.log.len() as u64, bytes.len() as u64);
        self.log.extend_from_slice(bytes);
        self.push(Record::Log { step: StepIndex(step), attempt, stream, offset, len })
    }

    pub(super) fn out(&mut self, step: u32, text: &str) -> &mut Self {
        self.log(step, 1, Stream::Stdout, text.as_bytes())
    }

    pub(super) fn call(
        &mut self,
        step: u32,
        ordinal: u32,
        function: &str,
        millis: u64,
        args: Value,
        answer: Value,
    ) -> &mut Self {
        let call = CallId { step: StepIndex(step), attempt: 1, ordinal };
        let grant = Some("docker.push = [\"localhost:5000/storefront\"] at pipeline.toml:14".to_owned());
        self.push(Record::CallStarted { call, function: function.into(), args: args.to_string(), grant });
        self.wait(millis);
        self.push(Record::CallEnded { call, answer: answer.to_string() })
    }

    pub(super) fn denied(&mut self, step: u32, ordinal: u32, function: &str, why: &str) -> &mut Self {
        let call = CallId { step: StepIndex(step), attempt: 1, ordinal };
        let answer = json!({ "err": { "denied": why } }).to_string();
        self.push(Record::CallRecorded {
            call,
            function: function.into(),
            args: "{}".to_owned(),
            grant: None,
            answer,
            took: 0,
        })
    }

    pub(super) fn notice(&mut self, step: Option<u32>, message: &str) -> &mut Self {
        self.push(Record::Notice { step: step.map(StepIndex), message: message.to_owned() })
    }

    pub(super) fn end(&mut self, status: Status, exit_code: u8) -> &mut Self {
        self.push(Record::RunEnded { status, exit_code })
    }

    pub(super) fn model(&self) -> RunModel {
        let mut model = RunModel::default();
        self.entries.iter().for_each(|entry| model.apply(entry));
        model
    }

    pub(super) fn read(&self, offset: u64, len: u64) -> Result<LogBytes, JournalError> {
        let bytes = self.log[offset as usize..(offset + len) as usize].to_vec();
        Ok(LogBytes { bytes, missing: 0 })
    }

    /// Feeds an observer as the journal would, in batches of `size` records.
    pub(super) fn feed(&self, observer: &mut dyn Observer, size: usize) {
        let chunk = LogChunk { offset: 0, bytes: self.log.clone() };
        let chunks = [chunk];
        for batch in self.entries.chunks(size) {
            observer.committed(batch, &LogView::new(&chunks));
        }
    }
}

/// A build that works: two stages, interleaved steps, lines cut across records.
pub(super) fn success() -> Story {
    let mut story = Story::new(2, 3);
    story.stage(0, "build").step(0, 1, 0, "image").step(1, 1, 0, "test").wait(100);
    story.log(0, 1, Stream::Progress, b"#1 load\r#1 load 50%\r#1 load done\n#2 RUN car");
    story.out(1, "running 2 te");
    story.wait(200).log(0, 1, Stream::Progress, b"go build\n");
    story.log(1, 1, Stream::Stderr, b"warning: unused\n");
    story.out(1, "sts\n::set-output name=x::y\ntest a ... \x1b[32mok\x1b[0m\x07\nno end of line");
    story.call(0, 0, "docker.build", 900, json!({ "context": "." }), json!({ "ok": { "id": "sha256:11" } }));
    let (step, name, unit) = (StepIndex(1), "tests.passed".to_owned(), "{test}".to_owned());
    let call = CallId { step, attempt: 1, ordinal: 0 };
    story.push(Record::Metric { call, name, value: 2.0, unit, labels: BTreeMap::new() });
    story.ok(1, 1, &[]).wait(50);
    story.ok(0, 1, &[("ref", json!("localhost:5000/storefront:4f2a9c1")), ("layers", json!([1, 2]))]);
    story.stage_end(0, "build", Status::Succeeded).wait(5);
    story.stage(1, "staging").step(2, 1, 1, "deploy").wait(61_000).ok(2, 1, &[]);
    story.stage_end(1, "staging", Status::Succeeded);
    story.notice(None, "removed 2 containers of an earlier attempt");
    story.end(Status::Succeeded, 0);
    story
}

/// A deploy that is tried twice and fails; what needs it is skipped.
pub(super) fn failure() -> Story {
    let mut story = Story::new(3, 3);
    story.stage(0, "build").step(0, 1, 0, "image").wait(340);
    let secret = json!({ "reference": "localhost:5000/storefront", "password": { "secret": "registry" } });
    story.call(0, 0, "docker.push", 400, secret, json!({ "ok": { "digest": "sha256:22", "pad": "x".repeat(200) } }));
    story.ok(0, 1, &[]).stage_end(0, "build", Status::Succeeded);
    story.stage(1, "staging").step(1, 1, 1, "deploy").wait(1200);
    story.denied(1, 0, "docker.stop", "add `stop = [\"storefront\"]` to `grants.docker` of stage `staging`");
    story.fail(1, 1, FailureKind::Failed, "not ready", None).wait(2000);
    story.step(1, 2, 1, "deploy");
    for n in 1..=25 {
        story.log(1, 2, Stream::Stderr, format!("line {n}: \x1b[2Jnot ready\n").as_bytes());
    }
    story.log(1, 2, Stream::Stdout, b"panicked at ##[error]main.rs");
    story.wait(3000);
    let message = "storefront was not healthy within 30s\nthe last answer was 503";
    story.fail(1, 2, FailureKind::TimedOut, message, Some("look at the container's log, or raise `wait`"));
    story.stage_end(1, "staging", Status::Failed).stage_end(2, "production", Status::Skipped);
    story.notice(Some(1), "container storefront-k3v0 could not be removed; remove it: docker rm -f storefront-k3v0");
    story.end(Status::Failed, 1);
    story
}

/// A run whose process was killed while it waited for a container and while it sent a message; another
/// one goes on with both, the latter as a person said.
pub(super) fn resumed() -> Story {
    let mut story = Story::new(1, 2);
    story.stage(0, "build").step(0, 1, 0, "image").step(1, 1, 0, "tell");
    let inputs = Record::StepInputs {
        step: StepIndex(0),
        attempt: 1,
        env: [("LANG".to_owned(), "C".to_owned())].into(),
        folders: vec![FolderInput {
            folder: "src".to_owned(),
            digest: format!("sha256:{}", "12".repeat(32)),
            files: 2,
            bytes: 3000,
            kept: true,
        }],
    };
    story.push(inputs).wait(100);
    let id = |step, ordinal| CallId { step: StepIndex(step), attempt: 1, ordinal };
    let begun = |call, function: &str, args: Value| Record::CallStarted {
        call,
        function: function.into(),
        args: args.to_string(),
        grant: Some("docker.run \"db\" at 9:12".to_owned()),
    };
    let ended = |call| Record::CallEnded { call, answer: r#"{"ok":null}"#.to_owned() };
    story.call(0, 0, "docker.create", 20, json!({ "name": "db" }), json!({ "ok": { "id": "c1" } }));
    story.push(begun(id(0, 1), "docker.wait", json!({ "id": "c1", "timeout-ms": null }))).wait(10);
    let post =
        json!({ "url": "https://hooks.example/x", "headers": [{ "name": "token", "value": { "secret": "hook" } }] });
    story.push(begun(id(1, 0), "http.send", post.clone())).wait(400);
    story.push(Record::Notice { step: None, message: "the last word".to_owned() }).wait(90_000);
    story.push(Record::RunResumed(Box::new(RunResumed {
        versions: [("windlass".to_owned(), "0.1.0".to_owned())].into(),
        plugins: Vec::new(),
        restarted: Vec::new(),
    })));
    story.wait(5).step(0, 1, 0, "image").wait(700).push(ended(id(0, 1))).ok(0, 1, &[]);
    let (answer, by) = (InDoubtAnswer::Repeat, "ada on build-7".to_owned());
    story.push(Record::InDoubtAnswered { call: id(1, 0), answer, by }).wait(5);
    story.push(begun(id(1, 0), "http.send", post)).wait(60).push(ended(id(1, 0)));
    for value in [1.0, f64::NAN, 1e308] {
        story.push(Record::Metric {
            call: id(1, 1),
            name: "sent".to_owned(),
            value,
            unit: "By".to_owned(),
            labels: [("to".to_owned(), "hooks".to_owned())].into(),
        });
    }
    story.ok(1, 1, &[]).stage_end(0, "build", Status::Succeeded).end(Status::Succeeded, 0);
    story
}

/// A run that a person ends.
pub(super) fn cancelled() -> Story {
    let mut story = Story::new(2, 2);
    story.stage(0, "build").step(0, 1, 0, "image").wait(1500);
    story.push(Record::CancelRequested { by: "SIGINT".to_owned() }).wait(20);
    let (step, attempt, status, failure, outputs) = (StepIndex(0), 1, Status::Cancelled, None, BTreeMap::new());
    story.push(Record::StepEnded { step, attempt, status, failure, outputs });
    story.stage_end(0, "build", Status::Cancelled).stage_end(1, "staging", Status::Skipped);
    story.end(Status::Cancelled, 130);
    story
}

/// An output that a test can look at.
#[derive(Clone, Default)]
pub(super) struct Output(Arc<(Mutex<Vec<u8>>, Condvar)>);

impl Output {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.0.lock().unwrap().clone()).unwrap()
    }

    /// Waits until this was written.
    pub(super) fn wait_for(&self, text: &str) {
        let absent = |bytes: &mut Vec<u8>| !String::from_utf8_lossy(bytes).contains(text);
        let bytes = self.0.0.lock().unwrap();
        let (_bytes, waited) = self.0.1.wait_timeout_while(bytes, Duration::from_secs(30), absent).unwrap();
        assert!(!waited.timed_out(), "{text:?} was never written");
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.0.lock().unwrap().extend_from_slice(bytes);
        self.0.1.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
