//! Stages in parallel as the graph allows, in a stable order, a bounded number at a time.
//!
//! A task that has run a stage takes the next one that is ready itself, and starts further tasks
//! only where there is more to do than it can take: while there is enough for everybody, no task
//! waits for another, and no thread is woken.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::task::TaskTracker;
use windlass_journal::{Failure, FailureKind, Record, StageIndex, Status, StepIndex};

use crate::run::Shared;
use crate::step::{self, StepEnd};

/// Who ends a run that takes too long.
pub(crate) const TIME_LIMIT: &str = "the run's own time limit";

/// How the stages ended.
pub(crate) struct StagesEnd {
    /// What failed first, if a required stage did.
    pub(crate) failure: Option<Failure>,
    /// Whether the run's own time limit passed.
    pub(crate) timed_out: bool,
}

/// What the tasks share.
struct Stages {
    shared: Arc<Shared>,
    jobs: usize,
    tasks: TaskTracker,
    progress: Mutex<Progress>,
}

/// How far the run has come.
struct Progress {
    /// For each stage how many of those that it needs are not over.
    missing: Vec<u32>,
    /// The plan's order is a topological one: the smallest ready index first keeps to it.
    ready: BinaryHeap<Reverse<u32>>,
    begun: Vec<bool>,
    running: usize,
    failure: Option<Failure>,
}

/// Runs the stages.
pub(crate) async fn run(shared: &Arc<Shared>) -> StagesEnd {
    let plan = &shared.run.plan;
    let missing: Vec<u32> =
        plan.stages.iter().map(|stage| u32::try_from(stage.needs.len()).unwrap_or(u32::MAX)).collect();
    let begun = vec![false; plan.stages.len()];
    let stages = Arc::new(Stages {
        shared: Arc::clone(shared),
        jobs: shared.run.options.jobs.min(plan.jobs.map_or(usize::MAX, |jobs| jobs as usize)).max(1),
        tasks: TaskTracker::new(),
        progress: Mutex::new(Progress { missing, ready: BinaryHeap::new(), begun, running: 0, failure: None }),
    });
    stages.begin(&mut stages.progress());
    let was_timed_out = stages.was_cancelled();
    stages.start(&mut stages.progress());
    // Tasks that start others are among those that are waited for.
    stages.tasks.close();
    let timed_out = stages.wait(was_timed_out).await;
    let mut progress = stages.progress();
    if progress.running > 0 {
        progress.fail(|| Failure { kind: FailureKind::Host, message: "a stage broke off".to_owned(), hint: None });
    }
    for (index, stage) in (0..).zip(&plan.stages) {
        if !progress.begun[index as usize] {
            let skipped =
                Record::StageEnded { stage: StageIndex(index), name: Arc::clone(&stage.name), status: Status::Skipped };
            shared.run.gate.journal().append(skipped);
        }
    }
    StagesEnd { failure: progress.failure.take(), timed_out }
}

impl Stages {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        // It is changed by steps that cannot fail half-way.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the stages that are ready, after those that were over before.
    fn begin(&self, progress: &mut Progress) {
        for (index, stage) in (0..).zip(&self.shared.run.plan.stages) {
            match self.shared.ended(index) {
                Some(status) => {
                    progress.begun[index as usize] = true;
                    let failure = self.shared.failure_of(index);
                    self.note(progress, index, status, failure);
                }
                None if stage.needs.is_empty() => progress.ready.push(Reverse(index)),
                None => {}
            }
        }
    }

    /// Starts tasks for stages that are ready, as far as there is room.
    fn start(self: &Arc<Self>, progress: &mut Progress) {
        while let Some(index) = self.next(progress) {
            self.tasks.spawn(Arc::clone(self).follow(index));
        }
    }

    /// Takes the next stage, if there is one and it may begin.
    fn next(&self, progress: &mut Progress) -> Option<u32> {
        let Shared { run, cancel, .. } = &*self.shared;
        if progress.running >= self.jobs || run.gate.journal().failed().is_some() {
            return None;
        }
        if (progress.failure.is_some() && run.options.fail_fast) || cancel.is_cancelled() {
            // Nothing new begins, but what was under way when the runner died comes to its end.
            progress.ready.retain(|Reverse(index)| self.shared.begun(*index));
        }
        let Reverse(index) = progress.ready.pop()?;
        progress.begun[index as usize] = true;
        progress.running += 1;
        Some(index)
    }

    /// Runs this stage, and then others for as long as there are any.
    async fn follow(self: Arc<Self>, mut index: u32) {
        loop {
            let (status, failure) = stage(&self.shared, index).await;
            let next = {
                let mut progress = self.progress();
                progress.running -= 1;
                self.note(&mut progress, index, status, failure);
                let next = self.next(&mut progress);
                self.start(&mut progress);
                next
            };
            let Some(next) = next else { break };
            index = next;
            // Steps that wait for nothing must not keep the thread from all others.
            tokio::task::consume_budget().await;
        }
    }

    /// What the end of a stage means for the others.
    fn note(&self, progress: &mut Progress, index: u32, status: Status, failure: Option<Failure>) {
        let stage = &self.shared.run.plan.stages[index as usize];
        match status {
            Status::Failed if stage.required => progress.failure = progress.failure.take().or(failure),
            Status::Cancelled | Status::Skipped => {}
            // A stage that is not required lets the others go on, whatever became of it.
            _ => {
                for &dependent in &stage.dependents {
                    let missing = &mut progress.missing[dependent as usize];
                    *missing = missing.saturating_sub(1);
                    if *missing == 0 && !progress.begun[dependent as usize] {
                        progress.ready.push(Reverse(dependent));
                    }
                }
            }
        }
    }

    /// Tells a run to end that was on its way to its end before. Says whether its own time limit had passed.
    fn was_cancelled(&self) -> bool {
        let Shared { run, cancel, .. } = &*self.shared;
        let Some(by) = run.before().and_then(|before| before.cancelled.as_deref()) else { return false };
        let timed_out = by == TIME_LIMIT;
        if timed_out {
            self.progress().fail(|| over_time(run.plan.timeout));
        }
        cancel.cancel(by);
        timed_out
    }

    /// Waits until nothing runs any more. Says whether the run's own time limit passed.
    async fn wait(&self, mut timed_out: bool) -> bool {
        let Shared { run, cancel, .. } = &*self.shared;
        let limit = run.plan.timeout;
        let before = run.before();
        let left = limit.map(|limit| limit.saturating_sub(before.map(|before| before.ran_for).unwrap_or_default()));
        let deadline = left.and_then(|left| tokio::time::Instant::now().checked_add(left));
        let mut noted_cancel = before.is_some_and(|before| before.cancelled.is_some());
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled(), if !noted_cancel => {
                    noted_cancel = true;
                    run.gate.journal().append(Record::CancelRequested { by: cancel.by().to_owned() });
                }
                () = self.tasks.wait() => return timed_out,
                () = until(deadline), if !timed_out => {
                    timed_out = true;
                    self.progress().fail(|| over_time(limit));
                    cancel.cancel(TIME_LIMIT);
                }
            }
        }
    }
}

impl Progress {
    /// The first failure is the one to tell.
    fn fail(&mut self, failure: impl FnOnce() -> Failure) {
        self.failure.get_or_insert_with(failure);
    }
}

fn over_time(limit: Option<Duration>) -> Failure {
    Failure {
        kind: FailureKind::TimedOut,
        message: format!("the run took more than its limit of {:?}", limit.unwrap_or_default()),
        hint: Some("raise `timeout` in `[pipeline]`".to_owned()),
    }
}

async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Runs the steps of a stage.
async fn stage(shared: &Shared, index: u32) -> (Status, Option<Failure>) {
    let plan = &shared.run.plan;
    let stage = &plan.stages[index as usize];
    let journal = shared.run.gate.journal();
    if !shared.begun(index) {
        journal.append(Record::StageStarted { stage: StageIndex(index), name: Arc::clone(&stage.name) });
    }
    let mut status = Status::Succeeded;
    let mut failure = None;
    for step in stage.steps.clone() {
        match step::run(shared, StepIndex(step)).await {
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
    (status, failure)
}
