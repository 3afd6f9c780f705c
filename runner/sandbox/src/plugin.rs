//! A loaded plugin: what it says of itself, and how one step of it runs.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use wasmtime::component::ResourceTable;
use wasmtime::{Store, Trap};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx};
use windlass_gate::{Interrupt, Session};
use windlass_journal::{Failure, FailureKind, Stream};
use windlass_pipeline::{CapabilityUse, Description, OutputKind, OutputSpec};

use crate::cache::Cache;
use crate::clocks::Clock;
use crate::contract::PluginPre;
use crate::contract::exports::windlass::step::step;
use crate::error::SandboxError;
use crate::files::Files;
use crate::limits::{Limiter, Limits};
use crate::state::State;
use crate::stdio::ToLog;

/// Limits of `describe`: it only has to say something.
const DESCRIBE: Limits =
    Limits { memory: 256 << 20, fuel: 10_000_000_000, calls: 0, table_elements: 100_000, log: 0, outputs: 0 };
const DESCRIBE_TIME: Duration = Duration::from_secs(10);
/// The most bytes that cross from a plugin to the host in one call.
const MAX_CALL: usize = 32 << 20;

/// A plugin, ready to run.
pub struct Plugin {
    name: String,
    digest: String,
    pre: PluginPre<State>,
    description: Arc<Description>,
    asked: Arc<[String]>,
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

/// A step that has run.
pub struct Ran {
    /// Its session, for what the host still does on its behalf.
    pub session: Session,
    /// How it ended.
    pub result: Result<Outcome, Failure>,
}

impl Plugin {
    pub(crate) fn new(name: String, digest: String, pre: PluginPre<State>) -> Self {
        let nothing = Description {
            name: String::new(),
            version: String::new(),
            documentation: String::new(),
            with_schema: Json::Null,
            capabilities: Vec::new(),
            outputs: Vec::new(),
        };
        Self { name, digest, pre, description: Arc::new(nothing), asked: Arc::new([]) }
    }

    /// As `pipeline.toml` names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `sha256:...` of its bytes.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it says of itself.
    pub fn description(&self) -> &Arc<Description> {
        &self.description
    }

    /// The capabilities that it asks for.
    pub fn asked(&self) -> &Arc<[String]> {
        &self.asked
    }

    /// Asks it what it is, or remembers what it said.
    pub(crate) async fn describe(&mut self, cache: &Cache) -> Result<(), SandboxError> {
        let path = cache.description(&self.digest);
        let known = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Description>(&bytes).ok());
        let description = match known {
            Some(description) => description,
            None => {
                let failed = |reason: String| SandboxError::Describe { plugin: self.name.clone(), reason };
                let description = self.ask().await.map_err(failed)?;
                let text = serde_json::to_vec(&description).map_err(|error| failed(error.to_string()))?;
                cache.store(&path, &text)?;
                description
            }
        };
        self.asked = description.capabilities.iter().map(|used| used.capability.clone()).collect();
        self.description = Arc::new(description);
        Ok(())
    }

    async fn ask(&self) -> Result<Description, String> {
        let mut store = self.store(None, WasiCtx::builder().build(), &DESCRIBE);
        let asked = async {
            store.set_fuel(DESCRIBE.fuel)?;
            let plugin = self.pre.instantiate_async(&mut store).await?;
            plugin.windlass_step_step().call_describe(&mut store).await
        };
        let answer = tokio::time::timeout(DESCRIBE_TIME, asked).await;
        let said = match answer {
            Ok(Ok(said)) => said,
            Ok(Err(error)) => return Err(why(&error, store.data(), &DESCRIBE).message),
            Err(_) => return Err(format!("`describe` took more than {} s", DESCRIBE_TIME.as_secs())),
        };
        description(said)
    }

    /// Runs one step.
    pub async fn run(&self, session: Session, job: Job) -> Ran {
        let limits = job.limits;
        let wasi = match wasi(&session, &job) {
            Ok(wasi) => wasi,
            Err(failure) => return Ran { session, result: Err(failure) },
        };
        let mut store = self.store(Some(session), wasi, &limits);
        let input = step::Input {
            with: job.with,
            pipeline: job.pipeline.to_string(),
            stage: job.stage.to_string(),
            step: job.step.to_string(),
            run: job.run.to_string(),
            attempt: job.attempt,
        };
        let called = async {
            store.set_fuel(limits.fuel)?;
            let plugin = self.pre.instantiate_async(&mut store).await?;
            plugin.windlass_step_step().call_run(&mut store, &input).await
        }
        .await;
        let result = match called {
            Ok(Ok(outcome)) => self.outcome(outcome, &limits),
            Ok(Err(failure)) => Err(self.failure(failure, store.data())),
            Err(error) => Err(self.broken(&error, store.data(), &limits)),
        };
        let Some(session) = store.into_data().session else { unreachable!("the session went in above") };
        session.log().finish();
        Ran { session, result }
    }

    fn store(&self, session: Option<Session>, wasi: WasiCtx, limits: &Limits) -> Store<State> {
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
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_async_yield_and_update(1);
        store.set_epoch_deadline(1);
        store.set_hostcall_fuel(MAX_CALL);
        store
    }

    fn outcome(&self, outcome: step::Outcome, limits: &Limits) -> Result<Outcome, Failure> {
        let plugin = |message: String| Failure { kind: FailureKind::Plugin, message, hint: None };
        let size: u64 = outcome.outputs.iter().map(|output| (output.name.len() + output.value.len()) as u64).sum();
        if size > limits.outputs {
            return Err(Failure {
                kind: FailureKind::Plugin,
                message: format!(
                    "plugin `{}` returned outputs of {size} bytes, and the limit is {}",
                    self.name, limits.outputs
                ),
                hint: Some("pass large content on as an artifact, or raise `limits.outputs` of the step".to_owned()),
            });
        }
        let mut outputs = Vec::with_capacity(outcome.outputs.len());
        for output in outcome.outputs {
            let Some(spec) = self.description.output(&output.name) else {
                return Err(plugin(format!(
                    "plugin `{}` returned the output `{}`, which its description does not have",
                    self.name, output.name
                )));
            };
            let value: Json = serde_json::from_str(&output.value).map_err(|error| {
                plugin(format!("output `{}` of plugin `{}` is not JSON: {error}", output.name, self.name))
            })?;
            if !spec.kind.admits(&value) {
                return Err(plugin(format!(
                    "output `{}` of plugin `{}` is declared as {} and is something else: {value}",
                    output.name, self.name, spec.kind
                )));
            }
            outputs.push((output.name, value));
        }
        Ok(Outcome { summary: outcome.summary, outputs })
    }

    /// A failure in the plugin's own words. Who has to act is told from what its calls answered,
    /// so that a plugin cannot pass a denial off as something else.
    fn failure(&self, failure: step::Failure, state: &State) -> Failure {
        let kind = state.session.as_ref().map_or(FailureKind::Failed, |session| session.failure_kind(&failure.message));
        Failure { kind, message: failure.message, hint: failure.hint }
    }

    fn broken(&self, error: &wasmtime::Error, state: &State, limits: &Limits) -> Failure {
        // Where the host ended it, the plugin's own place says nothing.
        if let (Some(session), Some(backtrace), None) =
            (&state.session, error.downcast_ref::<wasmtime::WasmBacktrace>(), &state.interrupt)
        {
            session.log().line(Stream::Log, &backtrace.to_string());
        }
        let mut failure = why(error, state, limits);
        failure.message = format!(
            "plugin `{}` {} ({}): {}",
            self.name,
            self.description.version,
            short(&self.digest),
            failure.message
        );
        failure
    }
}

/// The most resources (open files, streams, timers) that a plugin may hold.
const MAX_RESOURCES: usize = 1_000;

fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}

/// Why an instance ended without an answer.
fn why(error: &wasmtime::Error, state: &State, limits: &Limits) -> Failure {
    let plugin = |message: String, hint: Option<&str>| Failure {
        kind: FailureKind::Plugin,
        message,
        hint: hint.map(str::to_owned),
    };
    match &state.interrupt {
        Some(interrupt @ Interrupt::Journal(_)) => {
            return Failure { kind: FailureKind::Host, message: interrupt.to_string(), hint: None };
        }
        Some(interrupt @ (Interrupt::Diverged(_) | Interrupt::RecordEnded(_))) => {
            return Failure { kind: FailureKind::Failed, message: interrupt.to_string(), hint: None };
        }
        Some(interrupt) => return plugin(interrupt.to_string(), None),
        None => {}
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return plugin(format!("it ended itself with exit code {} instead of returning", exit.0), None);
    }
    if state.limiter.refused_memory {
        return plugin(
            format!("it ran out of memory: the limit is {} MiB", limits.memory >> 20),
            Some("raise `limits.memory` of the step if it really needs more"),
        );
    }
    if state.limiter.refused_table {
        return plugin(
            format!("a table grew over the limit of {} elements", limits.table_elements),
            Some("raise `limits.table` of the step if it really needs more"),
        );
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => plugin(
            format!("it computed for too long: its {} units of fuel are used up", limits.fuel),
            Some("raise `limits.fuel` of the step if it is not in an endless loop"),
        ),
        Some(Trap::StackOverflow) => plugin("its stack overflowed; it recurses too deep".to_owned(), None),
        // Compiled languages keep a stack of their own in memory, and overflow it first.
        Some(Trap::MemoryOutOfBounds) if recursed(error) => {
            plugin("its stack overflowed; it recurses too deep".to_owned(), None)
        }
        Some(Trap::UnreachableCodeReached) => {
            plugin("it panicked or aborted; its log has what it said".to_owned(), None)
        }
        Some(trap) => plugin(format!("it trapped: {trap}"), None),
        None => plugin(format!("{error:#}"), None),
    }
}

/// Whether the innermost frames are all of one function.
fn recursed(error: &wasmtime::Error) -> bool {
    let Some(backtrace) = error.downcast_ref::<wasmtime::WasmBacktrace>() else { return false };
    let mut functions = backtrace.frames().iter().map(wasmtime::FrameInfo::func_index);
    let first = functions.next();
    backtrace.frames().len() > 10 && functions.take(10).all(|function| Some(function) == first)
}

fn wasi(session: &Session, job: &Job) -> Result<WasiCtx, Failure> {
    let mut builder = WasiCtx::builder();
    builder
        .stdout(ToLog { log: session.log().clone(), stream: Stream::Stdout })
        .stderr(ToLog { log: session.log().clone(), stream: Stream::Stderr })
        .envs(&job.env)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    for folder in &job.folders {
        let perms = if folder.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        builder.preopened_dir(&folder.host, &folder.guest, perms).map_err(|error| Failure {
            kind: FailureKind::Failed,
            message: format!("the granted folder `{}` cannot be opened: {error:#}", folder.guest),
            hint: Some("make the folder, or take it out of `grants.files` of the step".to_owned()),
        })?;
    }
    Ok(builder.build())
}

fn description(said: step::Description) -> Result<Description, String> {
    let with_schema = if said.with_schema.trim().is_empty() {
        serde_json::json!({})
    } else {
        serde_json::from_str(&said.with_schema).map_err(|error| format!("its schema of `with` is not JSON: {error}"))?
    };
    let capabilities = said
        .capabilities
        .into_iter()
        .map(|used| CapabilityUse { capability: used.name, required: used.required, reason: used.reason })
        .collect();
    let outputs = said
        .outputs
        .into_iter()
        .map(|output| OutputSpec { name: output.name, kind: kind(output.type_), documentation: output.documentation })
        .collect();
    Ok(Description {
        name: said.name,
        version: said.version,
        documentation: said.documentation,
        with_schema,
        capabilities,
        outputs,
    })
}

fn kind(ty: step::OutputType) -> OutputKind {
    match ty {
        step::OutputType::String => OutputKind::String,
        step::OutputType::Number => OutputKind::Number,
        step::OutputType::Bool => OutputKind::Bool,
        step::OutputType::List => OutputKind::List,
        step::OutputType::Object => OutputKind::Object,
    }
}
