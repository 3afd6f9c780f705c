//! A session that has a record to follow.

use std::sync::Arc;

use serde_json::Value as Json;
use windlass_journal::{CallId, Record};

use super::{Session, SessionOptions};
use crate::tape::Played;
use crate::{
    Answer, Authority, CallError, Divergence, Function, Gate, Interrupt, Kind, Mode, Playback, RecordedCall, Tape,
};

/// What the sandbox observes has no arguments.
const NO_ARGS: &str = "{}";

impl Session {
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

    /// Makes once more the one call of a broken-off attempt whose end is not known, so that what it may be making is
    /// there when the clean-up looks: the other side may still be at work on it.
    ///
    /// # Errors
    /// [`Interrupt`] if the journal cannot be written.
    pub async fn settle(
        gate: Arc<Gate>,
        id: CallId,
        environment: Option<Arc<str>>,
        recorded: RecordedCall,
    ) -> Result<(), Interrupt> {
        let Some(function) = Function::by_name(&recorded.function) else { return Ok(()) };
        let args = recorded.args.clone();
        let tape = Tape { calls: vec![recorded], ..Tape::default() };
        let options = SessionOptions {
            step: id.step,
            attempt: id.attempt,
            authority: Authority::Host,
            max_calls: u64::MAX,
            max_log: 0,
            playback: Some(Playback::new(tape, Mode::Resume)),
            repeat_in_doubt: false,
        };
        let mut session = Self::new(gate, options);
        session.next = id.ordinal;
        session.environment = environment;
        session.call_json(function, args).await.map(drop)
    }

    /// Why the record could not be followed, if it could not.
    pub fn strayed(&self) -> Option<&Interrupt> {
        self.strayed.as_ref()
    }

    /// The function that the record has next, if it has one.
    pub fn recorded_next(&self) -> Option<Function> {
        self.playback.as_ref()?.rest().first().and_then(|call| Function::by_name(&call.function))
    }

    /// Whether the record has a call of this function next. Nothing where it leaves that open: without a record, and
    /// where a run goes on behind the end of its own.
    pub fn is_recorded_next(&self, function: Function) -> Option<bool> {
        let playback = self.playback.as_ref()?;
        match (playback.rest().first(), playback.mode()) {
            (Some(call), _) => Some(*call.function == *function.name()),
            (None, Mode::Resume) => None,
            (None, Mode::Replay | Mode::Offline) => Some(false),
        }
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

    pub(super) fn recorded_answer(
        &mut self,
        call: CallId,
        function: Function,
        args: &str,
    ) -> Result<Played, Interrupt> {
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
    pub(super) fn replayed(&mut self, call: CallId, function: Function, args: String, answer: String) -> String {
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
}
