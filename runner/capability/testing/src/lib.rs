//! A world for the tests of capabilities: a real gate, journal and workspace in a folder that goes away.
//!
//! The grants of a step come from the text of a `pipeline.toml`, so a test says what a person would
//! write. Anything that goes wrong here ends the test.

#![expect(
    clippy::panic,
    clippy::disallowed_methods,
    reason = "this crate is a part of tests: it fails by panicking, and makes the folders that a test needs"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use windlass_gate::{
    Authority, CallError, Gate, RunContext, SecretStore, Secrets, Session, SessionOptions, StepAuthority, Stop,
};
use windlass_journal::{Entry, Journal, Record, RunStarted, StepIndex, Stream, WriterOptions};
use windlass_pipeline::{Description, Facts, Grants, PluginSource, Source};

/// The id of the run in every world.
pub const RUN: &str = "0123456789";

/// What a world is made of, besides its capabilities.
#[derive(Debug, Default)]
pub struct Setup {
    /// Secrets with their values.
    pub secrets: &'static [(&'static str, &'static str)],
    /// The host's environment variables that grants may let through.
    pub env: &'static [(&'static str, &'static str)],
}

/// A run with its workspace, journal and gate.
pub struct World {
    folder: tempfile::TempDir,
    workspace: PathBuf,
    gate: Arc<Gate>,
    secrets: &'static [(&'static str, &'static str)],
}

struct Given(&'static [(&'static str, &'static str)]);

impl SecretStore for Given {
    fn read(&self, name: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(given, _)| *given == name);
        found.map(|(_, value)| (*value).to_owned()).ok_or_else(|| format!("there is no secret `{name}`"))
    }
}

impl World {
    /// A world with what `behind` puts behind the gate.
    pub fn new(behind: impl FnOnce(Gate) -> Gate) -> Self {
        Self::with(&Setup::default(), behind)
    }

    /// A world with secrets and variables.
    pub fn with(setup: &Setup, behind: impl FnOnce(Gate) -> Gate) -> Self {
        let folder = must(tempfile::tempdir());
        let root = must(folder.path().canonicalize());
        let workspace = root.join("workspace");
        let state = workspace.join(".windlass");
        must(std::fs::create_dir_all(&state));
        let started = RunStarted {
            run: RUN.to_owned(),
            pipeline: "shop".to_owned(),
            file: "pipeline.toml".to_owned(),
            workspace: workspace.display().to_string(),
            source: "".into(),
            facts: BTreeMap::new(),
            plugins: Vec::new(),
            versions: BTreeMap::new(),
            stages: 1,
            steps: 1,
            flags: Default::default(),
        };
        let writer = must(must(Journal::open_or_create(&state)).start_run(WriterOptions::default(), started));
        let run = RunContext {
            run: RUN.to_owned(),
            pipeline: "shop".to_owned(),
            workspace: workspace.clone(),
            state,
            env: setup.env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            secrets: Secrets::new(Given(setup.secrets)),
        };
        let gate = Arc::new(behind(Gate::new(writer, run)));
        Self { folder, workspace, gate, secrets: setup.secrets }
    }

    /// The folder that relative paths refer to.
    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// A folder outside of the workspace, for whatever a test needs.
    pub fn outside(&self) -> &Path {
        self.folder.path()
    }

    /// The gate of the run.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// A session of a step whose plugin asks for these capabilities, and whose `grants` are this
    /// TOML table, as `{ http = ["GET http://127.0.0.1:*/**"] }`.
    pub fn step(&self, asked: &[&str], grants: &str) -> Session {
        let authority = StepAuthority {
            stage: "release".into(),
            environment: None,
            step: "notify".into(),
            grants: self.grants(grants),
            asked: asked.iter().map(|asked| (*asked).to_owned()).collect(),
        };
        self.session(StepIndex(0), Authority::Step(Arc::new(authority)))
    }

    /// A session of the host itself.
    pub fn host(&self) -> Session {
        self.session(StepIndex::HOST, Authority::Host)
    }

    fn session(&self, step: StepIndex, authority: Authority) -> Session {
        let options = SessionOptions {
            step,
            attempt: 1,
            authority,
            max_calls: 1000,
            max_log: 4 << 20,
            playback: None,
            repeat_in_doubt: false,
        };
        Session::new(Arc::clone(&self.gate), options)
    }

    fn grants(&self, grants: &str) -> Arc<Grants> {
        let secrets: String =
            self.secrets.iter().map(|(name, _)| format!("{name} = {{ env = \"UNUSED\" }}\n")).collect();
        let text = format!(
            "[pipeline]\nname = \"shop\"\n[secrets]\n{secrets}[stages.release]\n\
             [[stages.release.steps]]\nname = \"notify\"\nuses = \"./x.wasm\"\n\
             grants = {grants}\n"
        );
        let source = Source { name: "pipeline.toml".to_owned(), text };
        let pipeline = windlass_pipeline::parse(&source).unwrap_or_else(|errors| panic!("{errors}"));
        let description = Arc::new(Description {
            name: "x".to_owned(),
            version: "1.0.0".to_owned(),
            documentation: String::new(),
            with_schema: serde_json::json!({}),
            capabilities: Vec::new(),
            outputs: Vec::new(),
        });
        let described: BTreeMap<PluginSource, _> =
            pipeline.plugin_sources().into_iter().map(|(source, _)| (source, Arc::clone(&description))).collect();
        let plan = windlass_pipeline::plan(&pipeline, &source, &Facts::default(), &described)
            .unwrap_or_else(|errors| panic!("{errors}"));
        Arc::clone(&plan.steps[0].grants)
    }

    /// What is in the journal so far.
    pub async fn entries(&self) -> Vec<Entry> {
        must(self.gate.journal().flush().await);
        let reader = must(Journal::open(&self.workspace.join(".windlass")));
        let run = must(reader.resolve(Some(RUN)));
        must(reader.entries(&run, 0)).map(must).collect()
    }

    /// The calls in the journal, by name and in their order.
    pub async fn calls(&self) -> Vec<String> {
        let name = |entry: Entry| match entry.record {
            Record::CallStarted { function, .. } | Record::CallRecorded { function, .. } => Some(function.to_string()),
            _ => None,
        };
        self.entries().await.into_iter().filter_map(name).collect()
    }

    /// What was written to a stream of the log.
    pub async fn log(&self, wanted: Stream) -> String {
        let entries = self.entries().await;
        let reader = must(Journal::open(&self.workspace.join(".windlass")));
        let run = must(reader.resolve(Some(RUN)));
        let mut text = Vec::new();
        for entry in entries {
            if let Record::Log { stream, offset, len, .. } = entry.record
                && stream == wanted
            {
                text.extend(must(reader.log_bytes(&run, offset, len)).bytes);
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// The error that a call answered with.
pub fn error<T: std::fmt::Debug>(answer: Result<T, Stop>) -> CallError {
    match answer {
        Err(Stop::Error(error)) => error,
        other => panic!("expected an error of the call, got {other:?}"),
    }
}

/// Holds that the call was denied in words that a person can act on, these among them.
pub fn denied<T: std::fmt::Debug>(answer: Result<T, Stop>, words: &[&str]) {
    let CallError::Denied(message) = error(answer) else { panic!("the call failed, but it was not denied") };
    for word in words {
        assert!(message.contains(word), "no {word:?} in: {message}");
    }
}

fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}
