//! The recorded calls of one attempt of a step, and what a session does with them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;
use windlass_journal::{CallId, InDoubtAnswer, Stream};

use crate::{Function, Interrupt, Kind, api};

/// A call as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedCall {
    /// The function, as `docker.push`.
    pub function: Arc<str>,
    /// Its arguments as JSON text.
    pub args: String,
    /// Its answer as JSON text; none if it had begun and its end is not recorded.
    pub answer: Option<String>,
    /// When it began, in microseconds since the Unix epoch.
    pub began: u64,
    /// What a person has said about it, if its end is not recorded.
    pub told: Option<InDoubtAnswer>,
}

impl RecordedCall {
    fn is(&self, function: Function, args: &str) -> bool {
        &*self.function == function.name() && same(function, &self.args, args)
    }
}

/// The recorded calls of one attempt, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tape {
    /// The calls; their ordinals are their places.
    pub calls: Vec<RecordedCall>,
    /// What was printed after the last answered call and is going to be printed again, in bytes: it is in the log
    /// already.
    pub printed: HashMap<Stream, u64>,
}

impl Tape {
    /// The call that had begun and whose end is not recorded. Only the last one can be.
    pub fn in_doubt(&self) -> Option<(u32, &RecordedCall)> {
        let last = self.calls.last().filter(|call| call.answer.is_none())?;
        Some((u32::try_from(self.calls.len() - 1).unwrap_or(u32::MAX), last))
    }

    /// Whether what is printed now is printed again in the same bytes when the attempt goes on: by the plugin, or by
    /// what is waited for, whose output is then read again from its beginning.
    pub(crate) fn prints_again(&self) -> bool {
        let in_doubt = self.in_doubt().and_then(|(_, call)| Some(Function::by_name(&call.function)?.kind(&call.args)));
        in_doubt.is_none_or(|kind| kind == Kind::Wait)
    }

    /// Takes what a person has said about a call; with an answer it is not in doubt any more.
    pub(crate) fn told(&mut self, ordinal: u32, told: InDoubtAnswer, answer: Option<String>) {
        let exec =
            self.calls.get(ordinal as usize).is_some_and(|call| *call.function == *Function::DockerExecStart.name());
        if exec && told == InDoubtAnswer::Repeat {
            // An exec runs once: to run the command again another one is made.
            self.calls.truncate(ordinal as usize);
            if let Some(create) = self.calls.last_mut() {
                create.answer = None;
            }
            return;
        }
        let Some(recorded) = self.calls.get_mut(ordinal as usize) else { return };
        if answer.is_some() {
            // What stands in the log was printed before the call.
            self.printed.clear();
        }
        recorded.told = Some(told);
        recorded.answer = answer;
    }
}

/// What becomes of calls that a tape does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The step goes on where the record ends: later calls are made.
    Resume,
    /// Nothing is done: the record's end is the end.
    Replay,
    /// As `Replay`, in a run of its own: what is answered from the tape is recorded there, and what this run does not
    /// grant is denied.
    Offline,
}

/// A tape on its way through a session.
#[derive(Debug)]
pub struct Playback {
    mode: Mode,
    calls: std::vec::IntoIter<RecordedCall>,
    printed: Option<HashMap<Stream, u64>>,
}

impl Playback {
    /// Plays from the beginning.
    pub fn new(tape: Tape, mode: Mode) -> Self {
        Self { mode, calls: tape.calls.into_iter(), printed: Some(tape.printed) }
    }
}

/// What a tape has for a call.
pub(crate) enum Played {
    /// The answer.
    Answer(String),
    /// The call had begun, and how it ended is not known.
    InDoubt(RecordedCall),
    /// Nothing: the call is a new one.
    New,
}

impl Playback {
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether answered calls are left.
    pub(crate) fn is_playing(&self) -> bool {
        self.calls.as_slice().first().is_some_and(|call| call.answer.is_some())
    }

    /// What is to be left out of the log, once, when the answered calls are over.
    pub(crate) fn printed(&mut self) -> Option<HashMap<Stream, u64>> {
        if self.is_playing() { None } else { self.printed.take() }
    }

    /// The recorded calls that were not made yet.
    pub(crate) fn rest(&self) -> &[RecordedCall] {
        self.calls.as_slice()
    }

    /// Goes past the next recorded call, if it is this one.
    pub(crate) fn pass_over(&mut self, function: Function, args: &str) {
        if self.calls.as_slice().first().is_some_and(|recorded| recorded.is(function, args)) {
            self.calls.next();
        }
    }

    /// Takes what there is for this call.
    pub(crate) fn next(&mut self, call: CallId, function: Function, args: &str) -> Result<Played, Interrupt> {
        let Some(recorded) = self.calls.as_slice().first() else {
            return match self.mode {
                Mode::Resume => Ok(Played::New),
                Mode::Replay | Mode::Offline => Err(Interrupt::RecordEnded(Box::new(MadeCall {
                    call,
                    function: function.name().into(),
                    args: args.to_owned(),
                }))),
            };
        };
        if !recorded.is(function, args) {
            let actual = Some((function.name().into(), args.to_owned()));
            let recorded = Some((Arc::clone(&recorded.function), recorded.args.clone()));
            return Err(Interrupt::Diverged(Box::new(Divergence { call, recorded, actual })));
        }
        let Some(mut recorded) = self.calls.next() else { return Ok(Played::New) };
        match (recorded.answer.take(), self.mode) {
            (Some(answer), _) => Ok(Played::Answer(answer)),
            (None, Mode::Resume) => Ok(Played::InDoubt(recorded)),
            (None, Mode::Replay | Mode::Offline) => Err(Interrupt::RecordEnded(Box::new(MadeCall {
                call,
                function: recorded.function,
                args: recorded.args,
            }))),
        }
    }
}

/// A call that a plugin makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeCall {
    /// Which call.
    pub call: CallId,
    /// The function, as `docker.push`.
    pub function: Arc<str>,
    /// Its arguments as JSON text.
    pub args: String,
}

/// A call that is not the one that was recorded in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Which call.
    pub call: CallId,
    /// What the record has there: function and arguments. Nothing if it ended before.
    pub recorded: Option<(Arc<str>, String)>,
    /// What the plugin does there: function and arguments. Nothing if it ended before.
    pub actual: Option<(Arc<str>, String)>,
}

impl Divergence {
    /// Where the arguments first differ, as a path; nothing if it is not the arguments.
    pub fn place(&self) -> Option<String> {
        let (Some((recorded, before)), Some((actual, now))) = (&self.recorded, &self.actual) else { return None };
        if recorded != actual {
            return None;
        }
        let (before, now) = (serde_json::from_str(before).ok()?, serde_json::from_str(now).ok()?);
        first_difference(&before, &now)
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Option<(Arc<str>, String)>| match side {
            Some((function, args)) => format!("{function} {args}"),
            None => "no further call".to_owned(),
        };
        write!(f, "call {} is not the one that was recorded", self.call.ordinal + 1)?;
        if let Some(place) = self.place() {
            write!(f, "; it differs at `{place}`")?;
        }
        write!(f, "\nrecorded: {}\nactual:   {}", side(&self.recorded), side(&self.actual))
    }
}

/// Whether the arguments are the same. Their text is, as a rule.
fn same(function: Function, recorded: &str, actual: &str) -> bool {
    if recorded == actual {
        return true;
    }
    if function == Function::MetricsEmit {
        return metric(actual).is_ok_and(|actual| actual == recorded);
    }
    let value = |text| serde_json::from_str::<Json>(text).ok();
    value(recorded).is_some_and(|recorded| Some(recorded) == value(actual))
}

/// The one form of a measurement's arguments: its record keeps the labels in order.
pub(crate) fn metric(args: &str) -> Result<String, serde_json::Error> {
    let mut emit: api::metrics::Emit = serde_json::from_str(args)?;
    let labels: std::collections::BTreeMap<_, _> =
        emit.metric.labels.into_iter().map(|label| (label.name, label.value)).collect();
    emit.metric.labels = labels.into_iter().map(|(name, value)| api::Pair { name, value }).collect();
    serde_json::to_string(&emit)
}

/// The secrets that the arguments refer to.
pub(crate) fn secrets(args: &str) -> Vec<String> {
    let mut found = Vec::new();
    if args.contains(r#""secret""#)
        && let Ok(args) = serde_json::from_str(args)
    {
        find_secrets(&args, &mut found);
    }
    found
}

fn find_secrets(value: &Json, found: &mut Vec<String>) {
    match value {
        Json::Object(fields) => {
            if let (Some(Json::String(name)), 1) = (fields.get("secret"), fields.len()) {
                found.push(name.clone());
            }
            fields.values().for_each(|value| find_secrets(value, found));
        }
        Json::Array(values) => values.iter().for_each(|value| find_secrets(value, found)),
        _ => {}
    }
}

/// The path of the first place where two values differ.
fn first_difference(a: &Json, b: &Json) -> Option<String> {
    match (a, b) {
        (Json::Object(a), Json::Object(b)) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            keys.into_iter().find_map(|key| match (a.get(key), b.get(key)) {
                (Some(a), Some(b)) => first_difference(a, b).map(|rest| join(key, &rest)),
                _ => Some(key.clone()),
            })
        }
        (Json::Array(a), Json::Array(b)) => {
            let differing = a.iter().zip(b).enumerate();
            let mut differing = differing
                .filter_map(|(index, (a, b))| first_difference(a, b).map(|rest| join(&index.to_string(), &rest)));
            differing.next().or_else(|| (a.len() != b.len()).then(|| a.len().min(b.len()).to_string()))
        }
        _ => (a != b).then(String::new),
    }
}

fn join(key: &str, rest: &str) -> String {
    if rest.is_empty() { key.to_owned() } else { format!("{key}.{rest}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_named_by_its_path() {
        let place = |a: Json, b: Json| first_difference(&a, &b);
        assert_eq!(place(json!({"a": [1, {"b": 2}]}), json!({"a": [1, {"b": 3}]})).as_deref(), Some("a.1.b"));
        assert_eq!(place(json!({"a": 1}), json!({"a": 1, "z": null})).as_deref(), Some("z"));
        assert_eq!(place(json!([1]), json!([1, 2])).as_deref(), Some("1"));
        assert_eq!(place(json!("x"), json!("x")), None);
    }

    #[test]
    fn arguments_are_compared_by_what_they_say() {
        assert!(same(Function::DockerPush, r#"{"a":1,"b":2}"#, r#"{"b":2, "a":1}"#));
        assert!(!same(Function::DockerPush, r#"{"a":1}"#, r#"{"a":2}"#));
        let one = r#"{"metric":{"name":"n","value":1.5,"unit":"ms","labels":[{"name":"b","value":"2"},{"name":"a","value":"1"}]}}"#;
        assert!(same(Function::MetricsEmit, &metric(one).unwrap(), one));
    }
}
