//! One attempt of a step, seen from the gate: authorise, `Start`, effect, `End`, answer.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value as Json;
use windlass_journal::{CallId, FailureKind, Record, StepIndex};
use windlass_pipeline::{Grants, Rule};

use crate::api::{self, Operation};
use crate::demands::owned;
use crate::{Answer, Authority, Call, CallError, Function, Gate, InDoubt, Interrupt, Kind, Need, StepLog, Stop};

/// What a session is for.
pub struct SessionOptions {
    /// The step, or [`StepIndex::HOST`].
    pub step: StepIndex,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Who calls.
    pub authority: Authority,
    /// How many calls it may make.
    pub max_calls: u64,
    /// How many bytes its log may have.
    pub max_log: u64,
}

/// One attempt of a step. Its calls have a total order.
pub struct Session {
    gate: Arc<Gate>,
    step: StepIndex,
    attempt: u32,
    authority: Authority,
    max_calls: u64,
    next: u32,
    log: StepLog,
    /// What this session made itself, and may therefore touch without a grant.
    made: HashSet<String>,
    last_error: Option<CallError>,
}

impl Session {
    /// Begins an attempt.
    pub fn new(gate: Arc<Gate>, options: SessionOptions) -> Self {
        let SessionOptions { step, attempt, authority, max_calls, max_log } = options;
        let log = StepLog::new(gate.writer.clone(), step, attempt, max_log, gate.run.secrets.redactor().clone());
        Self { gate, step, attempt, authority, max_calls, next: 0, log, made: HashSet::new(), last_error: None }
    }

    /// The step's log.
    pub fn log(&self) -> &StepLog {
        &self.log
    }

    /// The gate that it calls through.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// The last error that a call answered with, a denial included. It says why a step failed
    /// without asking the plugin.
    pub fn last_error(&self) -> Option<&CallError> {
        self.last_error.as_ref()
    }

    /// Makes a typed call.
    ///
    /// # Errors
    /// The answer's error, or the end of the step.
    pub async fn call<O: Operation>(&mut self, operation: &O) -> Result<O::Answer, Stop> {
        let args = serde_json::to_string(operation).map_err(|error| CallError::Invalid(error.to_string()))?;
        let answer = self.call_json(O::FUNCTION, args).await?;
        match serde_json::from_str::<Answer<O::Answer>>(&answer) {
            Ok(Answer::Ok(answer)) => Ok(answer),
            Ok(Answer::Err(error)) => Err(error.into()),
            Err(error) => {
                Err(CallError::Other(format!("the answer of {} is not of its form: {error}", O::FUNCTION.name()))
                    .into())
            }
        }
    }

    /// Makes a call with arguments and answer as the journal holds them.
    ///
    /// # Errors
    /// [`Interrupt`] if the step cannot go on. An error of the call itself is an answer.
    pub async fn call_json(&mut self, function: Function, args: String) -> Result<String, Interrupt> {
        let row = function.row();
        let kind = function.kind(&args);
        // What the plugin did not ask for is denied as a call of its own, not as a part of one.
        if kind == Kind::Composite && self.asked_for(function).is_ok() {
            return self.compose(function, &args).await;
        }
        let id = self.next_call()?;
        let grant = match self.authorise(function, &args) {
            Ok(grant) => grant,
            Err(error) => return Ok(self.recorded(id, function, args, None, Err(error))),
        };
        if function == Function::MetricsEmit {
            return Ok(self.emit(id, &args));
        }
        let Some(capability) = self.gate.capability(row.capability).cloned() else {
            let error = CallError::Unavailable(format!("this run has no capability `{}`", row.capability));
            return Ok(self.recorded(id, function, args, grant, Err(error)));
        };
        let call = Call {
            function,
            id,
            args: args.as_str().into(),
            authority: self.authority.clone(),
            run: Arc::clone(&self.gate.run),
            log: self.log.clone(),
        };
        if matches!(kind, Kind::Effect(_)) {
            for guard in &self.gate.guards {
                if let Some(reason) = guard.veto(&call).await {
                    return Ok(self.recorded(id, function, args, grant, Err(CallError::Denied(reason))));
                }
            }
        }
        match kind {
            Kind::Record | Kind::Composite => {
                let result = capability.perform(call).await;
                Ok(self.recorded(id, function, args, grant, result))
            }
            Kind::Effect(in_doubt) => {
                let started =
                    Record::CallStarted { call: id, function: function.name().into(), args: args.clone(), grant };
                self.gate.writer.append_durable(started).await.map_err(|error| Interrupt::Journal(Arc::new(error)))?;
                self.gate.note_acted(row.capability);
                let gate = Arc::clone(&self.gate);
                let effect = async move {
                    let result = capability.perform(call).await;
                    let answer = gate.run.secrets.redactor().text(to_json(&result));
                    gate.writer.append(Record::CallEnded { call: id, answer: answer.clone() });
                    (result, answer)
                };
                // What is being made is seen through even when the step is cancelled meanwhile:
                // otherwise the daemon may finish it after the clean-up has looked.
                let (result, answer) = if in_doubt == InDoubt::Adopt {
                    match self.gate.under_way.spawn(effect).await {
                        Ok(done) => done,
                        Err(error) => {
                            let result = Err(CallError::Other(format!("{} broke off: {error}", function.name())));
                            let answer = to_json(&result);
                            self.gate.writer.append(Record::CallEnded { call: id, answer: answer.clone() });
                            (result, answer)
                        }
                    }
                } else {
                    effect.await
                };
                self.remember(function, &args, &result);
                Ok(answer)
            }
        }
    }

    /// Records what the sandbox sees on the plugin's behalf: a clock, a seed.
    ///
    /// # Errors
    /// [`Interrupt`] if the step cannot go on.
    pub fn observe(&mut self, function: Function, see: impl FnOnce() -> Json) -> Result<Json, Interrupt> {
        let call = self.next_call()?;
        let seen = see();
        let answer = to_json(&Ok(seen.clone()));
        self.gate.writer.append(Record::CallRecorded {
            call,
            function: function.name().into(),
            args: "{}".to_owned(),
            grant: None,
            answer,
        });
        Ok(seen)
    }

    /// Stub, until playback is on main.
    #[allow(clippy::unnecessary_wraps, unused_variables, missing_docs, reason = "stub")]
    pub fn played(&mut self, function: Function) -> Result<Option<Json>, Interrupt> {
        Ok(None)
    }

    fn next_call(&mut self) -> Result<CallId, Interrupt> {
        if u64::from(self.next) >= self.max_calls {
            return Err(Interrupt::TooManyCalls { limit: self.max_calls });
        }
        let call = CallId { step: self.step, attempt: self.attempt, ordinal: self.next };
        self.next += 1;
        Ok(call)
    }

    async fn compose(&mut self, function: Function, args: &str) -> Result<String, Interrupt> {
        let Some(capability) = self.gate.capability(function.row().capability).cloned() else {
            let error = CallError::Unavailable(format!("this run has no capability `{}`", function.row().capability));
            return Ok(self.answered(Err(error)));
        };
        match capability.compose(function, args, self).await {
            Ok(answer) => Ok(self.answered(Ok(answer))),
            Err(Stop::Error(error)) => Ok(self.answered(Err(error))),
            Err(Stop::Interrupt(interrupt)) => Err(interrupt),
        }
    }

    /// The answer of a composite is made of answers that are redacted already.
    fn answered(&mut self, result: Result<Json, CallError>) -> String {
        let answer = to_json(&result);
        self.last_error = result.err();
        answer
    }

    fn emit(&mut self, id: CallId, args: &str) -> String {
        match serde_json::from_str::<api::metrics::Emit>(args) {
            Ok(api::metrics::Emit { metric }) => {
                let labels = metric.labels.into_iter().map(|pair| (pair.name, pair.value)).collect();
                self.gate.writer.append(Record::Metric {
                    call: id,
                    name: metric.name,
                    value: metric.value,
                    unit: metric.unit,
                    labels,
                });
                self.answered(Ok(Json::Null))
            }
            Err(error) => self.answered(Err(CallError::Invalid(error.to_string()))),
        }
    }

    fn recorded(
        &mut self,
        call: CallId,
        function: Function,
        args: String,
        grant: Option<String>,
        result: Result<Json, CallError>,
    ) -> String {
        let answer = self.gate.run.secrets.redactor().text(to_json(&result));
        self.remember(function, &args, &result);
        self.gate.writer.append(Record::CallRecorded {
            call,
            function: function.name().into(),
            args,
            grant,
            answer: answer.clone(),
        });
        answer
    }

    /// The grant that allows the call, in words; or the denial.
    fn authorise(&self, function: Function, args: &str) -> Result<Option<String>, CallError> {
        let row = function.row();
        self.asked_for(function)?;
        let needs =
            (row.needs)(args).map_err(|error| CallError::Invalid(format!("arguments of {}: {error}", row.name)))?;
        let Authority::Step(authority) = &self.authority else { return Ok(None) };
        let mut allowed = String::new();
        for need in &needs {
            if need.owned_as.as_ref().is_some_and(|key| self.made.contains(key)) {
                continue;
            }
            match need.any_of.iter().find_map(|want| want.allowed_by(&authority.grants)) {
                Some(rule) => describe(&mut allowed, rule),
                None => return Err(denial(row.name, need, &authority.stage, &authority.step)),
            }
        }
        Ok((!allowed.is_empty()).then_some(allowed))
    }

    /// Whether the plugin's description asks for the capability at all.
    fn asked_for(&self, function: Function) -> Result<(), CallError> {
        let row = function.row();
        match &self.authority {
            Authority::Step(step)
                if !row.asked_as.is_empty() && !step.asked.iter().any(|asked| asked == row.asked_as) =>
            {
                Err(CallError::Denied(format!(
                    "{} was called, but the plugin's description does not ask for `{}`; its author has to add it to `capabilities`",
                    row.name, row.asked_as
                )))
            }
            _ => Ok(()),
        }
    }

    fn remember(&mut self, function: Function, args: &str, result: &Result<Json, CallError>) {
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => {
                self.last_error = Some(error.clone());
                return;
            }
        };
        self.last_error = None;
        let id = answer.get("id").and_then(Json::as_str);
        let name = |pointer: &str| {
            let args: Json = serde_json::from_str(args).unwrap_or_default();
            args.pointer(pointer).and_then(Json::as_str).filter(|name| !name.is_empty()).map(str::to_owned)
        };
        match function {
            Function::DockerBuild => self.made.extend(id.map(|id| owned("image", id))),
            Function::DockerCreate => {
                self.made.extend(id.map(|id| owned("id", id)));
                self.made.extend(name("/name").map(|name| owned("container", &name)));
            }
            Function::DockerExecCreate => self.made.extend(id.map(|id| owned("id", id))),
            Function::DockerCreateNetwork => self.made.extend(name("/name").map(|name| owned("network", &name))),
            Function::DockerCreateVolume => self.made.extend(name("/name").map(|name| owned("volume", &name))),
            _ => {}
        }
    }
}

fn to_json(result: &Result<Json, CallError>) -> String {
    let text = match result {
        Ok(answer) => serde_json::to_string(&Answer::Ok(answer)),
        Err(error) => serde_json::to_string(&Answer::<()>::Err(error.clone())),
    };
    // A `Json` and a `CallError` always have a text.
    text.unwrap_or_else(|error| format!(r#"{{"err":{{"other":"{error}"}}}}"#))
}

fn describe(text: &mut String, rule: &Rule) {
    if !text.is_empty() {
        text.push_str("; ");
    }
    let _ = write!(
        text,
        "{}.{} {:?} at {}:{}",
        rule.capability, rule.verb, rule.text, rule.location.line, rule.location.column
    );
}

fn denial(function: &str, need: &Need, stage: &str, step: &str) -> CallError {
    CallError::Denied(match need.any_of.first() {
        Some(want) if want.verb.is_empty() => format!(
            "{function} is not granted: add `{}` to `grants` of step `{step}` in stage `{stage}`",
            want.capability
        ),
        Some(want) => format!(
            "{function} is not granted for `{}`: {}",
            want.resource,
            Grants::denial_hint(&want.demand(), stage, step)
        ),
        None => format!("{function} is for what the step made itself, and it made nothing of this id"),
    })
}

/// Who has to act when a step with this last error fails.
impl From<&CallError> for FailureKind {
    fn from(error: &CallError) -> Self {
        error.failure_kind()
    }
}
