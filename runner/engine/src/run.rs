//! A run from its plan to its exit code.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use windlass_gate::{Gate, Recording};
use windlass_journal::{Failure, FailureKind, Record, Status};
use windlass_pipeline::{Plan, PlanStep, WithSchema};
use windlass_sandbox::Plugin;

use crate::cleanup::CleanedUp;
use crate::inputs::InputStore;
use crate::outputs::Outputs;
use crate::stages::StagesEnd;
use crate::{cleanup, stages};

/// How to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// How many stages may run at a time.
    pub jobs: usize,
    /// Whether to leave containers, networks and volumes of a failed run for a person to look at.
    pub keep: bool,
    /// Whether to leave what a failed step wrote to its folders, too; it is published nowhere.
    pub keep_files: bool,
    /// Whether nothing new is started once a required stage has failed. What runs is let finish.
    pub fail_fast: bool,
    /// Whether the process stays when there is nothing to do but to wait for people to decide.
    pub wait: bool,
    /// How long a step without a timeout of its own may take.
    pub step_timeout: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            jobs: std::thread::available_parallelism().map_or(4, |cores| cores.get().max(4)),
            keep: false,
            keep_files: false,
            fail_fast: true,
            wait: true,
            step_timeout: Duration::from_secs(30 * 60),
        }
    }
}

/// Asks a run to end, and remembers who asked.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    token: CancellationToken,
    by: Arc<OnceLock<String>>,
}

impl Cancel {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to end: steps are stopped, and what the run made is cleaned up.
    pub fn cancel(&self, by: &str) {
        // Whoever asks first is the one to name.
        let _ = self.by.set(by.to_owned());
        self.token.cancel();
    }

    /// Whether somebody has asked.
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Resolves when somebody asks.
    pub(crate) async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    pub(crate) fn by(&self) -> &str {
        self.by.get().map_or("somebody", String::as_str)
    }
}

/// A run that is ready to begin: the journal has its first record, the gate its capabilities.
pub struct Run {
    /// What to do.
    pub plan: Arc<Plan>,
    /// The plugins, in the plan's order.
    pub plugins: Vec<Arc<Plugin>>,
    /// The way to the world.
    pub gate: Arc<Gate>,
    /// How to run.
    pub options: RunOptions,
    /// Where it begins.
    pub origin: Origin,
}

/// Where a run begins.
#[derive(Debug, Default)]
pub enum Origin {
    /// At its beginning.
    #[default]
    Fresh,
    /// Where the process that had it before has left it.
    Interrupted(Box<Recording>),
    /// At its beginning, and every call is answered from the record of another run: nothing is done.
    Offline(Box<Recording>),
}

impl Run {
    /// What was done by the process that had the run before, if this one goes on with it.
    pub(crate) fn before(&self) -> Option<&Recording> {
        match &self.origin {
            Origin::Interrupted(recording) => Some(recording),
            Origin::Fresh | Origin::Offline(_) => None,
        }
    }
}

/// The exit code for a run that waits for a person.
const ASKS: u8 = 5;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How it ended; nothing if it waits for people to decide, and goes on when it is resumed.
    pub status: Option<Status>,
    /// The exit code of the command.
    pub exit_code: u8,
    /// What failed first.
    pub failure: Option<Failure>,
    /// What could not be cleaned up, or was kept on purpose, in words.
    pub left_behind: Vec<String>,
    /// Whether the run is left as it is, because a person has to do or say something before it can go on.
    pub asks: bool,
}

/// What the tasks of a run share.
pub(crate) struct Shared {
    pub(crate) run: Run,
    pub(crate) outputs: Outputs,
    pub(crate) inputs: InputStore,
    /// By plugin: compiled when a step first has something to fill in.
    schemas: Vec<OnceLock<Result<WithSchema, String>>>,
    pub(crate) cancel: Cancel,
    /// The steps that wait for people are left as they are: a resume goes on with them.
    pub(crate) paused: CancellationToken,
    /// Set where it turned out that a person has to be asked before the run can go on.
    pub(crate) asks: CancellationToken,
    pub(crate) run_id: Arc<str>,
    pub(crate) pipeline: Arc<str>,
}

impl Shared {
    /// `state` is the folder where the inputs of steps are kept.
    pub(crate) fn new(run: Run, cancel: Cancel, state: &Path) -> Self {
        Self {
            inputs: InputStore::new(state),
            outputs: Outputs::new(run.plan.steps.len()),
            schemas: run.plugins.iter().map(|_| OnceLock::new()).collect(),
            run_id: run.gate.run().run.as_str().into(),
            pipeline: run.plan.name.as_str().into(),
            cancel,
            paused: CancellationToken::new(),
            asks: CancellationToken::new(),
            run,
        }
    }

    /// The host's variables that a step may see.
    pub(crate) fn granted_env(&self, step: &PlanStep) -> BTreeMap<String, String> {
        let rules: Vec<_> = step.grants.of("env", "read").collect();
        if rules.is_empty() {
            return BTreeMap::new();
        }
        let granted = |name: &str| rules.iter().any(|rule| rule.pattern.matches(name));
        let env = self.run.gate.run().env.iter();
        env.filter(|(name, _)| granted(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// How long a step may take.
    pub(crate) fn limit(&self, step: &PlanStep) -> Duration {
        step.timeout.unwrap_or(self.run.options.step_timeout)
    }

    /// Checks what `with` has become once its references are filled in.
    pub(crate) fn check_filled(&self, plugin: u32, with: &serde_json::Value) -> Result<(), String> {
        let schema = self.schemas[plugin as usize]
            .get_or_init(|| WithSchema::compile(self.run.plugins[plugin as usize].description()));
        let problems = schema.as_ref().map_err(Clone::clone)?.check(with);
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }
}

impl Run {
    /// Runs everything, cleans up, and ends the record.
    pub async fn execute(self, cancel: Cancel) -> Ended {
        if let Some(recording) = self.before() {
            self.gate.resume(recording);
        }
        let state = self.gate.run().state.clone();
        let shared = Arc::new(Shared::new(self, cancel, &state));
        shared.note_changed_env();
        tokio::select! {
            biased;
            () = shared.asks.cancelled() => ask(&shared).await,
            ended = to_its_end(&shared) => ended,
        }
    }
}

async fn to_its_end(shared: &Arc<Shared>) -> Ended {
    let StagesEnd { failure, timed_out, waiting } = stages::run(shared).await;
    if let Some(stages) = waiting {
        // What the run made stays: it is not over.
        return waits(shared, stages).await;
    }
    let cancelled = shared.cancel.is_cancelled() && !timed_out;
    let CleanedUp { left, uncommitted, unreachable } = cleanup::clean_up(shared, failure.is_some() || cancelled).await;
    if let Some(why) = unreachable {
        return stays_open(shared, &why, &left, failure).await;
    }
    let failure = failure.or_else(|| (!cancelled && !uncommitted.is_empty()).then(|| nobody_committed(&uncommitted)));
    end(shared, failure, cancelled, left).await
}

/// A deploy that no step has brought to its end.
fn nobody_committed(services: &[String]) -> Failure {
    Failure {
        kind: FailureKind::Failed,
        message: format!(
            "the deploy of {} was left open by the last step, so it was aborted: the previous revision serves",
            services.join(", ")
        ),
        hint: Some("a deploy with `commit = false` is ended by a later step with `action = \"commit\"`".to_owned()),
    }
}

/// Leaves everything as if the runner had been killed here: whoever resumes the run next is asked first.
async fn ask(shared: &Shared) -> Ended {
    // What is not durable now is done again.
    let _ = shared.run.gate.journal().flush().await;
    let failure = Failure {
        kind: FailureKind::Failed,
        message: "how a call ended that was under way when the runner died cannot be found out".to_owned(),
        hint: Some(format!("the run is as it was; this says what to find out: windlass resume {}", shared.run_id)),
    };
    Ended { status: None, exit_code: ASKS, failure: Some(failure), left_behind: Vec::new(), asks: true }
}

/// Leaves everything as if the runner had been killed here, for only this run can end the deploys that it has reserved
/// services for, and the router cannot be told.
async fn stays_open(shared: &Shared, why: &str, open: &[String], before: Option<Failure>) -> Ended {
    // What is not durable now is done again.
    let _ = shared.run.gate.journal().flush().await;
    let open = if open.is_empty() { "what the run deploys".to_owned() } else { open.join(", ") };
    let before = before.map(|failure| format!("{}\n", failure.message)).unwrap_or_default();
    let run = &shared.run_id;
    let failure = Failure {
        kind: FailureKind::Unavailable,
        message: format!("{before}{open} could not be ended, so the run is not over: {why}"),
        hint: Some(format!("when the router is back, this ends it: windlass resume {run}")),
    };
    let exit_code = exit_code(Status::Failed, Some(&failure));
    Ended { status: None, exit_code, failure: Some(failure), left_behind: Vec::new(), asks: true }
}

/// Leaves the run open, for a resume.
async fn waits(shared: &Shared, stages: Vec<Arc<str>>) -> Ended {
    let closed = shared.run.gate.journal().close(Record::RunWaiting { stages }).await;
    let failure = closed.err().map(|error| Failure {
        kind: FailureKind::Host,
        message: format!("that the run waits could not be recorded: {error}"),
        hint: None,
    });
    let exit_code = if failure.is_some() { exit_code(Status::Failed, failure.as_ref()) } else { ASKS };
    Ended { status: None, exit_code, failure, left_behind: Vec::new(), asks: false }
}

async fn end(shared: &Shared, mut failure: Option<Failure>, cancelled: bool, left_behind: Vec<String>) -> Ended {
    let journal = shared.run.gate.journal();
    if let Some(error) = journal.failed() {
        failure = Some(Failure {
            kind: FailureKind::Host,
            message: format!("the journal cannot be written: {error}"),
            hint: None,
        });
    }
    let status = match (&failure, cancelled) {
        (_, true) => Status::Cancelled,
        (Some(_), false) => Status::Failed,
        (None, false) => Status::Succeeded,
    };
    let exit_code = exit_code(status, failure.as_ref());
    if let Err(error) = journal.close(Record::RunEnded { status, exit_code }).await
        && failure.is_none()
    {
        let failure = Failure {
            kind: FailureKind::Host,
            message: format!("the end of the run could not be recorded: {error}"),
            hint: None,
        };
        return Ended { status: Some(Status::Failed), exit_code: 1, failure: Some(failure), left_behind, asks: false };
    }
    Ended { status: Some(status), exit_code, failure, left_behind, asks: false }
}

/// The exit codes are documented; this is the one place that gives them for runs.
fn exit_code(status: Status, failure: Option<&Failure>) -> u8 {
    match (status, failure.map(|failure| failure.kind)) {
        (Status::Cancelled, _) => 130,
        (Status::Succeeded, _) => 0,
        (_, Some(FailureKind::Denied)) => 3,
        (_, Some(FailureKind::Unavailable | FailureKind::Host)) => 4,
        _ => 1,
    }
}
