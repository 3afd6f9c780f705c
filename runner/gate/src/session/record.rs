//! What a call leaves in the journal, around the effect itself.

use std::sync::Arc;

use serde_json::Value as Json;
use windlass_journal::{CallId, Decision, InDoubtAnswer, Record};

use super::{MOST_ERRORS, Session, to_json};
use crate::crash::{self, Label, Phase};
use crate::demands::owned;
use crate::{Authority, Call, CallError, Capability, Function, InDoubt, Interrupt, RecordedCall, Stop, api};

impl Session {
    /// Changes the world: nothing is done before it is durable that it is about to be.
    pub(super) async fn effect(
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
                    let interrupt = Interrupt::InDoubt { call: id, function: function.name() };
                    self.strayed = Some(interrupt.clone());
                    return Err(interrupt);
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
        let was_under_way = before.is_some();
        let effect = async move {
            let result = capability.perform(call).await;
            if was_under_way && matches!(result, Err(CallError::Lost(_))) {
                // It has no end that could be recorded.
                return (result, String::new());
            }
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
        if was_under_way && matches!(result, Err(CallError::Lost(_))) {
            let interrupt = Interrupt::InDoubt { call: id, function: function.name() };
            self.strayed = Some(interrupt.clone());
            return Err(interrupt);
        }
        self.remember(function, &args, &result);
        Ok(answer)
    }

    pub(super) async fn compose(&mut self, function: Function, args: &str) -> Result<String, Interrupt> {
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
    pub(super) fn answered(&mut self, result: Result<Json, CallError>) -> String {
        let answer = to_json(&result);
        match result {
            Ok(_) => self.last_failed = false,
            Err(error) => self.note_error(&error),
        }
        answer
    }

    pub(super) fn emit(&mut self, id: CallId, args: String) -> String {
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

    /// Waits for a person.
    pub(super) async fn decision(&mut self, id: CallId, args: String, grant: Option<String>, began: bool) -> String {
        let function = Function::ApprovalWait;
        let wait = serde_json::from_str::<api::approval::Wait>(&args);
        let (Ok(wait), Authority::Step(step)) = (wait, self.authority.clone()) else {
            let error = CallError::Invalid("only a step can wait for a decision".to_owned());
            return self.recorded(id, function, args, grant, Err(error), 0);
        };
        if !began {
            self.start(id, function, &args, grant);
        }
        let gate = Arc::clone(&self.gate);
        let message = gate.run.secrets.redactor().text(wait.message);
        let decided = gate.approvals.wait(&step.stage, id, &message).await;
        let Decision { approved, by, why, .. } = decided;
        let answer = serde_json::to_value(api::approval::Decision { approved, by, reason: why });
        self.ended(id, function, &args, &answer.map_err(|error| CallError::Other(error.to_string())))
    }

    /// Says that a call begins.
    pub(super) fn start(&self, call: CallId, function: Function, args: &str, grant: Option<String>) {
        let label = self.label(call, function, args);
        let function = function.name().into();
        let started = Record::CallStarted { call, function, args: args.to_owned(), grant };
        crash::append(&self.gate.writer, &label, Phase::StartQueued, started);
    }

    pub(super) fn label(&self, call: CallId, function: Function, args: &str) -> Label {
        Label::new(&self.authority, call, function, args)
    }

    /// Says how a call that had begun ended.
    pub(super) fn ended(
        &mut self,
        call: CallId,
        function: Function,
        args: &str,
        result: &Result<Json, CallError>,
    ) -> String {
        let answer = self.gate.run.secrets.redactor().text(to_json(result));
        self.remember(function, args, result);
        let label = self.label(call, function, args);
        let ended = Record::CallEnded { call, answer: answer.clone() };
        crash::append(&self.gate.writer, &label, Phase::EndQueued, ended);
        answer
    }

    pub(super) fn recorded(
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

    /// With the words that the plugin gets.
    fn note_error(&mut self, error: &CallError) {
        self.last_failed = true;
        if self.errors.back().is_some_and(|(last, _)| last == error) {
            return;
        }
        if self.errors.len() == MOST_ERRORS {
            self.errors.pop_front();
        }
        let said = self.gate.run.secrets.redactor().text(error.message().to_owned());
        self.errors.push_back((error.clone(), said));
    }

    pub(super) fn remember(&mut self, function: Function, args: &str, result: &Result<Json, CallError>) {
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => {
                self.note_error(error);
                return;
            }
        };
        self.last_failed = false;
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
