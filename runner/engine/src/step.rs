//! One step: fill in what it was waiting for, run it within its limits, record how it ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use windlass_gate::api::docker;
use windlass_gate::{Authority, Session, SessionOptions, StepAuthority, StepLog, Stop};
use windlass_journal::{Failure, FailureKind, Record, StageIndex, Status, StepIndex};
use windlass_pipeline::{OnCrash, PlanStep};
use windlass_sandbox::{Job, Limits, Outcome, Ran};

use crate::before::Before;
use crate::folders::{self, Staged};
use crate::run::Shared;

/// How a step ended.
pub(crate) enum StepEnd {
    Succeeded,
    Failed(Failure),
    Cancelled,
}

/// Runs a step, or takes over how it ended before.
pub(crate) async fn run(shared: &Shared, index: StepIndex) -> StepEnd {
    let plan = &shared.run.plan;
    let step = &plan.steps[index.0 as usize];
    let journal = shared.run.gate.journal();
    if let Some(end) = shared.end_of(index) {
        return end;
    }
    let before = shared.before(index);
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
        Some(Ok(outputs)) => (Status::Succeeded, None, outputs),
        Some(Err(failure)) => (Status::Failed, Some(redacted(shared, failure)), BTreeMap::new()),
        None => (Status::Cancelled, None, BTreeMap::new()),
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
    match (status, failure) {
        (Status::Succeeded, _) => StepEnd::Succeeded,
        (_, Some(failure)) => StepEnd::Failed(failure),
        _ => StepEnd::Cancelled,
    }
}

/// What one attempt gave; nothing if the run was cancelled meanwhile.
async fn attempt(
    shared: &Shared,
    step: &PlanStep,
    index: StepIndex,
    mut before: Before,
) -> Option<Result<BTreeMap<String, Json>, Failure>> {
    let limits = Limits::from(&step.limits);
    let mut session = session(shared, step, index, &limits, &mut before);
    let log = session.log().clone();
    let env = match inputs(shared, step, index, &before) {
        Ok(env) => env,
        Err(failure) => return Some(Err(failure)),
    };
    let (job, staged) = match job(shared, step, index, limits, &before, env, &session) {
        Ok(job) => job,
        Err(failure) => return Some(Err(failure)),
    };
    let limit = step.timeout.unwrap_or(shared.run.options.step_timeout);
    let plugin = &shared.run.plugins[step.plugin as usize];
    let work = async {
        leave_behind(shared, &mut session, before.attempt).await?;
        let Ran { session, result } = plugin.run(session, job).await;
        finish(session, &log, result, &staged).await
    };
    let result = tokio::select! {
        biased;
        () = shared.cancel.cancelled() => None,
        // Dropping the work stops the plugin and its host call alike.
        result = tokio::time::timeout(limit.saturating_sub(before.ran_for), work) => {
            Some(result.unwrap_or_else(|_| Err(Failure {
                kind: FailureKind::TimedOut,
                message: format!("step `{}` took more than its limit of {limit:?}", step.name),
                hint: Some("raise `timeout` of the step if it really needs longer".to_owned()),
            })))
        }
    };
    log.finish();
    folders::discard(&staged);
    result
}

/// Removes what earlier attempts of the step made: they did not come to their end, and the new one begins from nothing.
async fn leave_behind(shared: &Shared, session: &mut Session, attempt: u32) -> Result<(), Failure> {
    if attempt == 1 || !shared.run.gate.has_acted("docker") {
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
    let authority = StepAuthority {
        stage: Arc::clone(&shared.run.plan.stages[step.stage as usize].name),
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
    index: StepIndex,
    limits: Limits,
    before: &Before,
    env: BTreeMap<String, String>,
    session: &Session,
) -> Result<(Job, Vec<Staged>), Failure> {
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
    let (folders, staged) = folders::open(session.gate().run(), &step.grants, index)?;
    let job = Job {
        with: with.to_string(),
        pipeline: Arc::clone(&shared.pipeline),
        stage: Arc::clone(&shared.run.plan.stages[step.stage as usize].name),
        step: Arc::clone(&step.name),
        run: Arc::clone(&shared.run_id),
        attempt: before.attempt,
        env,
        folders,
        limits,
    };
    Ok((job, staged))
}

/// What the step sees besides its calls, which is recorded when it begins, so that it can see the same again. Gives the
/// host's variables.
fn inputs(
    shared: &Shared,
    step: &PlanStep,
    index: StepIndex,
    before: &Before,
) -> Result<BTreeMap<String, String>, Failure> {
    if before.folders.is_some() {
        return Ok(before.env.clone());
    }
    let env = granted_env(shared, step);
    if !env.is_empty() {
        let inputs = Record::StepInputs { step: index, attempt: before.attempt, env: env.clone(), folders: Vec::new() };
        shared.run.gate.journal().append(inputs);
    }
    Ok(env)
}

/// The host's variables that the step may see.
fn granted_env(shared: &Shared, step: &PlanStep) -> BTreeMap<String, String> {
    let mut rules = step.grants.of("env", "read").peekable();
    if rules.peek().is_none() {
        return BTreeMap::new();
    }
    let rules: Vec<_> = rules.collect();
    let env = &shared.run.gate.run().env;
    env.iter()
        .filter(|(name, _)| rules.iter().any(|rule| rule.pattern.matches(name)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The end of a plugin's run: what it wrote becomes visible only if it succeeded, and it has to have made every call
/// that it made before a crash.
async fn finish(
    mut session: Session,
    log: &StepLog,
    result: Result<Outcome, Failure>,
    staged: &[Staged],
) -> Result<BTreeMap<String, Json>, Failure> {
    let given = match result {
        Ok(outcome) => publish(&mut session, log, outcome, staged).await,
        Err(failure) => Err(failure),
    };
    match session.unplayed() {
        // A failure that comes of the record itself says more.
        Some(missing) if given.is_ok() => {
            Err(Failure { kind: FailureKind::Plugin, message: missing.to_string(), hint: None })
        }
        _ => given,
    }
}

async fn publish(
    session: &mut Session,
    log: &StepLog,
    outcome: Outcome,
    staged: &[Staged],
) -> Result<BTreeMap<String, Json>, Failure> {
    for folder in staged {
        let published = session.call(&folder.publish()).await;
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
        log.line(windlass_journal::Stream::Log, &outcome.summary);
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
