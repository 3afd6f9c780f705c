//! An attempt of a step that several processes work on, one after the other, and what each of them does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use windlass_gate::{
    Authority, Call, CallError, Capability, Function, Gate, Guard, Mode, Playback, Question, Recording, RunContext,
    SecretStore, Secrets, Session, SessionOptions, StepAuthority, api,
};
use windlass_journal::{
    InDoubtAnswer, Journal, LogBytes, Reader, Record, RunStarted, RunSummary, StageIndex, StepIndex, Stream, Writer,
    WriterOptions,
};
use windlass_pipeline::{Description, Facts, Grants, Source};

pub(crate) const RUN_ID: &str = "testr0n123";
pub(crate) const STEP: StepIndex = StepIndex(0);

pub(crate) const PUSH: &str = r#"{"reference":"localhost:5000/shop:1","credentials":null}"#;
pub(crate) const PUSH_SECRET: &str =
    r#"{"reference":"localhost:5000/shop:1","credentials":{"username":"u","password":{"secret":"token"}}}"#;
pub(crate) const PULL: &str = r#"{"reference":"localhost:5000/shop:1","credentials":null,"platform":null}"#;
pub(crate) const CREATE: &str = r#"{"name":"web","spec":{"image":"localhost:5000/shop:1","command":null,"entrypoint":null,"env":[],"user":null,"working-directory":null,"labels":[],"ports":[],"mounts":[],"networks":[],"aliases":[],"no-network":false,"memory":null,"cpu-millis":null,"processes":null,"read-only-root":false,"restart":"no","healthcheck":null},"lifetime":"run"}"#;
pub(crate) const EXEC: &str = r#"{"spec":{"container":"web","command":["true"],"env":[],"user":null,"working-directory":null,"timeout-ms":null}}"#;
pub(crate) const INSPECT: &str = r#"{"container":"web"}"#;
pub(crate) const REMOVE: &str = r#"{"container":"web","force":true,"volumes":false}"#;
pub(crate) const GONE: &str = r#"{"container":"gone","force":true,"volumes":false}"#;
pub(crate) const RUN: &str =
    r#"{"command":{"program":"make","args":[],"env":[],"working-directory":null,"stdin":null,"timeout-ms":null}}"#;
pub(crate) const POST: &str = r#"{"request":{"method":"POST","url":"https://api.example/x","headers":[],"body":null,"timeout-ms":null,"redirects":0,"max-body":null}}"#;
pub(crate) const PUT: &str = r#"{"request":{"method":"PUT","url":"https://api.example/x","headers":[],"body":null,"timeout-ms":null,"redirects":0,"max-body":null}}"#;
pub(crate) const SLEEP: &str = r#"{"milliseconds":5}"#;
/// A wait for something that prints.
pub(crate) const TALK: &str = r#"{"milliseconds":9}"#;
pub(crate) const METRIC: &str =
    r#"{"metric":{"name":"m","value":1.5,"unit":"s","labels":[{"name":"b","value":"2"},{"name":"a","value":"1"}]}}"#;

/// What was done to the world.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Performed {
    pub(crate) identity: String,
    pub(crate) ordinal: u32,
    pub(crate) began_before: Duration,
}

/// Stands in for a capability: it answers, and remembers what it was asked for.
struct Actor(&'static str, Arc<Mutex<Vec<Performed>>>);

#[async_trait]
impl Capability for Actor {
    fn name(&self) -> &'static str {
        self.0
    }

    async fn perform(&self, call: Call) -> Result<Json, CallError> {
        let done = Performed { identity: call.identity(), ordinal: call.id.ordinal, began_before: call.began_before };
        if call.function != Function::DockerInspect {
            self.1.lock().expect("nobody has panicked").push(done);
        }
        match call.function {
            Function::DockerPush => {
                let push: api::docker::Push = call.decode()?;
                let password =
                    push.credentials.map(|credentials| call.run.secrets.reveal(&credentials.password)).transpose()?;
                Ok(json!({ "reference": push.reference, "digest": "sha256:0", "pinned": password.unwrap_or_default() }))
            }
            Function::DockerRemove if &*call.args == GONE => Err(CallError::NotFound("no container `gone`".to_owned())),
            Function::ProcessRun => Ok(json!({ "code": 0, "stdout-tail": "made", "stderr-tail": "" })),
            Function::TimerSleep => {
                if &*call.args == TALK {
                    call.log.write(Stream::Stdout, b"what is waited for says this\n");
                }
                Ok(Json::Null)
            }
            Function::HttpSend => {
                Ok(json!({ "status": 201, "headers": [], "body": [], "url": "https://api.example/x" }))
            }
            _ => Ok(json!({ "id": call.identity() })),
        }
    }
}

struct NotNow;

#[async_trait]
impl Guard for NotNow {
    async fn veto(&self, _: &Call) -> Option<String> {
        Some("not now".to_owned())
    }
}

struct OneSecret(bool);

impl SecretStore for OneSecret {
    fn read(&self, name: &str) -> Result<String, String> {
        if self.0 { Ok(format!("value-of-{name}")) } else { Err(format!("there is no `{name}` any more")) }
    }
}

/// A run with one step, as the journal has it.
pub(crate) struct Story {
    folder: tempfile::TempDir,
    grants: String,
    max_calls: u64,
    guarded: bool,
    secrets: bool,
}

/// A process that works on the run.
pub(crate) struct Life {
    journal: tempfile::TempDir,
    /// Whether the journal is the story's own.
    own: Option<std::path::PathBuf>,
    gate: Arc<Gate>,
    grants: Arc<Grants>,
    recording: Option<(Recording, Mode)>,
    max_calls: u64,
    done: Arc<Mutex<Vec<Performed>>>,
}

/// What a process leaves.
pub(crate) struct Left {
    pub(crate) done: Vec<Performed>,
    pub(crate) records: Vec<Record>,
    pub(crate) recording: Recording,
    pub(crate) log: String,
    logs: Vec<(Stream, String)>,
}

impl Left {
    pub(crate) fn identities(&self) -> Vec<&str> {
        self.done.iter().map(|done| done.identity.as_str()).collect()
    }

    pub(crate) fn log_of(&self, stream: Stream) -> String {
        self.logs.iter().filter(|(of, _)| *of == stream).map(|(_, text)| text.as_str()).collect()
    }
}

impl Story {
    pub(crate) fn new(grants: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, grants: grants.to_owned(), max_calls: 100, guarded: false, secrets: true }
    }

    pub(crate) fn with_calls(self, max_calls: u64) -> Self {
        Self { max_calls, ..self }
    }

    pub(crate) fn granting(self, grants: &str) -> Self {
        Self { grants: grants.to_owned(), ..self }
    }

    pub(crate) fn guarded(self) -> Self {
        Self { guarded: true, ..self }
    }

    pub(crate) fn without_secrets(self) -> Self {
        Self { secrets: false, ..self }
    }

    /// The first process.
    pub(crate) fn begin(&self) -> Life {
        let writer = start(self.folder.path());
        writer.append(Record::StageStarted { stage: StageIndex(0), name: "build".into() });
        writer.append(Record::StepStarted { step: STEP, attempt: 1, stage: StageIndex(0), name: "image".into() });
        self.life(writer, Some(self.folder.path().to_owned()), None)
    }

    /// The next process.
    pub(crate) fn resume(&self) -> Life {
        self.resumed(None)
    }

    /// The next process, and what a person has said about the call in doubt.
    pub(crate) fn resume_told(&self, answer: InDoubtAnswer) -> Life {
        self.resumed(Some(answer))
    }

    fn resumed(&self, told: Option<InDoubtAnswer>) -> Life {
        let journal = Journal::open_or_create(self.folder.path()).expect("a journal");
        let writer = journal.resume_run(WriterOptions::default(), RUN_ID).expect("a writer");
        let mut recording = self.recording();
        if !recording.stages.contains_key(&StageIndex(0)) {
            writer.append(Record::StageStarted { stage: StageIndex(0), name: "build".into() });
        }
        if !recording.steps.contains_key(&STEP) {
            writer.append(Record::StepStarted { step: STEP, attempt: 1, stage: StageIndex(0), name: "image".into() });
        }
        if let Some(answer) = told {
            for question in self.questions() {
                writer.append(Record::InDoubtAnswered { call: question.call, answer, by: "tester".to_owned() });
                if let Some(answer) = recording.tell(&question, answer) {
                    writer.append(Record::CallEnded { call: question.call, answer });
                }
            }
        }
        self.life(writer, Some(self.folder.path().to_owned()), Some((recording, Mode::Resume)))
    }

    /// A process that writes a journal of its own, and plays this one.
    pub(crate) fn aside(&self, mode: Mode) -> Life {
        let folder = tempfile::tempdir().expect("a folder");
        let writer = start(folder.path());
        writer.append(Record::StageStarted { stage: StageIndex(0), name: "build".into() });
        writer.append(Record::StepStarted { step: STEP, attempt: 1, stage: StageIndex(0), name: "image".into() });
        let life = self.life(writer, None, Some((self.recording(), mode)));
        Life { journal: folder, ..life }
    }

    fn life(&self, writer: Writer, own: Option<std::path::PathBuf>, recording: Option<(Recording, Mode)>) -> Life {
        let journal = tempfile::tempdir().expect("a folder");
        let done = Arc::new(Mutex::new(Vec::new()));
        let run = RunContext {
            run: RUN_ID.to_owned(),
            pipeline: "p".to_owned(),
            workspace: self.folder.path().to_owned(),
            state: self.folder.path().join(".windlass"),
            env: BTreeMap::new(),
            secrets: Secrets::new(OneSecret(self.secrets)),
        };
        let mut gate = Gate::new(writer, run);
        for name in ["docker", "process", "http", "timer"] {
            gate = gate.with(Actor(name, Arc::clone(&done)));
        }
        if self.guarded {
            gate = gate.guarded_by(NotNow);
        }
        if let Some((recording, Mode::Resume)) = &recording {
            gate.resume(recording);
        }
        let grants = grants(&self.grants);
        Life { journal, own, gate: Arc::new(gate), grants, recording, max_calls: self.max_calls, done }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        records(self.folder.path())
    }

    pub(crate) fn recording(&self) -> Recording {
        recording(self.folder.path())
    }

    pub(crate) fn questions(&self) -> Vec<Question> {
        self.recording().questions(|_| false, |_| false)
    }

    pub(crate) fn log(&self) -> String {
        logs(self.folder.path()).into_iter().map(|(_, text)| text).collect()
    }

    pub(crate) fn log_of(&self, stream: Stream) -> String {
        logs(self.folder.path()).into_iter().filter(|(of, _)| *of == stream).map(|(_, text)| text).collect()
    }

    /// The story as it was before the last record of this kind.
    pub(crate) fn cut_before(self, last: impl Fn(&Record) -> bool) -> Self {
        let keep =
            self.records().iter().enumerate().filter(|(_, record)| last(record)).map(|(index, _)| index).next_back();
        self.first(keep.expect("there is such a record"))
    }

    /// The story as it was after the first record of this kind.
    pub(crate) fn cut_after(&self, last: impl Fn(&Record) -> bool) -> Self {
        let keep = self.records().iter().position(last).expect("there is such a record");
        self.first(keep + 1)
    }

    /// The story as it was after so many records.
    pub(crate) fn first(&self, keep: usize) -> Self {
        let story = Self {
            folder: tempfile::tempdir().expect("a folder"),
            grants: self.grants.clone(),
            max_calls: self.max_calls,
            guarded: self.guarded,
            secrets: self.secrets,
        };
        let writer = start(story.folder.path());
        let (reader, run) = open(self.folder.path());
        let kept = self.records().into_iter().take(keep).skip(1);
        for record in kept {
            match record {
                Record::Log { step, attempt, stream, offset, len } => {
                    let bytes = bytes(&reader, &run, offset, len);
                    writer.log(step, attempt, stream, &bytes, u64::MAX);
                }
                record => writer.append(record),
            }
        }
        story
    }
}

impl Life {
    pub(crate) fn session(&self) -> Session {
        self.made(false)
    }

    pub(crate) fn session_that_repeats(&self) -> Session {
        self.made(true)
    }

    fn made(&self, repeat_in_doubt: bool) -> Session {
        let asked = ["docker", "process", "http"].map(str::to_owned);
        let (stage, step, grants) = ("build".into(), "image".into(), Arc::clone(&self.grants));
        let authority = Authority::Step(Arc::new(StepAuthority { stage, step, grants, asked: asked.into() }));
        let playback = self.recording.as_ref().map(|(recording, mode)| {
            Playback::new(recording.steps.get(&STEP).map(|step| step.tape.clone()).unwrap_or_default(), *mode)
        });
        let (max_calls, max_log) = (self.max_calls, 1 << 20);
        let options =
            SessionOptions { step: STEP, attempt: 1, authority, max_calls, max_log, playback, repeat_in_doubt };
        Session::new(Arc::clone(&self.gate), options)
    }

    /// The end of the process; what it wrote is there. Its sessions are gone.
    pub(crate) fn killed(self) -> Left {
        let Self { journal, own, gate, done, .. } = self;
        assert_eq!(Arc::strong_count(&gate), 1, "a session is still there");
        drop(gate);
        let folder = own.unwrap_or_else(|| journal.path().to_owned());
        let logs = logs(&folder);
        let done = std::mem::take(&mut *done.lock().expect("nobody has panicked"));
        let log = logs.iter().map(|(_, text)| text.as_str()).collect();
        Left { done, records: records(&folder), recording: recording(&folder), log, logs }
    }
}

/// Makes a call.
pub(crate) async fn call(session: &mut Session, function: Function, args: &str) -> Json {
    let answer = session.call_json(function, args.to_owned()).await.expect("an answer");
    serde_json::from_str(&answer).expect("JSON")
}

fn start(folder: &Path) -> Writer {
    let started = RunStarted {
        run: RUN_ID.to_owned(),
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
    let journal = Journal::open_or_create(folder).expect("a journal");
    journal.start_run(WriterOptions::default(), started).expect("a writer")
}

fn open(folder: &Path) -> (Reader, RunSummary) {
    let reader = Journal::open(folder).expect("a reader");
    let run = reader.resolve(None).expect("the run");
    (reader, run)
}

fn records(folder: &Path) -> Vec<Record> {
    let (reader, run) = open(folder);
    reader.entries(&run, 0).expect("entries").map(|entry| entry.expect("an entry").record).collect()
}

fn recording(folder: &Path) -> Recording {
    let (reader, run) = open(folder);
    Recording::read(&reader, &run).expect("a recording")
}

fn logs(folder: &Path) -> Vec<(Stream, String)> {
    let (reader, run) = open(folder);
    let mut logs = Vec::new();
    for record in records(folder) {
        if let Record::Log { stream, offset, len, .. } = record {
            logs.push((stream, String::from_utf8(bytes(&reader, &run, offset, len)).expect("text")));
        }
    }
    logs
}

fn bytes(reader: &Reader, run: &RunSummary, offset: u64, len: u64) -> Vec<u8> {
    let bytes: LogBytes = reader.log_bytes(run, offset, len).expect("the log");
    bytes.bytes
}

fn grants(toml: &str) -> Arc<Grants> {
    let text = format!(
        "[pipeline]\nname = \"p\"\n[secrets]\ntoken = {{ env = \"TOKEN\" }}\n[stages.s]\n[[stages.s.steps]]\nname = \"t\"\nuses = \"./x.wasm\"\ngrants = {toml}\n"
    );
    let source = Source { name: "pipeline.toml".to_owned(), text };
    let pipeline = windlass_pipeline::parse(&source).unwrap_or_else(|errors| panic!("{errors}"));
    let description = Arc::new(Description {
        name: "x".to_owned(),
        version: "1.0.0".to_owned(),
        documentation: String::new(),
        with_schema: json!({}),
        capabilities: Vec::new(),
        outputs: Vec::new(),
    });
    let sources = pipeline.plugin_sources().into_iter();
    let descriptions = sources.map(|(source, _)| (source, Arc::clone(&description))).collect();
    let plan = windlass_pipeline::plan(&pipeline, &source, &Facts::default(), &descriptions)
        .unwrap_or_else(|errors| panic!("{errors}"));
    Arc::clone(&plan.steps[0].grants)
}
