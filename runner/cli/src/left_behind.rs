//! What a run has made in Docker and not yet removed, as far as its journal knows.
//!
//! Asked only when a run is ended at once: nobody keeps account of it before.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value as Json;
use windlass_journal::{CallId, Journal, JournalError, Record, StepIndex};

/// The names of the containers. A journal that cannot be read knows of none.
pub(crate) fn containers(state: &Path, run: &str) -> Vec<String> {
    read(state, run).unwrap_or_default()
}

fn read(state: &Path, run: &str) -> Result<Vec<String>, JournalError> {
    let reader = Journal::open(state)?;
    let summary = reader.resolve(Some(run))?;
    let mut known = Known::default();
    for entry in reader.entries(&summary, 0)? {
        known.note(entry?.record);
    }
    Ok(known.names(run))
}

#[derive(Default)]
struct Known {
    /// Calls under way or done that make or remove a container, with their arguments.
    calls: HashMap<CallId, (String, Json)>,
    /// What was made, in order; Docker's id once it is known.
    made: Vec<(CallId, Option<String>)>,
    /// The logical names of what was made.
    names: HashMap<String, CallId>,
}

impl Known {
    fn note(&mut self, record: Record) {
        match record {
            Record::CallStarted { call, function, args, .. } => {
                if matches!(&*function, "docker.create" | "docker.remove-created" | "docker.remove" | "docker.sweep") {
                    let args: Json = serde_json::from_str(&args).unwrap_or_default();
                    if &*function == "docker.create" {
                        self.made.push((call, None));
                        if let Some(name) = args["name"].as_str().filter(|name| !name.is_empty()) {
                            self.names.insert(name.to_owned(), call);
                        }
                    }
                    self.calls.insert(call, (function.to_string(), args));
                }
            }
            Record::CallEnded { call, answer } => {
                let Some((function, args)) = self.calls.remove(&call) else { return };
                let answer: Json = serde_json::from_str(&answer).unwrap_or_default();
                let well = answer.get("ok").is_some();
                match (function.as_str(), well) {
                    ("docker.create", false) => self.made.retain(|(made, _)| *made != call),
                    ("docker.create", true) => {
                        if let Some(made) = self.made.iter_mut().find(|(made, _)| *made == call) {
                            made.1 = answer["ok"]["id"].as_str().map(str::to_owned);
                        }
                    }
                    (_, false) => {}
                    ("docker.remove", true) => {
                        let gone = args["container"].as_str().and_then(|name| self.names.get(name)).copied();
                        self.made.retain(|(made, _)| Some(*made) != gone);
                    }
                    (_, true) => {
                        let id = args["id"].as_str().or_else(|| args["leftover"]["id"].as_str());
                        self.made.retain(|(_, made)| made.is_none() || made.as_deref() != id);
                    }
                }
            }
            _ => {}
        }
    }

    /// A container is called after the call that made it.
    fn names(self, run: &str) -> Vec<String> {
        let name = |(CallId { step, attempt, ordinal }, _)| match step {
            StepIndex::HOST => format!("windlass-{run}-host-{attempt}-{ordinal}"),
            StepIndex(step) => format!("windlass-{run}-{step}-{attempt}-{ordinal}"),
        };
        self.made.into_iter().map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(ordinal: u32) -> CallId {
        CallId { step: StepIndex(2), attempt: 1, ordinal }
    }

    fn names(calls: &[(u32, &str, &str, &str)]) -> Vec<String> {
        let mut known = Known::default();
        for (ordinal, function, args, answer) in calls {
            known.note(Record::CallStarted {
                call: call(*ordinal),
                function: (*function).into(),
                args: (*args).into(),
                grant: None,
            });
            if !answer.is_empty() {
                known.note(Record::CallEnded { call: call(*ordinal), answer: (*answer).into() });
            }
        }
        known.names("r")
    }

    #[test]
    fn what_was_made_and_not_removed_is_named() {
        let made = (0, "docker.create", r#"{"name":"web"}"#, r#"{"ok":{"id":"a"}}"#);
        let under_way = (1, "docker.create", r#"{"name":""}"#, "");
        let refused = (2, "docker.create", r#"{"name":"x"}"#, r#"{"err":{"conflict":"x"}}"#);
        assert_eq!(names(&[made, under_way, refused]), ["windlass-r-2-1-0", "windlass-r-2-1-1"]);
    }

    #[test]
    fn what_was_removed_is_not() {
        let made = (0, "docker.create", r#"{"name":"web"}"#, r#"{"ok":{"id":"a"}}"#);
        let by_name = (1, "docker.remove", r#"{"container":"web"}"#, r#"{"ok":null}"#);
        let by_id = (1, "docker.remove-created", r#"{"id":"a"}"#, r#"{"ok":null}"#);
        let swept = (1, "docker.sweep", r#"{"leftover":{"kind":"container","id":"a","name":"web"}}"#, r#"{"ok":null}"#);
        let in_vain = (1, "docker.remove-created", r#"{"id":"a"}"#, r#"{"err":{"other":"no"}}"#);
        for gone in [by_name, by_id, swept] {
            assert_eq!(names(&[made, gone]), [""; 0]);
        }
        assert_eq!(names(&[made, in_vain]).len(), 1);
    }
}
