//! One attempt of a step, seen from the gate: authorise, `Start`, effect, `End`, answer.

mod playback;
mod record;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use windlass_journal::{CallId, FailureKind, StepIndex, now_micros};

use crate::api::Operation;
use crate::tape::{self, Played};
use crate::{Answer, Authority, Call, CallError, Function, Gate, Interrupt, Kind, Mode, Playback, StepLog, Stop};

/// How many errors are remembered: a step that polls may have very many.
const MOST_ERRORS: usize = 64;

/// What a session is for.
pub struct SessionOptions {
    /// The step, or [`StepIndex::HOST`].
    pub step: StepIndex,
    /// Which attempt, from 1. The host's first is what it does after the last step; in others it ends what a step has
    /// left open, which can be done twice and is not played again.
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
    environment: Option<Arc<str>>,
    max_calls: u64,
    next: u32,
    log: StepLog,
    /// What this session made itself, and may therefore touch without a grant.
    pub(crate) made: HashSet<String>,
    /// What calls answered with instead of a result, and the words that the plugin got, the newest last.
    errors: VecDeque<(CallError, String)>,
    /// Whether the last call did.
    last_failed: bool,
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
        let environment = match &authority {
            Authority::Host => None,
            Authority::Step(step) => step.environment.clone(),
        };
        let (next, made, strayed) = (0, HashSet::new(), None);
        Self {
            gate,
            step,
            attempt,
            authority,
            environment,
            max_calls,
            next,
            log,
            made,
            errors: VecDeque::new(),
            last_failed: false,
            playback,
            repeat_in_doubt,
            strayed,
        }
    }

    /// From here on a session of the host is about what belongs to this environment. That of a step stays in its own.
    pub fn set_environment(&mut self, environment: Option<Arc<str>>) {
        if matches!(self.authority, Authority::Host) {
            self.environment = environment;
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

    /// The error that the last call answered with, a denial included, if it did.
    pub fn last_error(&self) -> Option<&CallError> {
        self.errors.back().filter(|_| self.last_failed).map(|(error, _)| error)
    }

    /// Who has to act when the step fails with these words. The gate says it, and not the plugin: by the error that the
    /// words report, the newest that they do, since a plugin may have tidied up after it; else by the last call.
    pub fn failure_kind(&self, message: &str) -> FailureKind {
        let mut reported = self.errors.iter().rev().filter(|(_, said)| !said.is_empty() && message.contains(said));
        let error = reported.next().map(|(error, _)| error).or_else(|| self.last_error());
        error.map_or(FailureKind::Failed, CallError::failure_kind)
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
        // A test case answers for the people.
        if function == Function::ApprovalWait && self.gate.capability(function.row().capability).is_none() {
            return Ok(self.decision(id, args, grant, before.is_some()).await);
        }
        let Some(capability) = self.gate.capability(function.row().capability).cloned() else {
            let error = CallError::Unavailable(format!("this run has no capability `{}`", function.row().capability));
            return Ok(self.recorded(id, function, args, grant, Err(error), 0));
        };
        // Durable with the call's beginning: whoever goes on after a crash has to take them out of output, too.
        for secret in tape::secrets(&args) {
            // If it cannot be read, the call's answer says why.
            drop(self.gate.run.secrets.check(&secret));
        }
        let began_before = before.as_ref().map(|before| now_micros().saturating_sub(before.began)).unwrap_or_default();
        let call = Call {
            function,
            id,
            args: args.as_str().into(),
            authority: self.authority.clone(),
            environment: self.environment.clone(),
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

    fn next_call(&mut self) -> Result<CallId, Interrupt> {
        if u64::from(self.next) >= self.max_calls {
            return Err(Interrupt::TooManyCalls { limit: self.max_calls });
        }
        let call = CallId { step: self.step, attempt: self.attempt, ordinal: self.next };
        self.next += 1;
        Ok(call)
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
