//! The fold of a run's records into its deploys.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;
use windlass_journal::{CallId, Entry, Record, RunState, StageIndex, Status, StepIndex};

use super::model::{Deployment, Event, Verdict, What};

/// Whether the fold looks at calls of this function.
pub(crate) fn is_wanted(function: &str) -> bool {
    function.starts_with("traffic.") || function == "docker.start-again"
}

/// The deploys of a run, as far as its records have been taken in.
pub(crate) struct Fold {
    run: String,
    pipeline: String,
    by: Option<String>,
    state: RunState,
    stages: HashMap<StageIndex, (Arc<str>, Option<Arc<str>>)>,
    steps: HashMap<StepIndex, (StageIndex, Arc<str>)>,
    /// What began and has not ended.
    calls: HashMap<CallId, (Arc<str>, Value)>,
    /// What people were asked about a stage, and decided, before a step of it began a deploy.
    asked: HashMap<Arc<str>, Vec<Event>>,
    found: Vec<Deployment>,
}

impl Fold {
    pub(crate) fn new(run: &str, pipeline: &str, state: RunState) -> Self {
        Self {
            run: run.to_owned(),
            pipeline: pipeline.to_owned(),
            by: None,
            state,
            stages: HashMap::new(),
            steps: HashMap::new(),
            calls: HashMap::new(),
            asked: HashMap::new(),
            found: Vec::new(),
        }
    }

    /// The deploys, in the order of their beginning.
    pub(crate) fn done(self) -> Vec<Deployment> {
        self.found
    }

    /// Takes in the next record.
    pub(crate) fn apply(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.record {
            Record::RunStarted(started) => self.by = started.facts.get("run.by").cloned(),
            Record::StageStarted { stage, name, environment } => {
                self.stages.insert(*stage, (Arc::clone(name), environment.clone()));
            }
            Record::StepStarted { step, stage, name, .. } => {
                self.steps.insert(*step, (*stage, Arc::clone(name)));
            }
            Record::StepEnded { step, attempt, status, failure, .. } => {
                let message = failure.as_ref().map_or("", |failure| &failure.message);
                self.step_ended(at, (*step, *attempt), *status, message);
            }
            Record::CallStarted { call, function, args, .. } if is_wanted(function) => {
                let args = serde_json::from_str(args).unwrap_or_default();
                self.calls.insert(*call, (Arc::clone(function), args));
            }
            Record::CallEnded { call, answer } => {
                if let Some((function, args)) = self.calls.remove(call) {
                    self.called(at, *call, &function, &args, answer);
                }
            }
            Record::CallRecorded { call, function, args, answer, .. } if is_wanted(function) => {
                let args = serde_json::from_str(args).unwrap_or_default();
                self.called(at, *call, function, &args, answer);
            }
            Record::ApprovalAsked { stage, message, .. } => self.about(stage, at, What::Asked(message.clone())),
            Record::Decided { stage, decision, .. } => self.about(stage, at, What::Decided(decision.clone())),
            Record::CancelRequested { by } => self.all(at, &What::CancelRequested(by.clone())),
            Record::RunResumed(_) => self.all(at, &What::Resumed),
            _ => {}
        }
    }

    fn step_ended(&mut self, at: u64, of: (StepIndex, u32), status: Status, message: &str) {
        let (_, _, path) = self.step(of.0);
        for one in &mut self.found {
            let own = (one.step, one.attempt) == of;
            let what = match status {
                Status::Failed if own => What::Failed(message.to_owned()),
                Status::Failed if one.left && !one.is_over() => What::Failed(format!("{path}: {message}")),
                Status::Cancelled if own => What::Cancelled,
                _ => {
                    one.left |= own;
                    continue;
                }
            };
            one.left |= own;
            one.events.push(Event { at, what });
        }
    }

    /// Something that concerns every deploy that is not over.
    fn all(&mut self, at: u64, what: &What) {
        for one in self.found.iter_mut().filter(|one| !one.is_over()) {
            one.events.push(Event { at, what: what.clone() });
        }
    }

    /// Something that concerns a stage.
    fn about(&mut self, stage: &Arc<str>, at: u64, what: What) {
        let steps = &self.steps;
        let stages = &self.stages;
        let of = |one: &Deployment| {
            steps.get(&one.step).and_then(|(index, _)| stages.get(index)).is_some_and(|(name, _)| name == stage)
        };
        let mut open = self.found.iter_mut().filter(|one| of(one) && !one.is_over()).peekable();
        if open.peek().is_none() {
            self.asked.entry(Arc::clone(stage)).or_default().push(Event { at, what });
            return;
        }
        for one in open {
            one.events.push(Event { at, what: what.clone() });
        }
    }

    fn called(&mut self, at: u64, call: CallId, function: &Arc<str>, args: &Value, answer: &str) {
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        let ok = answer.get("ok");
        if &**function == "traffic.begin" {
            if let (Some(deployment), Some(state)) = (args.get("deployment"), ok) {
                self.begun(at, call, deployment, state);
            }
            return;
        }
        if &**function == "docker.start-again" {
            if let (Some(_), Some(container)) = (ok, text(args, "container")) {
                self.started_again(at, call, container);
            }
            return;
        }
        let (Some(service), Some(verb)) = (text(args, "service"), function.strip_prefix("traffic.")) else { return };
        let Some(place) = self.place(call, &service, verb) else { return };
        let Some(one) = self.found.get_mut(place) else { return };
        let Some(ok) = ok else {
            one.events.push(Event { at, what: What::Refused { function: Arc::clone(function), why: why(&answer) } });
            return;
        };
        if let Some(what) = one.take(verb, args, ok) {
            one.events.push(Event { at, what });
        }
    }

    fn begun(&mut self, at: u64, call: CallId, deployment: &Value, state: &Value) {
        let (Some(service), Some(revision)) = (text(deployment, "service"), text(deployment, "revision")) else {
            return;
        };
        let (stage, environment, path) = self.step(call.step);
        let same = |one: &Deployment| one.service == service && one.environment == environment && !one.is_over();
        if self.found.iter().any(|one| same(one) && one.revision == revision) {
            // A resumed run, or a plugin, that begins what has begun.
            return;
        }
        let of_pair = |pair: &Value| Some((text(pair, "name")?, text(pair, "value")?));
        let pairs = deployment.get("details").and_then(Value::as_array);
        let mut events = stage.and_then(|stage| self.asked.remove(&stage)).unwrap_or_default();
        events.push(Event { at, what: What::Begun });
        self.found.push(Deployment {
            service,
            environment,
            revision,
            previous: state.pointer("/deployment/previous").and_then(Value::as_str).map(str::to_owned),
            strategy: text(deployment, "strategy").unwrap_or_default(),
            details: pairs.into_iter().flatten().filter_map(of_pair).collect(),
            run: self.run.clone(),
            pipeline: self.pipeline.clone(),
            state: self.state,
            by: self.by.clone(),
            path,
            began_at: at,
            events,
            step: call.step,
            attempt: call.attempt,
            left: false,
            containers: containers(state),
            before: weights(state, "name"),
        });
    }

    /// An abort starts what was stopped before it moves the traffic.
    fn started_again(&mut self, at: u64, call: CallId, container: String) {
        let mut open = self.found.iter_mut().rev().filter(|one| !one.is_over());
        let of = |one: &&mut Deployment| call.step == StepIndex::HOST || one.step == call.step;
        if let Some(one) = open.find(of) {
            one.events.push(Event { at, what: What::StartedAgain(container) });
        }
    }

    /// The deploy that a call is about.
    fn place(&self, call: CallId, service: &str, verb: &str) -> Option<usize> {
        let (_, environment, _) = self.step(call.step);
        // The host acts for a step, and its calls do not say for which.
        let of = |one: &Deployment| {
            one.service == service && (call.step == StepIndex::HOST || one.environment == environment)
        };
        let open = self.found.iter().rposition(|one| of(one) && !one.is_over());
        let after = || {
            let restored = |one: &Deployment| one.restored_at().is_some() && !one.drained();
            self.found.iter().rposition(|one| of(one) && restored(one))
        };
        open.or_else(|| if verb == "drain" { after() } else { None })
    }

    /// A step's stage, environment and path.
    fn step(&self, step: StepIndex) -> (Option<Arc<str>>, Option<Arc<str>>, Arc<str>) {
        let Some((stage, name)) = self.steps.get(&step) else { return (None, None, "host".into()) };
        match self.stages.get(stage) {
            Some((stage, environment)) => {
                (Some(Arc::clone(stage)), environment.clone(), format!("{stage}/{name}").into())
            }
            None => (None, None, Arc::clone(name)),
        }
    }
}

impl Deployment {
    /// What a call that went well means.
    fn take(&mut self, verb: &str, args: &Value, ok: &Value) -> Option<What> {
        Some(match verb {
            "set-endpoints" => {
                let revision = text(args, "revision")?;
                let endpoints = args.get("endpoints")?.as_array()?;
                let names = endpoints.iter().filter_map(|one| text(one, "container"));
                self.containers.entry(revision.clone()).or_default().extend(names);
                let ready = endpoints.iter().filter(|one| one.get("ready").and_then(Value::as_bool) == Some(true));
                let what = What::Replicas { revision, ready: ready.count(), all: endpoints.len() };
                // What is said again is no news.
                let last = self.events.iter().rev().find(|event| replicas_of(&event.what) == replicas_of(&what));
                if last.is_some_and(|last| last.what == what) {
                    return None;
                }
                what
            }
            "shift" => What::Weights(weights(args, "revision")),
            "take-down" => What::Weights(Vec::new()),
            "hold" => What::Held,
            "release" => What::Released,
            "judge" => {
                let judged = args.get("judgement")?;
                What::Judged(Verdict {
                    revision: text(judged, "revision")?,
                    metric: text(judged, "metric")?,
                    verdict: text(judged, "verdict")?,
                    next: text(judged, "next").unwrap_or_default(),
                    reason: text(judged, "reason").unwrap_or_default(),
                })
            }
            "commit" => What::Committed,
            "restore" => What::Restored(self.before.clone()),
            "drain" => {
                let count = |key| ok.get(key).and_then(Value::as_u64).unwrap_or_default();
                What::Drained { revision: text(args, "revision")?, left: count("in-flight"), cut: count("cut") }
            }
            "retire" => What::Retired(text(args, "revision")?),
            "finish" => What::Finished,
            _ => return None,
        })
    }

    /// Whether the failed revision has been drained.
    fn drained(&self) -> bool {
        let of_it = |what: &What| matches!(what, What::Drained { revision, .. } if *revision == self.revision);
        let restored = self.events.iter().skip_while(|event| !matches!(event.what, What::Restored(_)));
        restored.into_iter().any(|event| of_it(&event.what))
    }
}

fn replicas_of(what: &What) -> Option<&str> {
    match what {
        What::Replicas { revision, .. } => Some(revision),
        _ => None,
    }
}

/// What revisions get, of a list of weights or of what the router has; those that get nothing are left out.
fn weights(of: &Value, name: &str) -> Vec<(String, u64)> {
    let key = if name == "name" { "revisions" } else { "weights" };
    let all = of.get(key).and_then(Value::as_array).into_iter().flatten();
    let weights = all.filter_map(|one| Some((text(one, name)?, one.get("weight")?.as_u64()?)));
    weights.filter(|(_, weight)| *weight > 0).collect()
}

/// The containers of the revisions that the router has.
fn containers(state: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let revisions = state.get("revisions").and_then(Value::as_array).into_iter().flatten();
    let of = |revision: &Value| {
        let endpoints = revision.get("endpoints").and_then(Value::as_array).into_iter().flatten();
        Some((text(revision, "name")?, endpoints.filter_map(|one| text(one, "container")).collect()))
    };
    revisions.filter_map(of).collect()
}

/// Why a call failed: the words of the error, whatever its kind.
fn why(answer: &Value) -> String {
    match answer.get("err") {
        Some(Value::Object(error)) => {
            let said = error.iter().map(|(kind, why)| match why.as_str() {
                Some(why) => format!("{kind}: {why}"),
                None => format!("{kind}: {why}"),
            });
            said.collect::<Vec<_>>().join(", ")
        }
        Some(error) => error.to_string(),
        None => String::new(),
    }
}

fn text(of: &Value, key: &str) -> Option<String> {
    of.get(key)?.as_str().map(str::to_owned)
}
