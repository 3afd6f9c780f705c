//! The calls of a run, in the order in which they began.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};
use windlass_journal::{CallId, Entry, InDoubtAnswer, Record};

/// A call, from its one record or from its two.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) function: Arc<str>,
    /// JSON text, secrets as references.
    pub(crate) args: String,
    pub(crate) grant: Option<String>,
    pub(crate) started_at: u64,
    /// When the answer came; `None` for a call of one record, whose beginning is not recorded.
    pub(crate) ended_at: Option<u64>,
    /// JSON text, redacted; `None` if it never came.
    pub(crate) answer: Option<String>,
    /// The process that began it is not the one that ended it.
    pub(crate) across_resume: bool,
    /// What a person said about it when its end was not known, and who.
    pub(crate) answered: Option<(InDoubtAnswer, String)>,
    /// Whether more may come.
    open: bool,
}

/// Puts the two records of an effect together again, while other calls go on. Holds only what came
/// after the oldest call that has no answer yet.
#[derive(Default)]
pub(crate) struct Calls {
    queue: VecDeque<Call>,
    /// How many calls have left the queue.
    gone: usize,
    /// Where the calls without an answer stand, counted from the first of the run.
    open: HashMap<CallId, usize>,
}

impl Calls {
    /// Takes in a record.
    pub(crate) fn push(&mut self, entry: Entry) {
        let at = entry.at;
        match entry.record {
            Record::CallStarted { call, function, args, grant } => {
                let place = self.gone + self.queue.len();
                if let Some(before) = self.open.insert(call, place) {
                    // A resumed run made the call again; the first one never got its answer.
                    self.close(before, |_| {});
                }
                self.queue.push_back(Call::begun(call, function, args, grant, at));
            }
            Record::CallEnded { call, answer } => {
                if let Some(place) = self.open.remove(&call) {
                    self.close(place, |call| {
                        call.ended_at = Some(at);
                        call.answer = Some(answer);
                    });
                }
            }
            Record::CallRecorded { call, function, args, grant, answer, took } => {
                let begun = Call::begun(call, function, args, grant, at.saturating_sub(took));
                self.queue.push_back(Call { ended_at: Some(at), answer: Some(answer), open: false, ..begun });
            }
            Record::Metric { call, name, value, unit, labels } => {
                let args = json!({ "name": name, "value": value, "unit": unit, "labels": labels }).to_string();
                let function = "metrics.emit".into();
                let answer = Some(r#"{"ok":null}"#.to_owned());
                let begun = Call::begun(call, function, args, None, at);
                self.queue.push_back(Call { answer, open: false, ..begun });
            }
            Record::RunResumed(_) => {
                for call in self.queue.iter_mut().filter(|call| call.open) {
                    call.across_resume = true;
                }
            }
            Record::InDoubtAnswered { call, answer, by } => {
                let place = self.open.get(&call).and_then(|place| place.checked_sub(self.gone));
                if let Some(call) = place.and_then(|place| self.queue.get_mut(place)) {
                    call.answered = Some((answer, by));
                }
            }
            _ => {}
        }
    }

    /// The next call in order, if it is complete.
    pub(crate) fn pop(&mut self) -> Option<Call> {
        let call = self.queue.pop_front_if(|call| !call.open)?;
        self.gone += 1;
        Some(call)
    }

    /// What is left when the run is over, calls without an answer among it.
    pub(crate) fn rest(self) -> impl Iterator<Item = Call> {
        self.queue.into_iter()
    }

    fn close(&mut self, place: usize, with: impl FnOnce(&mut Call)) {
        if let Some(call) = place.checked_sub(self.gone).and_then(|place| self.queue.get_mut(place)) {
            call.open = false;
            with(call);
        }
    }
}

/// How a call went, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Error,
    Denied,
    Unanswered,
}

impl Outcome {
    /// As programs read it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Denied => "denied",
            Self::Unanswered => "no-answer",
        }
    }
}

impl Call {
    /// A call without an answer yet.
    fn begun(id: CallId, function: Arc<str>, args: String, grant: Option<String>, started_at: u64) -> Self {
        Self {
            id,
            function,
            args,
            grant,
            started_at,
            ended_at: None,
            answer: None,
            across_resume: false,
            answered: None,
            open: true,
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        Self::outcome_of(self.answer.as_deref())
    }

    /// What an answer, if there is one, says about how a call went.
    pub(crate) fn outcome_of(answer: Option<&str>) -> Outcome {
        match answer {
            None => Outcome::Unanswered,
            Some(answer) if is_denial(answer) => Outcome::Denied,
            Some(answer) if answer.starts_with(r#"{"err""#) => Outcome::Error,
            Some(_) => Outcome::Ok,
        }
    }
}

/// Whether an answer is a denial of the gate.
pub(crate) fn is_denial(answer: &str) -> bool {
    answer.starts_with(r#"{"err":{"denied":"#)
}

/// Why the gate denied a call, if it did.
pub(crate) fn denial(answer: &str) -> Option<String> {
    if !is_denial(answer) {
        return None;
    }
    let answer: Value = serde_json::from_str(answer).ok()?;
    Some(answer.pointer("/err/denied")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use windlass_journal::StepIndex;

    fn id(ordinal: u32) -> CallId {
        CallId { step: StepIndex(0), attempt: 1, ordinal }
    }

    fn started(ordinal: u32) -> Record {
        Record::CallStarted { call: id(ordinal), function: "docker.push".into(), args: "{}".to_owned(), grant: None }
    }

    fn ended(ordinal: u32) -> Record {
        Record::CallEnded { call: id(ordinal), answer: r#"{"ok":null}"#.to_owned() }
    }

    #[test]
    fn calls_come_in_the_order_of_their_beginning() {
        let mut calls = Calls::default();
        let mut got = Vec::new();
        for (at, record) in
            [started(0), started(1), ended(1), started(2), ended(0), started(3), started(3)].into_iter().enumerate()
        {
            calls.push(Entry { seq: at as u64 + 1, at: at as u64, record });
            got.extend(std::iter::from_fn(|| calls.pop()).map(|call| call.id.ordinal));
        }
        assert_eq!(got, [0, 1]);
        let rest: Vec<_> = calls.rest().map(|call| (call.id.ordinal, call.outcome())).collect();
        assert_eq!(rest, [(2, Outcome::Unanswered), (3, Outcome::Unanswered), (3, Outcome::Unanswered)]);
    }

    #[test]
    fn denials_say_why() {
        assert_eq!(denial(r#"{"err":{"denied":"add `x`"}}"#).as_deref(), Some("add `x`"));
        assert_eq!(denial(r#"{"err":{"other":"x"}}"#), None);
        assert_eq!(denial(r#"{"ok":"denied"}"#), None);
    }
}
