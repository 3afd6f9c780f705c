//! One step: fill in what it was waiting for, run it within its limits, record how it ended.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use windlass_gate::api::docker;
use windlass_gate::{Authority, Function, Interrupt, Mode, Session, SessionOptions, StepAuthority, Stop};
use windlass_journal::{Failure, FailureKind, Record, StageIndex, Status, StepIndex};
use windlass_pipeline::{OnCrash, PlanStep};
use windlass_sandbox::{Job, Limits, Outcome, Ran};

use crate::before::{Before, Cut};
use crate::deploys;
use crate::folders::{self, Staged};
use crate::run::Shared;
use crate::sight::{self, Sight};

/// How a step ended.
pub(crate) enum StepEnd {
    Succeeded,
    Failed(Failure),
    Cancelled,
    /// It waits for a person, and goes on when the run is resumed.
    Waits,
}

/// Runs a step, or takes over how it ended before.
pub(crate) async fn run(shared: &Shared, index: StepIndex) -> StepEnd {
    let plan = &shared.run.plan;
    let step = &plan.steps[index.0 as usize];
    let journal = shared.run.gate.journal();
    if let Some(end) = shared.end_of(index) {
        return end;
    }
    let before = shared.before(index, Mode::Resume);
    let attempt_number = before.attempt;
    // A step that was under way when the run was told to end is told so in its record, too.
    if shared.cancel.is_cancelled() && before.begun.is_none() {
        return StepEnd::Cancelled;
    }
    if before.begun.is_none() {
        journal.append(Record::StepStarted {
            step: index,
            attempt: attempt_number,
            stage: StageIndex(step.stage),
            name: Arc::clone(&step.name),
        });
    }
    let (status, failure, outputs) = match attempt(shared, step, index, before).await {
        Given::Outputs(outputs) => (Status::Succeeded, None, outputs),
        Given::Failure(failure) => (Status::Failed, Some(redacted(shared, failure)), BTreeMap::new()),
        Given::Cut(Cut { status, failure, .. }) => (status, Some(failure), BTreeMap::new()),
        Given::Cancelled if shared.paused.is_cancelled() => return StepEnd::Waits,
        Given::Cancelled => (Status::Cancelled, None, BTreeMap::new()),
    };
    let ended = Record::StepEnded {
        step: index,
        attempt: attempt_number,
        status,
        failure: failure.clone(),
        outputs: outputs.clone(),
    };
    shared.outputs.publish(index.0, outputs);
    journal.append(ended);
    if status != Status::Succeeded {
        deploys::after_step(shared, index).await;
    }
    match (status, failure) {
        (Status::Succeeded, _) => StepEnd::Succeeded,
        (_, Some(failure)) => StepEnd::Failed(failure),
        _ => StepEnd::Cancelled,
    }
}

/// What one attempt gave.
enum Given {
    Outputs(BTreeMap<String, Json>),
    Failure(Failure),
    /// Nothing: the record that answers was cut short here.
    Cut(Cut),
    /// Nothing: the run was cancelled meanwhile.
    Cancelled,
}

async fn attempt(shared: &Shared, step: &PlanStep, index: StepIndex, before: Before) -> Given {
    let (ran_for, cut) = (before.ran_for, before.cut.clone());
    let begun = match begin(shared, step, index, before).await {
        Ok(begun) => begun,
        Err(failure) => return Given::Failure(failure),
    };
    let (log, traces) = (begun.session.log().clone(), begun.traces.clone());
    let limit = shared.limit(step);
    let left = limit.saturating_sub(ran_for);
    let left = cut.as_ref().map_or(left, |cut| left.min(cut.after));
    let worked = async {
        let (session, given) = work(shared, step, begun).await;
        match (session.strayed(), &cut) {
            (Some(Interrupt::InDoubt { .. }), _) => {
                // The step has neither succeeded nor failed: the run stops as it is.
                shared.asks.cancel();
                std::future::pending().await
            }
            (Some(Interrupt::RecordEnded(_)), Some(cut)) => Given::Cut(cut.clone()),
            _ => given.map_or_else(Given::Failure, Given::Outputs),
        }
    };
    let over_time = || cut.clone().map_or_else(|| Given::Failure(over_time(step, limit)), Given::Cut);
    let given = tokio::select! {
        biased;
        () = shared.cancel.cancelled() => Given::Cancelled,
        () = shared.paused.cancelled() => Given::Cancelled,
        // Dropping the work stops the plugin and its host call alike.
        given = worked => given,
        () = shared.run.gate.approvals().worked(index, left) => over_time(),
    };
    log.finish();
    match &given {
        Given::Failure(_) if shared.run.options.keep_files => traces.discard_again(),
        _ => traces.discard(),
    }
    given
}

/// A step has taken more than its limit.
pub(crate) fn over_time(step: &PlanStep, limit: Duration) -> Failure {
    Failure {
        kind: FailureKind::TimedOut,
        message: format!("step `{}` took more than its limit of {limit:?}", step.name),
        hint: Some("raise `timeout` of the step if it really needs longer".to_owned()),
    }
}

/// An attempt that is ready to go.
pub(crate) struct Begun {
    session: Session,
    job: Job,
    pub(crate) traces: Traces,
}

/// What an attempt leaves in the state folder, and nobody needs afterwards.
#[derive(Clone)]
pub(crate) struct Traces {
    staged: Vec<Staged>,
    again: Option<PathBuf>,
}

impl Traces {
    /// Removes it.
    pub(crate) fn discard(&self) {
        folders::discard(&self.staged, self.again.as_deref());
    }

    /// Removes what was written again to be seen once more, but not what the step wrote.
    fn discard_again(&self) {
        folders::discard(&[], self.again.as_deref());
    }
}

/// Makes ready what an attempt needs.
pub(crate) async fn begin(
    shared: &Shared,
    step: &PlanStep,
    index: StepIndex,
    mut before: Before,
) -> Result<Begun, Failure> {
    let limits = Limits::from(&step.limits);
    let session = session(shared, step, index, &limits, &mut before);
    let Sight { env, folders, again } = sight::look(shared, step, index, &before).await?;
    let mut job = job(shared, step, limits, before.attempt, env)?;
    let staged = folders::stage(session.gate().run(), &step.grants, index)?;
    job.folders = folders.into_iter().chain(staged.iter().map(Staged::folder)).collect();
    Ok(Begun { session, job, traces: Traces { staged, again } })
}

/// Runs the plugin, and publishes what it wrote. Gives the session back, for who wants to know how it went.
pub(crate) async fn work(
    shared: &Shared,
    step: &PlanStep,
    begun: Begun,
) -> (Session, Result<BTreeMap<String, Json>, Failure>) {
    let Begun { mut session, job, traces } = begun;
    if job.attempt > 1
        && let Err(failure) = leave_behind(shared, &mut session, job.attempt).await
    {
        return (session, Err(failure));
    }
    let plugin = &shared.run.plugins[step.plugin as usize];
    let Ran { mut session, result } = plugin.run(session, job).await;
    let given = match result {
        Ok(outcome) => publish(&mut session, outcome, &traces.staged).await,
        Err(failure) => Err(failure),
    };
    let given = match session.unplayed() {
        // A failure that comes of the record itself says more.
        Some(missing) if given.is_ok() => {
            Err(Failure { kind: FailureKind::Plugin, message: missing.to_string(), hint: None })
        }
        _ => given,
    };
    (session, given)
}

/// Removes what earlier attempts of the step made: they did not come to their end, and the new one begins from nothing.
async fn leave_behind(shared: &Shared, session: &mut Session, attempt: u32) -> Result<(), Failure> {
    let was_asked = session.recorded_next() == Some(Function::DockerLeftovers);
    if !was_asked && (session.is_playing() || !shared.run.gate.has_acted("docker")) {
        return Ok(());
    }
    let failed = |stop: Stop| Failure {
        kind: FailureKind::Unavailable,
        message: format!("what the earlier attempt of the step made cannot be removed: {stop}"),
        hint: None,
    };
    let of_attempt = Some(docker::AttemptsBefore { step: session.step().0, attempt });
    let leftovers = docker::Leftovers { kept_too: true, of_attempt };
    for leftover in session.call_as_host(&leftovers).await.map_err(failed)? {
        session.call_as_host(&docker::Sweep { leftover }).await.map_err(failed)?;
    }
    Ok(())
}

fn session(shared: &Shared, step: &PlanStep, index: StepIndex, limits: &Limits, before: &mut Before) -> Session {
    let plugin = &shared.run.plugins[step.plugin as usize];
    let stage = &shared.run.plan.stages[step.stage as usize];
    let authority = StepAuthority {
        stage: Arc::clone(&stage.name),
        environment: stage.environment.clone(),
        step: Arc::clone(&step.name),
        grants: Arc::clone(&step.grants),
        asked: Arc::clone(plugin.asked()),
    };
    let options = SessionOptions {
        step: index,
        attempt: before.attempt,
        authority: Authority::Step(Arc::new(authority)),
        max_calls: limits.calls,
        max_log: limits.log,
        playback: before.playback.take(),
        repeat_in_doubt: step.on_crash == OnCrash::Repeat,
    };
    Session::new(Arc::clone(&shared.run.gate), options)
}

fn job(
    shared: &Shared,
    step: &PlanStep,
    limits: Limits,
    attempt: u32,
    env: BTreeMap<String, String>,
) -> Result<Job, Failure> {
    let failed = |message: String| Failure { kind: FailureKind::Failed, message, hint: None };
    let mut lookup = |reference: &windlass_pipeline::OutputRef| shared.outputs.get(reference);
    let with =
        step.with.fill(&mut lookup).map_err(|error| failed(format!("`with` of step `{}`: {error}", step.name)))?;
    if !step.with.is_static() {
        shared
            .check_filled(step.plugin, &with)
            .map_err(|problem| failed(format!("step `{}`: {problem}", step.name)))?;
    }
    let mut env: Vec<_> = env.into_iter().collect();
    for (name, value) in &step.env {
        let value = value
            .fill(&mut lookup)
            .map_err(|error| failed(format!("`env.{name}` of step `{}`: {error}", step.name)))?;
        env.push((
            name.clone(),
            match value {
                Json::String(text) => text,
                other => other.to_string(),
            },
        ));
    }
    Ok(Job {
        with: with.to_string(),
        pipeline: Arc::clone(&shared.pipeline),
        stage: Arc::clone(&shared.run.plan.stages[step.stage as usize].name),
        step: Arc::clone(&step.name),
        run: Arc::clone(&shared.run_id),
        attempt,
        env,
        folders: Vec::new(),
        limits,
    })
}

/// What a step wrote becomes visible only now that it has succeeded.
async fn publish(
    session: &mut Session,
    outcome: Outcome,
    staged: &[Staged],
) -> Result<BTreeMap<String, Json>, Failure> {
    for folder in staged {
        let published = session.call(&folder.publish().await?).await;
        if let Err(stop) = published {
            let kind = match &stop {
                Stop::Error(error) => error.failure_kind(),
                Stop::Interrupt(_) => FailureKind::Host,
            };
            return Err(Failure {
                kind,
                message: format!("what the step wrote to `{}` cannot be published: {stop}", folder.folder),
                hint: None,
            });
        }
    }
    if !outcome.summary.is_empty() {
        session.log().line(windlass_journal::Stream::Log, &outcome.summary);
    }
    let text = Json::Object(outcome.outputs.into_iter().collect());
    // An output is stored and shown: a secret that a plugin came by has no place in it.
    let redacted = session.gate().run().secrets.redactor().text(text.to_string());
    serde_json::from_str(&redacted).map_err(|error| Failure {
        kind: FailureKind::Plugin,
        message: format!("outputs: {error}"),
        hint: None,
    })
}

fn redacted(shared: &Shared, failure: Failure) -> Failure {
    let redactor = shared.run.gate.run().secrets.redactor();
    Failure {
        kind: failure.kind,
        message: redactor.text(failure.message),
        hint: failure.hint.map(|hint| redactor.text(hint)),
    }
}
