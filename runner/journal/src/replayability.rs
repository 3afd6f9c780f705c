//! Whether a run can be replayed, as a type.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::error::JournalError;
use crate::reader::Reader;
use crate::record::{CallId, FailureKind, Record, Status, StepIndex};
use crate::run::{RunState, RunSummary};

/// Whether a run can be replayed from its record alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replayability {
    /// It has ended, every call has its answer, what the steps saw is kept, and this Windlass has the versions that
    /// matter (see [`matters`]).
    Replayable,
    /// It has ended, but cannot be replayed.
    NotReplayable(Vec<Reason>),
    /// It has not ended; `resume` it first.
    Incomplete,
}

/// Why a run cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The run ended while an effect was under way.
    #[error("call {}.{}.{} (`{function}`) has no answer: the run ended while it was under way", call.step.0, call.attempt, call.ordinal)]
    Unanswered {
        /// Which call.
        call: CallId,
        /// The function, as `docker.push`.
        function: String,
    },
    /// A step saw a folder whose content is not kept.
    #[error("step {} saw the folder `{folder}`, whose content was too large to be kept", step.0)]
    InputsNotKept {
        /// The step.
        step: StepIndex,
        /// The folder.
        folder: String,
    },
    /// The run was made with another version of something.
    #[error("the run was made with {what} {recorded}, and this Windlass {}", has(here.as_deref()))]
    Version {
        /// What has a version: `gate`, say.
        what: String,
        /// The version that the run was made with.
        recorded: String,
        /// The version here, if it is here at all.
        here: Option<String>,
    },
}

/// Whether a replay or a resume needs this very version again: those of the gate and of the interfaces say what calls
/// look like. That of Windlass itself, and of the engine beneath the plugins, do not.
pub fn matters(what: &str) -> bool {
    what == "gate" || what.contains(':')
}

fn has(here: Option<&str>) -> String {
    here.map_or_else(|| "does not have it".to_owned(), |version| format!("has {version}"))
}

impl Reader {
    /// Whether the run can be replayed by a Windlass that has the versions `here` (those that it
    /// would write into its own [`crate::RunStarted::versions`]).
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn replayability(
        &self,
        run: &RunSummary,
        here: &BTreeMap<String, String>,
    ) -> Result<Replayability, JournalError> {
        if !matches!(self.refresh(run)?.state, RunState::Ended(_)) {
            return Ok(Replayability::Incomplete);
        }
        let mut open: HashMap<CallId, Arc<str>> = HashMap::new();
        let mut reasons = Vec::new();
        for entry in self.entries(run, 0)? {
            match entry?.record {
                Record::RunStarted(started) => {
                    for (what, recorded) in started.versions.into_iter().filter(|(what, _)| matters(what)) {
                        let here = here.get(&what).cloned();
                        if here.as_ref() != Some(&recorded) {
                            reasons.push(Reason::Version { what, recorded, here });
                        }
                    }
                }
                Record::CallStarted { call, function, .. } => {
                    open.insert(call, function);
                }
                Record::CallEnded { call, .. } => {
                    open.remove(&call);
                }
                // What an earlier attempt did is not replayed: the step began anew.
                Record::StepStarted { step, .. } => {
                    open.retain(|call, _| call.step != step);
                    reasons.retain(|reason| !matches!(reason, Reason::InputsNotKept { step: of, .. } if *of == step));
                }
                // Where a step was cut short, so was the call that was under way; a replay ends there, too.
                Record::StepEnded { step, status: Status::Cancelled, .. } => open.retain(|call, _| call.step != step),
                Record::StepEnded { step, failure: Some(failure), .. } if failure.kind == FailureKind::TimedOut => {
                    open.retain(|call, _| call.step != step);
                }
                Record::StepInputs { step, folders, .. } => reasons.extend(
                    folders
                        .into_iter()
                        .filter(|folder| !folder.kept)
                        .map(|folder| Reason::InputsNotKept { step, folder: folder.folder }),
                ),
                _ => {}
            }
        }
        // The host's own calls are not code that runs again.
        open.retain(|call, _| call.step != StepIndex::HOST);
        let mut open: Vec<_> = open.into_iter().collect();
        open.sort_by_key(|(call, _)| *call);
        reasons.extend(
            open.into_iter().map(|(call, function)| Reason::Unanswered { call, function: function.to_string() }),
        );
        Ok(if reasons.is_empty() { Replayability::Replayable } else { Replayability::NotReplayable(reasons) })
    }
}
