//! Stages in parallel as the graph allows, in a stable order, a bounded number at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use windlass_gate::Gate;
use windlass_journal::{Failure, FailureKind, Record, StageIndex, Status, StepIndex};
use windlass_pipeline::{Plan, PlanStage, WithSchema};
use windlass_sandbox::Plugin;

use crate::cleanup;
use crate::outputs::Outputs;
use crate::step::{self, StepEnd};

/// How to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// How many stages may run at a time.
    pub jobs: usize,
    /// Whether to leave containers, networks and volumes of a failed run for a person to look at.
    pub keep: bool,
    /// Whether nothing new is started once a required stage has failed. What runs is let finish.
    pub fail_fast: bool,
    /// How long a step without a timeout of its own may take.
    pub step_timeout: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            jobs: std::thread::available_parallelism().map_or(4, |cores| cores.get().max(4)),
            keep: false,
            fail_fast: true,
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

    fn by(&self) -> &str {
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
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub status: Status,
    /// The exit code of the command.
    pub exit_code: u8,
    /// What failed first.
    pub failure: Option<Failure>,
    /// What could not be cleaned up, or was kept on purpose, in words.
    pub left_behind: Vec<String>,
}

/// What the tasks of a run share.
pub(crate) struct Shared {
    pub(crate) run: Run,
    pub(crate) outputs: Outputs,
    /// By plugin: compiled when a step first has something to fill in.
    schemas: Vec<OnceLock<Result<WithSchema, String>>>,
    pub(crate) cancel: Cancel,
    pub(crate) run_id: Arc<str>,
    pub(crate) pipeline: Arc<str>,
}

impl Shared {
    /// Checks what `with` has become once its references are filled in.
    pub(crate) fn check_filled(&self, plugin: u32, with: &serde_json::Value) -> Result<(), String> {
        let schema = self.schemas[plugin as usize]
            .get_or_init(|| WithSchema::compile(self.run.plugins[plugin as usize].description()));
        let problems = schema.as_ref().map_err(Clone::clone)?.check(with);
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }
}

struct StageEnd {
    index: u32,
    status: Status,
    failure: Option<Failure>,
}

impl Run {
    /// Runs everything, cleans up, and ends the record.
    pub async fn execute(self, cancel: Cancel) -> Ended {
        let shared = Arc::new(Shared {
            outputs: Outputs::new(self.plan.steps.len()),
            schemas: self.plugins.iter().map(|_| OnceLock::new()).collect(),
            run_id: self.gate.run().run.as_str().into(),
            pipeline: self.plan.name.as_str().into(),
            cancel,
            run: self,
        });
        let (failure, timed_out) = stages(&shared).await;
        let cancelled = shared.cancel.is_cancelled() && !timed_out;
        let left_behind = cleanup::clean_up(&shared, failure.is_some() || cancelled).await;
        end(&shared, failure, cancelled, left_behind).await
    }
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
        return Ended { status: Status::Failed, exit_code: 1, failure: Some(failure), left_behind };
    }
    Ended { status, exit_code, failure, left_behind }
}

/// The exit codes are documented; this is the one place that gives them for runs.
fn exit_code(status: Status, failure: Option<&Failure>) -> u8 {
    match (status, failure.map(|failure| failure.kind)) {
        (Status::Cancelled, _) => 130,
        (Status::Succeeded, _) => 0,
        (_, Some(FailureKind::Denied)) => 3,
        (_, Some(FailureKind::Unavailable)) => 4,
        _ => 1,
    }
}

/// Runs the stages. Says what failed first, if a required one did, and whether the run's own time limit passed.
async fn stages(shared: &Arc<Shared>) -> (Option<Failure>, bool) {
    let plan = &shared.run.plan;
    let journal = shared.run.gate.journal();
    let jobs = shared.run.options.jobs.min(plan.jobs.map_or(usize::MAX, |jobs| jobs as usize)).max(1);
    let mut missing: Vec<u32> =
        plan.stages.iter().map(|stage| u32::try_from(stage.needs.len()).unwrap_or(u32::MAX)).collect();
    // The plan's order is a topological one: the smallest ready index first keeps to it.
    let mut ready: BinaryHeap<Reverse<u32>> =
        (0..).zip(&missing).filter(|(_, missing)| **missing == 0).map(|(index, _)| Reverse(index)).collect();
    let mut begun = vec![false; plan.stages.len()];
    let mut running: JoinSet<StageEnd> = JoinSet::new();
    let mut failure: Option<Failure> = None;
    let mut noted_cancel = false;
    let mut timed_out = false;
    let deadline = plan.timeout.and_then(|limit| tokio::time::Instant::now().checked_add(limit));
    loop {
        let failed = failure.is_some() && shared.run.options.fail_fast;
        let stopping = failed || shared.cancel.is_cancelled() || journal.failed().is_some();
        while !stopping && running.len() < jobs {
            let Some(Reverse(index)) = ready.pop() else { break };
            begun[index as usize] = true;
            running.spawn(stage(Arc::clone(shared), index));
        }
        let ended = tokio::select! {
            biased;
            () = shared.cancel.cancelled(), if !noted_cancel => {
                noted_cancel = true;
                journal.append(Record::CancelRequested { by: shared.cancel.by().to_owned() });
                continue;
            }
            ended = running.join_next() => ended,
            () = until(deadline), if !timed_out => {
                timed_out = true;
                let limit = plan.timeout.unwrap_or_default();
                failure.get_or_insert(Failure {
                    kind: FailureKind::TimedOut,
                    message: format!("the run took more than its limit of {limit:?}"),
                    hint: Some("raise `timeout` in `[pipeline]`".to_owned()),
                });
                shared.cancel.cancel("the run's own time limit");
                continue;
            }
        };
        let Some(ended) = ended else { break };
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                failure.get_or_insert(Failure {
                    kind: FailureKind::Host,
                    message: format!("a stage broke off: {error}"),
                    hint: None,
                });
                continue;
            }
        };
        let PlanStage { dependents, required, .. } = &plan.stages[ended.index as usize];
        if ended.status == Status::Failed && *required {
            failure = failure.or(ended.failure);
            continue;
        }
        if ended.status == Status::Cancelled {
            continue;
        }
        // A stage that is not required lets the others go on, whatever became of it.
        for &dependent in dependents {
            let missing = &mut missing[dependent as usize];
            *missing = missing.saturating_sub(1);
            if *missing == 0 {
                ready.push(Reverse(dependent));
            }
        }
    }
    for (index, stage) in (0..).zip(&plan.stages) {
        if !begun[index as usize] {
            journal.append(Record::StageEnded {
                stage: StageIndex(index),
                name: Arc::clone(&stage.name),
                status: Status::Skipped,
            });
        }
    }
    (failure, timed_out)
}

async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn stage(shared: Arc<Shared>, index: u32) -> StageEnd {
    let plan = &shared.run.plan;
    let stage = &plan.stages[index as usize];
    let journal = shared.run.gate.journal();
    journal.append(Record::StageStarted { stage: StageIndex(index), name: Arc::clone(&stage.name) });
    let mut status = Status::Succeeded;
    let mut failure = None;
    for step in stage.steps.clone() {
        match step::run(&shared, StepIndex(step)).await {
            StepEnd::Succeeded => {}
            StepEnd::Failed(_) if !plan.steps[step as usize].required => {}
            StepEnd::Failed(failed) => {
                status = Status::Failed;
                failure = Some(failed);
                break;
            }
            StepEnd::Cancelled => {
                status = Status::Cancelled;
                break;
            }
        }
    }
    journal.append(Record::StageEnded { stage: StageIndex(index), name: Arc::clone(&stage.name), status });
    StageEnd { index, status, failure }
}
