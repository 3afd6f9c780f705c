//! Stages in parallel as the graph allows, in a stable order, a bounded number at a time.
//!
//! A task that has run a stage takes the next one that is ready itself, and starts further tasks
//! only where there is more to do than it can take: while there is enough for everybody, no task
//! waits for another, and no thread is woken.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use windlass_journal::{Failure, FailureKind, Record, Request, StageIndex, Status, StepIndex};

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
    /// The stages that wait for people, if there is nothing else to do.
    pub(crate) waiting: Option<Vec<Arc<str>>>,
}

/// What the tasks share.
struct Stages {
    shared: Arc<Shared>,
    jobs: usize,
    tasks: TaskTracker,
    progress: Mutex<Progress>,
    /// A task has ended.
    task_ended: Notify,
}

/// How far the run has come.
struct Progress {
    /// For each stage how many of those that it needs are not over.
    missing: Vec<u32>,
    /// The plan's order is a topological one: the smallest ready index first keeps to it.
    ready: BinaryHeap<Reverse<u32>>,
    /// Stages that are ready, but for a decision.
    waiting: BTreeSet<u32>,
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
        progress: Mutex::new(Progress {
            missing,
            ready: BinaryHeap::new(),
            waiting: BTreeSet::new(),
            begun,
            running: 0,
            failure: None,
        }),
        task_ended: Notify::new(),
    });
    // What was asked of a run that nobody worked on.
    let mut requests = shared.run.gate.journal().requests();
    shared.settle(&mut requests, |stage| shared.begun(stage)).await;
    stages.begin(&mut stages.progress());
    let was_timed_out = stages.was_cancelled();
    stages.start(&mut stages.progress());
    // Tasks that start others are among those that are waited for.
    stages.tasks.close();
    let (timed_out, waiting) = stages.wait(was_timed_out, requests).await;
    let mut progress = stages.progress();
    if waiting.is_some() {
        return StagesEnd { failure: None, timed_out, waiting };
    }
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
    StagesEnd { failure: progress.failure.take(), timed_out, waiting: None }
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
                None if stage.needs.is_empty() => self.is_ready(progress, index),
                None => {}
            }
        }
    }

    /// A stage may begin, but for a decision.
    fn is_ready(&self, progress: &mut Progress, index: u32) {
        if !self.shared.begun(index) && !self.is_stopping(progress) && self.shared.has_to_wait(index) {
            progress.waiting.insert(index);
            self.shared.ask(index);
        } else {
            progress.ready.push(Reverse(index));
        }
    }

    /// Whether nothing new begins.
    fn is_stopping(&self, progress: &Progress) -> bool {
        let Shared { run, cancel, .. } = &*self.shared;
        (progress.failure.is_some() && run.options.fail_fast) || cancel.is_cancelled()
    }

    /// Starts tasks for stages that are ready, as far as there is room.
    fn start(self: &Arc<Self>, progress: &mut Progress) {
        while let Some(index) = self.next(progress) {
            self.tasks.spawn(Arc::clone(self).follow(index));
        }
    }

    /// Takes the next stage, if there is one and it may begin.
    fn next(&self, progress: &mut Progress) -> Option<u32> {
        if self.is_stopping(progress) {
            progress.waiting.clear();
        }
        if progress.running >= self.jobs || self.shared.run.gate.journal().failed().is_some() {
            return None;
        }
        if self.is_stopping(progress) {
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
            let ended = stage(&self.shared, index).await;
            let next = {
                let mut progress = self.progress();
                progress.running -= 1;
                // One that waits goes on when the run is resumed.
                let Some((status, failure)) = ended else { break };
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
        self.task_ended.notify_one();
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
                        self.is_ready(progress, dependent);
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

    /// Waits until nothing runs any more. Says whether the run's own time limit passed, and which stages wait if there
    /// is nothing else to do and the process is not to stay for it.
    async fn wait(self: &Arc<Self>, mut timed_out: bool, mut requests: Vec<Request>) -> (bool, Option<Vec<Arc<str>>>) {
        let Shared { run, cancel, paused, .. } = &*self.shared;
        let (journal, limit, before) = (run.gate.journal(), run.plan.timeout, run.before());
        let left = limit.map(|limit| limit.saturating_sub(before.map(|before| before.ran_for).unwrap_or_default()));
        let mut deadline = left.and_then(|left| tokio::time::Instant::now().checked_add(left));
        let mut noted_cancel = before.is_some_and(|before| before.cancelled.is_some());
        let mut changes = run.gate.approvals().changes();
        let mut idle_since = None;
        let mut listening = true;
        let mut pausing = None;
        loop {
            changes.borrow_and_update();
            self.settle(&mut requests).await;
            if journal.failed().is_some() {
                self.progress().waiting.clear();
            }
            let waiting = if cancel.is_cancelled() { None } else { self.only_waits() };
            // The time in which everything waits for people is none in which the run takes too long.
            match (&waiting, idle_since) {
                (Some(_), None) => idle_since = Some(tokio::time::Instant::now()),
                (None, Some(since)) => {
                    deadline = deadline.and_then(|deadline| deadline.checked_add(since.elapsed()));
                    idle_since = None;
                }
                _ => {}
            }
            if waiting.is_some() && !run.options.wait && pausing.is_none() {
                requests.extend(journal.requests());
                if !requests.is_empty() {
                    // What came just now may be what is waited for.
                    self.settle(&mut requests).await;
                    if self.only_waits().is_none() {
                        continue;
                    }
                }
                pausing = waiting.clone();
                self.progress().waiting.clear();
                paused.cancel();
            }
            let nothing_waits = self.progress().waiting.is_empty();
            tokio::select! {
                biased;
                () = cancel.cancelled(), if !noted_cancel => {
                    noted_cancel = true;
                    self.progress().waiting.clear();
                    journal.append(Record::CancelRequested { by: cancel.by().to_owned() });
                }
                () = self.tasks.wait(), if nothing_waits => {
                    // The last task may have found one that waits.
                    if self.progress().waiting.is_empty() {
                        return (timed_out, pausing);
                    }
                }
                () = until(deadline), if !timed_out && waiting.is_none() => {
                    timed_out = true;
                    self.progress().fail(|| over_time(limit));
                    cancel.cancel(TIME_LIMIT);
                }
                request = journal.request(), if listening => match request {
                    Some(request) => requests.push(request),
                    None => listening = false,
                },
                _ = changes.changed() => {}
                () = self.task_ended.notified() => {}
            }
        }
    }

    /// Does what others ask of the run, as far as it can be done now.
    async fn settle(self: &Arc<Self>, requests: &mut Vec<Request>) {
        if requests.is_empty() {
            return;
        }
        let begun = |stage: u32| self.progress().begun[stage as usize];
        for stage in self.shared.settle(requests, begun).await {
            let mut progress = self.progress();
            if progress.waiting.remove(&stage) {
                progress.ready.push(Reverse(stage));
                self.start(&mut progress);
            }
        }
    }

    /// The stages that wait for people, if there is nothing else to do.
    fn only_waits(&self) -> Option<Vec<Arc<str>>> {
        let progress = self.progress();
        let mut stages = self.shared.run.gate.approvals().stages();
        if stages.len() < progress.running || (stages.is_empty() && progress.waiting.is_empty()) {
            return None;
        }
        let plan = &self.shared.run.plan;
        stages.extend(progress.waiting.iter().map(|index| Arc::clone(&plan.stages[*index as usize].name)));
        Some(stages)
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

/// Runs the steps of a stage; nothing if one of them waits until the run is resumed.
async fn stage(shared: &Shared, index: u32) -> Option<(Status, Option<Failure>)> {
    let plan = &shared.run.plan;
    let stage = &plan.stages[index as usize];
    let journal = shared.run.gate.journal();
    if !shared.begun(index) {
        let (name, environment) = (Arc::clone(&stage.name), stage.environment.clone());
        journal.append(Record::StageStarted { stage: StageIndex(index), name, environment });
    }
    let mut failure = shared.rejected(index);
    let mut status = if failure.is_some() { Status::Failed } else { Status::Succeeded };
    let steps = if failure.is_some() { 0..0 } else { stage.steps.clone() };
    for step in steps {
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
            StepEnd::Waits => return None,
        }
    }
    journal.append(Record::StageEnded { stage: StageIndex(index), name: Arc::clone(&stage.name), status });
    Some((status, failure))
}
