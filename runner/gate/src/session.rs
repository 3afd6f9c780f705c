//! One attempt of a step, seen from the gate: authorise, `Start`, effect, `End`, answer.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use windlass_journal::{CallId, FailureKind, InDoubtAnswer, Record, StepIndex, now_micros};

use crate::api::{self, Operation};
use crate::crash::{self, Label, Phase};
use crate::demands::owned;
use crate::tape::Played;
use crate::{
    Answer, Authority, Call, CallError, Capability, Divergence, Function, Gate, InDoubt, Interrupt, Kind, Mode,
    Playback, RecordedCall, StepLog, Stop,
};

/// What the sandbox observes has no arguments.
const NO_ARGS: &str = "{}";

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
    /// The recorded calls of this attempt, and what to do with them.
    pub playback: Option<Playback>,
    /// Whether a call that must not be made twice is made again all the same when its end is not known.
    pub repeat_in_doubt: bool,
}

/// One attempt of a step. Its calls have a total order.
pub struct Session {
    gate: Arc<Gate>,
    step: StepIndex,
    attempt: u32,
    pub(crate) authority: Authority,
    max_calls: u64,
    next: u32,
    log: StepLog,
    /// What this session made itself, and may therefore touch without a grant.
    pub(crate) made: HashSet<String>,
    last_error: Option<CallError>,
    playback: Option<Playback>,
    repeat_in_doubt: bool,
    /// Why the record could not be followed.
    strayed: Option<Interrupt>,
}

impl Session {
    /// Begins an attempt.
    pub fn new(gate: Arc<Gate>, options: SessionOptions) -> Self {
        let SessionOptions { step, attempt, authority, max_calls, max_log, mut playback, repeat_in_doubt } = options;
        let log = StepLog::new(gate.writer.clone(), step, attempt, max_log, gate.run.secrets.redactor().clone());
        if let Some(playback) = playback.as_mut().filter(|playback| playback.mode() != Mode::Offline) {
            // What is answered from the record was logged when it was recorded.
            match playback.printed() {
                Some(printed) => log.leave_out(printed),
                None => log.mute(),
            }
        }
        let (next, made, last_error, strayed) = (0, HashSet::new(), None, None);
        Self {
            gate,
            step,
            attempt,
            authority,
            max_calls,
            next,
            log,
            made,
            last_error,
            playback,
            repeat_in_doubt,
            strayed,
        }
    }

    /// The step.
    pub fn step(&self) -> StepIndex {
        self.step
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
        let kind = function.kind(&args);
        // What the plugin did not ask for is denied as a call of its own, not as a part of one.
        if kind == Kind::Composite && self.asked_for(function).is_ok() {
            return self.compose(function, &args).await;
        }
        let id = self.next_call()?;
        let before = match self.recorded_answer(id, function, &args)? {
            Played::Answer(answer) => return Ok(self.replayed(id, function, args, answer)),
            Played::InDoubt(before) => Some(before),
            Played::New => None,
        };
        let grant = match self.authorise(function, &args) {
            Ok(grant) => grant,
            Err(error) => return Ok(self.recorded(id, function, args, None, Err(error), 0)),
        };
        if function == Function::MetricsEmit {
            return Ok(self.emit(id, args));
        }
        let Some(capability) = self.gate.capability(function.row().capability).cloned() else {
            let error = CallError::Unavailable(format!("this run has no capability `{}`", function.row().capability));
            return Ok(self.recorded(id, function, args, grant, Err(error), 0));
        };
        let began_before = before.as_ref().map(|before| now_micros().saturating_sub(before.began)).unwrap_or_default();
        let call = Call {
            function,
            id,
            args: args.as_str().into(),
            authority: self.authority.clone(),
            run: Arc::clone(&self.gate.run),
            log: self.log.clone(),
            began_before: Duration::from_micros(began_before),
        };
        match kind {
            Kind::Record | Kind::Composite => {
                let began = now_micros();
                let result = capability.perform(call).await;
                Ok(self.recorded(id, function, args, grant, result, now_micros().saturating_sub(began)))
            }
            Kind::Wait => {
                if before.is_none() {
                    self.start(id, function, &args, grant);
                }
                let result = capability.perform(call).await;
                Ok(self.ended(id, function, &args, &result))
            }
            Kind::Effect(in_doubt) => self.effect(capability, call, in_doubt, grant, before).await,
        }
    }

    /// Changes the world: nothing is done before it is durable that it is about to be.
    async fn effect(
        &mut self,
        capability: Arc<dyn Capability>,
        call: Call,
        in_doubt: InDoubt,
        grant: Option<String>,
        before: Option<RecordedCall>,
    ) -> Result<String, Interrupt> {
        let (id, function, args) = (call.id, call.function, Arc::clone(&call.args));
        for guard in &self.gate.guards {
            if let Some(reason) = guard.veto(&call).await {
                let result = Err(CallError::Denied(reason));
                return Ok(match before {
                    Some(_) => self.ended(id, function, &args, &result),
                    None => self.recorded(id, function, args.to_string(), grant, result, 0),
                });
            }
        }
        match &before {
            Some(before) if in_doubt == InDoubt::Fail && !self.repeat_in_doubt => {
                // Whoever answers that it may be repeated says so for this one time.
                if before.told != Some(InDoubtAnswer::Repeat) {
                    return Err(Interrupt::InDoubt { call: id, function: function.name() });
                }
                self.start(id, function, &args, grant);
            }
            Some(_) => {}
            None => self.start(id, function, &args, grant),
        }
        self.gate.writer.flush().await.map_err(|error| Interrupt::Journal(Arc::new(error)))?;
        let label = self.label(id, function, &args);
        crash::point(&label, Phase::StartDurable);
        self.gate.note_acted(function.row().capability);
        let gate = Arc::clone(&self.gate);
        let effect = async move {
            let result = capability.perform(call).await;
            crash::point(&label, Phase::EffectDone);
            let answer = gate.run.secrets.redactor().text(to_json(&result));
            let ended = Record::CallEnded { call: id, answer: answer.clone() };
            crash::append(&gate.writer, &label, Phase::EndQueued, ended);
            (result, answer)
        };
        // What is being made is seen through even when the step is cancelled meanwhile:
        // otherwise the daemon may finish it after the clean-up has looked.
        let (result, answer) = if in_doubt == InDoubt::Adopt {
            match self.gate.under_way.spawn(effect).await {
                Ok(done) => done,
                Err(error) => {
                    let result = Err(CallError::Other(format!("{} broke off: {error}", function.name())));
                    return Ok(self.ended(id, function, &args, &result));
                }
            }
        } else {
            effect.await
        };
        self.remember(function, &args, &result);
        Ok(answer)
    }

    /// Records what the sandbox sees on the plugin's behalf: a clock, a seed.
    ///
    /// # Errors
    /// [`Interrupt`] if the step cannot go on.
    pub fn observe(&mut self, function: Function, see: impl FnOnce() -> Json) -> Result<Json, Interrupt> {
        match self.played(function)? {
            Some(seen) => Ok(seen),
            None => {
                let call = self.next_call()?;
                let seen = see();
                self.recorded(call, function, NO_ARGS.to_owned(), None, Ok(seen.clone()), 0);
                Ok(seen)
            }
        }
    }

    /// What the record says that was seen here; nothing if it has to be seen now, and then
    /// [`Session::observe`] records it.
    ///
    /// # Errors
    /// [`Interrupt`] if the step cannot go on.
    pub fn played(&mut self, function: Function) -> Result<Option<Json>, Interrupt> {
        let call = CallId { step: self.step, attempt: self.attempt, ordinal: self.next };
        let answer = match self.recorded_answer(call, function, NO_ARGS)? {
            Played::Answer(answer) => answer,
            Played::InDoubt(_) | Played::New => return Ok(None),
        };
        self.next_call()?;
        let answer = self.replayed(call, function, NO_ARGS.to_owned(), answer);
        match serde_json::from_str(&answer) {
            Ok(Answer::Ok(seen)) => Ok(Some(seen)),
            _ => Err(Interrupt::Record(format!("call {} (`{}`) has no value", call.ordinal + 1, function.name()))),
        }
    }

    /// Why the record could not be followed, if it could not.
    pub fn strayed(&self) -> Option<&Interrupt> {
        self.strayed.as_ref()
    }

    /// The function that the record has next, if it has one.
    pub fn recorded_next(&self) -> Option<Function> {
        self.playback.as_ref()?.rest().first().and_then(|call| Function::by_name(&call.function))
    }

    /// Whether what the plugin does now is answered from a record.
    pub fn is_playing(&self) -> bool {
        self.playback.as_ref().is_some_and(Playback::is_playing)
    }

    /// The recorded call that the plugin should have made next, now that it makes no more.
    pub fn unplayed(&self) -> Option<Divergence> {
        let recorded = self.playback.as_ref()?.rest().first()?;
        let call = CallId { step: self.step, attempt: self.attempt, ordinal: self.next };
        let recorded = Some((Arc::clone(&recorded.function), recorded.args.clone()));
        Some(Divergence { call, recorded, actual: None })
    }

    /// Makes a call of the host's own among those of the step: nothing has to be granted.
    ///
    /// # Errors
    /// As [`Session::call`].
    pub async fn call_as_host<O: Operation>(&mut self, operation: &O) -> Result<O::Answer, Stop> {
        let authority = std::mem::replace(&mut self.authority, Authority::Host);
        let answer = self.call(operation).await;
        self.authority = authority;
        answer
    }

    fn recorded_answer(&mut self, call: CallId, function: Function, args: &str) -> Result<Played, Interrupt> {
        // What this run does not grant is denied, whatever was recorded elsewhere.
        let offline = self.playback.as_ref().is_some_and(|playback| playback.mode() == Mode::Offline);
        let denied = offline && self.authorise(function, args).is_err();
        let Some(playback) = &mut self.playback else { return Ok(Played::New) };
        if denied {
            playback.pass_over(function, args);
            return Ok(Played::New);
        }
        let played = playback.next(call, function, args);
        if let Err(interrupt) = &played {
            self.strayed = Some(interrupt.clone());
        }
        // An offline run has a log of its own, and nothing is in it yet.
        if let Some(printed) = playback.printed().filter(|_| !offline) {
            self.log.leave_out(printed);
        }
        played
    }

    /// Takes an answer from the record.
    fn replayed(&mut self, call: CallId, function: Function, args: String, answer: String) -> String {
        let result = match serde_json::from_str::<Answer<Json>>(&answer) {
            Ok(Answer::Ok(answer)) => Ok(answer),
            Ok(Answer::Err(error)) => Err(error),
            Err(error) => Err(CallError::Other(format!("the recorded answer cannot be read: {error}"))),
        };
        self.remember(function, &args, &result);
        if matches!(function.kind(&args), Kind::Effect(_)) {
            self.gate.note_acted(function.row().capability);
        }
        if self.playback.as_ref().is_some_and(|playback| playback.mode() == Mode::Offline) {
            let grant = self.authorise(function, &args).unwrap_or_default();
            let function = function.name().into();
            self.gate.writer.append(Record::CallRecorded {
                call,
                function,
                args,
                grant,
                answer: answer.clone(),
                took: 0,
            });
        }
        answer
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

    fn emit(&mut self, id: CallId, args: String) -> String {
        match serde_json::from_str::<api::metrics::Emit>(&args) {
            Ok(api::metrics::Emit { metric }) => {
                let labels = metric.labels.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect();
                let label = self.label(id, Function::MetricsEmit, &args);
                let api::metrics::Metric { name, value, unit, .. } = metric;
                let record = Record::Metric { call: id, name, value, unit, labels };
                crash::append(&self.gate.writer, &label, Phase::EndQueued, record);
                self.answered(Ok(Json::Null))
            }
            Err(error) => {
                let error = CallError::Invalid(error.to_string());
                self.recorded(id, Function::MetricsEmit, args, None, Err(error), 0)
            }
        }
    }

    /// Says that a call begins.
    fn start(&self, call: CallId, function: Function, args: &str, grant: Option<String>) {
        let label = self.label(call, function, args);
        let function = function.name().into();
        let started = Record::CallStarted { call, function, args: args.to_owned(), grant };
        crash::append(&self.gate.writer, &label, Phase::StartQueued, started);
    }

    fn label(&self, call: CallId, function: Function, args: &str) -> Label {
        Label::new(&self.authority, call, function, args)
    }

    /// Says how a call that had begun ended.
    fn ended(&mut self, call: CallId, function: Function, args: &str, result: &Result<Json, CallError>) -> String {
        let answer = self.gate.run.secrets.redactor().text(to_json(result));
        self.remember(function, args, result);
        let label = self.label(call, function, args);
        let ended = Record::CallEnded { call, answer: answer.clone() };
        crash::append(&self.gate.writer, &label, Phase::EndQueued, ended);
        answer
    }

    fn recorded(
        &mut self,
        call: CallId,
        function: Function,
        args: String,
        grant: Option<String>,
        result: Result<Json, CallError>,
        took: u64,
    ) -> String {
        let answer = self.gate.run.secrets.redactor().text(to_json(&result));
        self.remember(function, &args, &result);
        let label = self.label(call, function, &args);
        let (function, answer_recorded) = (function.name().into(), answer.clone());
        let record = Record::CallRecorded { call, function, args, grant, answer: answer_recorded, took };
        crash::append(&self.gate.writer, &label, Phase::EndQueued, record);
        answer
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

/// Who has to act when a step with this last error fails.
impl From<&CallError> for FailureKind {
    fn from(error: &CallError) -> Self {
        error.failure_kind()
    }
}
