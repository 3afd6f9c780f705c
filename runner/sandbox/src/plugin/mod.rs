//! A loaded plugin: what it says of itself, and how one step of it runs.

mod check;
mod command;
mod end;
mod granted;
mod step;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder};
use windlass_gate::Session;
use windlass_journal::{Failure, FailureKind};
use windlass_pipeline::Description;

use crate::cache::Cache;
use crate::clocks::Clock;
use crate::contract::PluginPre;
use crate::error::SandboxError;
use crate::files::Files;
use crate::identity::Identity;
use crate::imports;
use crate::limits::{Limiter, Limits};
use crate::state::State;
use crate::stdio::{Output, Tail};

/// Limits of what runs without a step: it only has to say something.
const DESCRIBE: Limits =
    Limits { memory: 256 << 20, fuel: 10_000_000_000, calls: 0, table_elements: 100_000, log: 0, outputs: 0 };
const DESCRIBE_TIME: Duration = Duration::from_secs(10);
/// The most bytes that cross from a plugin to the host in one call.
const MAX_CALL: usize = 32 << 20;
/// The most resources (open files, streams, timers) that a plugin may hold.
const MAX_RESOURCES: usize = 1_000;

/// A plugin, or a program that knows nothing of Windlass, ready to run.
pub struct Plugin {
    name: String,
    digest: String,
    identity: Identity,
    pre: Pre,
    description: Arc<Description>,
    asked: Arc<[String]>,
    /// The export that says what makes no sense in a step.
    checking: Option<String>,
}

/// What is instantiated for each step.
pub(crate) enum Pre {
    /// A plugin.
    Step(PluginPre<State>),
    /// A program.
    Command(CommandPre<State>),
}

impl Pre {
    fn engine(&self) -> &Engine {
        match self {
            Self::Step(pre) => pre.engine(),
            Self::Command(pre) => pre.engine(),
        }
    }
}

/// One step to run.
#[derive(Debug)]
pub struct Job {
    /// `with`, filled in, as JSON text.
    pub with: String,
    /// The pipeline's name.
    pub pipeline: Arc<str>,
    /// The stage's name.
    pub stage: Arc<str>,
    /// The step's name.
    pub step: Arc<str>,
    /// The run's id.
    pub run: Arc<str>,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Environment variables, granted ones included.
    pub env: Vec<(String, String)>,
    /// Folders that it may see.
    pub folders: Vec<Folder>,
    /// What it may use up.
    pub limits: Limits,
}

/// A folder that a step may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Where it is.
    pub host: PathBuf,
    /// What the plugin knows it as.
    pub guest: String,
    /// Whether it may write to it.
    pub writable: bool,
}

/// What a step gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What it did, in a line.
    pub summary: String,
    /// Values for later steps.
    pub outputs: Vec<(String, Json)>,
}

/// What is known of a step before anything runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// `with` as JSON text, with references where a value is not known yet.
    pub with: String,
    /// These places, as JSON pointers.
    pub unknown: Vec<String>,
    /// The verbs that the step has a grant for, as `traffic.route`.
    pub granted: Vec<String>,
}

/// Why a step cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// What, and why.
    pub message: String,
    /// What to do instead.
    pub hint: Option<String>,
}

/// A step that has run.
pub struct Ran {
    /// Its session, for what the host still does on its behalf.
    pub session: Session,
    /// How it ended.
    pub result: Result<Outcome, Failure>,
}

impl Plugin {
    /// Asks it what it is, or remembers what it said.
    pub(crate) async fn load(
        name: String,
        digest: String,
        pre: Pre,
        exports: &[String],
        imports: &[String],
        cache: &Cache,
    ) -> Result<Self, SandboxError> {
        let identity = Identity::of(&name, &digest);
        let description = match &pre {
            Pre::Step(pre) => step::describe(pre, &identity, cache).await?,
            Pre::Command(_) => command::describe(&name, imports),
        };
        let identity = identity.versioned(&description.version);
        let asked = description.capabilities.iter().map(|used| used.capability.clone()).collect();
        let checking = imports::checking(exports).cloned();
        Ok(Self { name, digest, identity, pre, description: Arc::new(description), asked, checking })
    }

    /// As `pipeline.toml` names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `sha256:...` of its bytes.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Name, version and digest, for messages.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What it says of itself.
    pub fn description(&self) -> &Arc<Description> {
        &self.description
    }

    /// The capabilities that it asks for.
    pub fn asked(&self) -> &Arc<[String]> {
        &self.asked
    }

    /// What makes no sense in a step, as the plugin says before anything runs. Most plugins have nothing to say.
    ///
    /// # Errors
    /// If it cannot say.
    pub async fn check(&self, planned: &Planned) -> Result<Vec<Objection>, SandboxError> {
        match (&self.pre, &self.checking) {
            (Pre::Step(pre), Some(export)) => check::ask(pre, &self.identity, export, planned).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Whether it says something of steps before they run.
    pub fn checks(&self) -> bool {
        self.checking.is_some()
    }

    /// Starts it and lets it go, and says how long the start took.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn starts_in(&self) -> Result<Duration, SandboxError> {
        let failed = |reason: String| SandboxError::Start { plugin: self.identity.clone(), reason };
        let began = Instant::now();
        let (mut store, said) = unattended(self.pre.engine());
        let started = async {
            store.set_fuel(DESCRIBE.fuel)?;
            match &self.pre {
                Pre::Step(pre) => pre.instantiate_async(&mut store).await.map(drop),
                Pre::Command(pre) => pre.instantiate_async(&mut store).await.map(drop),
            }
        };
        match tokio::time::timeout(DESCRIBE_TIME, started).await {
            Ok(Ok(())) => Ok(began.elapsed()),
            Ok(Err(error)) => Err(failed(end::unanswered(&error, store.data(), &said))),
            Err(_) => Err(failed(format!("it took more than {} s", DESCRIBE_TIME.as_secs()))),
        }
    }

    /// Runs one step.
    pub async fn run(&self, session: Session, job: Job) -> Ran {
        let (session, result) = match &self.pre {
            Pre::Step(pre) => step::run(self, pre, session, job).await,
            Pre::Command(pre) => command::run(self, pre, session, job).await,
        };
        session.log().finish();
        Ran { session, result }
    }
}

/// The store of one instance.
fn store(engine: &Engine, session: Option<Session>, wasi: WasiCtx, limits: &Limits) -> Store<State> {
    let mut table = ResourceTable::new();
    table.set_max_capacity(MAX_RESOURCES);
    let state = State {
        session,
        wasi,
        table,
        limiter: Limiter::new(limits),
        random: None,
        clock: Clock::new(),
        files: Files::default(),
        interrupt: None,
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.limiter);
    store.epoch_deadline_async_yield_and_update(1);
    store.set_epoch_deadline(1);
    store.set_hostcall_fuel(MAX_CALL);
    store
}

/// The store of an instance that runs for no step, and what it writes to its standard error.
fn unattended(engine: &Engine) -> (Store<State>, Tail) {
    let said = Tail::default();
    let wasi = WasiCtx::builder().stderr(Output::unlogged(&said)).build();
    (store(engine, None, wasi, &DESCRIBE), said)
}

/// The session that went into the store.
fn back(store: Store<State>) -> Session {
    let Some(session) = store.into_data().session else { unreachable!("a step's store has its session") };
    session
}

/// What a step sees of the world by WASI, but for its standard streams. `named` says what it knows a folder as.
fn wasi(job: &Job, named: impl Fn(&str) -> String) -> Result<WasiCtxBuilder, Failure> {
    let mut builder = WasiCtx::builder();
    builder.envs(&job.env).allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
    for folder in &job.folders {
        let perms = if folder.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        builder.preopened_dir(&folder.host, named(&folder.guest), perms).map_err(|error| Failure {
            kind: FailureKind::Failed,
            message: format!("the granted folder `{}` cannot be opened: {error:#}", folder.guest),
            hint: Some("make the folder, or take it out of `grants.files` of the step".to_owned()),
        })?;
    }
    Ok(builder)
}
