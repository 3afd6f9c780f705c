//! A recorded run once more, from its record alone: each step's code runs again, and what it asks for is answered from
//! the journal. Nothing is done to the world.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;
use windlass_gate::{Divergence, Interrupt, Mode, StepRecord};
use windlass_journal::{Failure, Status, StepIndex};

use crate::before::{AT_LEAST, is_cut_short};
use crate::run::{Cancel, Run, Shared};
use crate::step;

/// A step that was replayed.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The step.
    pub step: StepIndex,
    /// How it ended when it was recorded.
    pub status: Status,
    /// How many calls its record has.
    pub calls: usize,
    /// What was not as recorded.
    pub difference: Option<Difference>,
}

/// What a replay did otherwise than the record says.
#[derive(Clone, Debug)]
pub enum Difference {
    /// A call.
    Call(Divergence),
    /// How the step ended, or what it gave, in words: as recorded, and now.
    Outcome {
        /// As recorded.
        recorded: String,
        /// Now.
        actual: String,
    },
}

impl Run {
    /// Replays the steps of the recording that [`Run::origin`] has that are `wanted`, in the plan's order, and tells each as it is done. It
    /// stops at the first difference. The gate's journal and state folder are throw-away ones; what steps saw is kept in
    /// the folder `state`.
    pub async fn replay(
        self,
        state: &Path,
        wanted: impl Fn(StepIndex) -> bool,
        mut tell: impl FnMut(&Replayed),
    ) -> Vec<Replayed> {
        let shared = Shared::new(self, Cancel::new(), state);
        let mut all = Vec::new();
        let Some(recording) = shared.run.before() else { return all };
        for (index, record) in &recording.steps {
            if wanted(*index) {
                let replayed = replay(&shared, *index, record).await;
                tell(&replayed);
                let differs = replayed.difference.is_some();
                all.push(replayed);
                if differs {
                    break;
                }
            }
            shared.outputs.publish(index.0, record.outputs.clone());
        }
        all
    }
}

async fn replay(shared: &Shared, index: StepIndex, record: &StepRecord) -> Replayed {
    let step = &shared.run.plan.steps[index.0 as usize];
    let (status, failure) = record.ended.clone().unwrap_or((Status::Cancelled, None));
    let replayed = |difference| Replayed { step: index, status, calls: record.tape.calls.len(), difference };
    let cut_short = is_cut_short(status, failure.as_ref());
    // What was cut short may never come to an end by itself. Nothing is waited for here, so it gets as far as it did.
    let limit = if cut_short { record.ran_for.max(AT_LEAST) } else { shared.limit(step) };
    let begun = step::begin(shared, step, index, shared.before(index, Mode::Replay)).await;
    let (strayed, actual) = match begun {
        Err(failure) => (None, Err(failure)),
        Ok(begun) => {
            let traces = begun.traces.clone();
            let worked = tokio::time::timeout(limit, step::work(shared, step, begun)).await;
            traces.discard();
            match worked {
                Err(_) => (None, Err(step::over_time(step, limit))),
                Ok((session, given)) => match (session.strayed(), session.unplayed()) {
                    (None, Some(missing)) => return replayed(Some(Difference::Call(missing))),
                    (strayed, _) => (strayed.cloned(), given),
                },
            }
        }
    };
    let difference = match strayed {
        Some(Interrupt::Diverged(divergence)) => Some(Difference::Call(*divergence)),
        // Where the step was cut short its record ends, and so does the replay.
        Some(Interrupt::RecordEnded(_)) if cut_short => None,
        Some(Interrupt::RecordEnded(made)) => {
            let actual = Some((made.function, made.args));
            Some(Difference::Call(Divergence { call: made.call, recorded: None, actual }))
        }
        // It was waiting for itself, or computing, when it was cut short.
        _ if cut_short => None,
        _ => outcome(failure.as_ref(), &record.outputs, &actual),
    };
    replayed(difference)
}

fn outcome(
    failure: Option<&Failure>,
    outputs: &BTreeMap<String, Json>,
    actual: &Result<BTreeMap<String, Json>, Failure>,
) -> Option<Difference> {
    let given = |outputs: &BTreeMap<String, Json>| match serde_json::to_string(outputs) {
        Ok(outputs) => format!("succeeded, with outputs {outputs}"),
        Err(error) => format!("succeeded, with outputs that have no text: {error}"),
    };
    let failed = |failure: &Failure| format!("failed: {}", failure.message);
    let same = match (failure, actual) {
        (None, Ok(now)) => now == outputs,
        (Some(before), Err(now)) => (before.kind, &before.message) == (now.kind, &now.message),
        _ => false,
    };
    let recorded = failure.map_or_else(|| given(outputs), failed);
    let actual = actual.as_ref().map_or_else(failed, given);
    (!same).then_some(Difference::Outcome { recorded, actual })
}
