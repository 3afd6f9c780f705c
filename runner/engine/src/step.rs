//! One step: fill in what it was waiting for, run it within its limits, record how it ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use windlass_gate::{Authority, Session, SessionOptions, StepAuthority, StepLog, Stop};
use windlass_journal::{Failure, FailureKind, Record, StageIndex, Status, StepIndex};
use windlass_pipeline::PlanStep;
use windlass_sandbox::{Job, Limits, Outcome, Ran};

use crate::folders::{self, Staged};
use crate::run::Shared;

/// How a step ended.
pub(crate) enum StepEnd {
    Succeeded,
    Failed(Failure),
    Cancelled,
}

/// There are no retries yet, so every attempt is the first.
const ATTEMPT: u32 = 1;

/// Runs a step.
pub(crate) async fn run(shared: &Shared, index: StepIndex) -> StepEnd {
    let plan = &shared.run.plan;
    let step = &plan.steps[index.0 as usize];
    let journal = shared.run.gate.journal();
    if shared.cancel.is_cancelled() {
        return StepEnd::Cancelled;
    }
    journal.append(Record::StepStarted {
        step: index,
        attempt: ATTEMPT,
        stage: StageIndex(step.stage),
        name: Arc::clone(&step.name),
    });
    let (status, failure, outputs) = match attempt(shared, step, index).await {
        Some(Ok(outputs)) => (Status::Succeeded, None, outputs),
        Some(Err(failure)) => (Status::Failed, Some(redacted(shared, failure)), BTreeMap::new()),
        None => (Status::Cancelled, None, BTreeMap::new()),
    };
    let ended =
        Record::StepEnded { step: index, attempt: ATTEMPT, status, failure: failure.clone(), outputs: outputs.clone() };
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
) -> Option<Result<BTreeMap<String, Json>, Failure>> {
    let limits = Limits::from(&step.limits);
    let session = session(shared, step, index, &limits);
    let log = session.log().clone();
    let (job, staged) = match job(shared, step, index, limits, &session) {
        Ok(job) => job,
        Err(failure) => return Some(Err(failure)),
    };
    let limit = step.timeout.unwrap_or(shared.run.options.step_timeout);
    let plugin = &shared.run.plugins[step.plugin as usize];
    let work = async {
        let Ran { session, result } = plugin.run(session, job).await;
        match result {
            Ok(outcome) => publish(session, &log, outcome, &staged).await,
            Err(failure) => Err(failure),
        }
    };
    let result = tokio::select! {
        biased;
        () = shared.cancel.cancelled() => None,
        // Dropping the work stops the plugin and its host call alike.
        result = tokio::time::timeout(limit, work) => Some(result.unwrap_or_else(|_| Err(Failure {
            kind: FailureKind::TimedOut,
            message: format!("step `{}` took more than its limit of {limit:?}", step.name),
            hint: Some("raise `timeout` of the step if it really needs longer".to_owned()),
        }))),
    };
    log.finish();
    folders::discard(&staged);
    result
}

fn session(shared: &Shared, step: &PlanStep, index: StepIndex, limits: &Limits) -> Session {
    let plugin = &shared.run.plugins[step.plugin as usize];
    let authority = StepAuthority {
        stage: Arc::clone(&shared.run.plan.stages[step.stage as usize].name),
        step: Arc::clone(&step.name),
        grants: Arc::clone(&step.grants),
        asked: Arc::clone(plugin.asked()),
    };
    let options = SessionOptions {
        step: index,
        attempt: ATTEMPT,
        authority: Authority::Step(Arc::new(authority)),
        max_calls: limits.calls,
        max_log: limits.log,
    };
    Session::new(Arc::clone(&shared.run.gate), options)
}

fn job(
    shared: &Shared,
    step: &PlanStep,
    index: StepIndex,
    limits: Limits,
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
    let mut env = granted_env(shared, step);
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
        attempt: ATTEMPT,
        env,
        folders,
        limits,
    };
    Ok((job, staged))
}

/// The host's variables that the step may see.
fn granted_env(shared: &Shared, step: &PlanStep) -> Vec<(String, String)> {
    let mut rules = step.grants.of("env", "read").peekable();
    if rules.peek().is_none() {
        return Vec::new();
    }
    let rules: Vec<_> = rules.collect();
    let env = &shared.run.gate.run().env;
    env.iter()
        .filter(|(name, _)| rules.iter().any(|rule| rule.pattern.matches(name)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What a step wrote becomes visible only now that it has succeeded.
async fn publish(
    mut session: Session,
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
