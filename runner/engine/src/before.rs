//! What a resumed run takes over from the process that had it before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use windlass_gate::{Mode, Playback, Recording, StepRecord};
use windlass_journal::{Failure, FailureKind, FolderInput, Record, StageIndex, Status, StepIndex};
use windlass_pipeline::PlanStep;

use crate::run::{Origin, Shared};
use crate::stages::TIME_LIMIT;
use crate::step::StepEnd;

/// How many names a message has.
const NAMED: usize = 10;

/// Where an attempt of a step begins.
#[derive(Debug)]
pub(crate) struct Before {
    /// Which attempt it is, from 1; nothing if it was not begun before.
    pub(crate) begun: Option<u32>,
    /// Which attempt it is to be.
    pub(crate) attempt: u32,
    /// For how long it ran before.
    pub(crate) ran_for: Duration,
    /// The folders that it saw, if that was recorded.
    pub(crate) folders: Option<Vec<FolderInput>>,
    /// The host's variables that it saw.
    pub(crate) env: BTreeMap<String, String>,
    /// Whether it goes on, or is only replayed.
    pub(crate) mode: Mode,
    /// The calls that it made.
    pub(crate) playback: Option<Playback>,
    /// How an offline attempt ends where its record was cut short: what would have come then, nobody knows.
    pub(crate) cut: Option<Cut>,
}

/// The end of a record that was cut short.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    /// How the step ended there.
    pub(crate) status: Status,
    /// Why.
    pub(crate) failure: Failure,
    /// For how long it had run. Nothing is waited for offline, so whoever takes longer gets no further than it did.
    pub(crate) after: Duration,
}

impl Cut {
    fn of(recording: &Recording, record: &StepRecord) -> Option<Self> {
        let (status, failure) = record.ended.clone()?;
        let failure = match failure {
            Some(failure) if is_cut_short(status, Some(&failure)) => failure,
            None if is_cut_short(status, None) => {
                let by = recording.cancelled.as_deref().unwrap_or("somebody");
                Failure {
                    kind: if by == TIME_LIMIT { FailureKind::TimedOut } else { FailureKind::Failed },
                    message: format!(
                        "run {}, whose record answers, was ended here by {by}: what the step would have done next is not known",
                        recording.started.run
                    ),
                    hint: Some("name a run that came to its end: windlass run --offline --from RUN".to_owned()),
                }
            }
            _ => return None,
        };
        Some(Self { status, failure, after: record.ran_for.max(AT_LEAST) })
    }
}

/// How long the work of a step that was cut short may take at least when it runs again.
pub(crate) const AT_LEAST: Duration = Duration::from_secs(1);

/// Whether a step that ended so was not let come to an end of its own.
pub(crate) fn is_cut_short(status: Status, failure: Option<&Failure>) -> bool {
    status == Status::Cancelled
        || failure.is_some_and(|failure| matches!(failure.kind, FailureKind::TimedOut | FailureKind::Host))
}

impl Before {
    /// An attempt that was not begun yet.
    fn new(attempt: u32, mode: Mode) -> Self {
        let (begun, ran_for, folders, env, playback) = (None, Duration::ZERO, None, BTreeMap::new(), None);
        Self { begun, attempt, ran_for, folders, env, mode, playback, cut: None }
    }
}

impl Shared {
    /// Whether a stage was begun before.
    pub(crate) fn begun(&self, stage: u32) -> bool {
        self.run.before().is_some_and(|before| before.stages.contains_key(&StageIndex(stage)))
    }

    /// How a stage ended before, if it did.
    pub(crate) fn ended(&self, stage: u32) -> Option<Status> {
        let before = self.run.before()?;
        let restarted = self.run.plan.stages[stage as usize].steps.clone().any(|step| self.restarts(StepIndex(step)));
        before.stages.get(&StageIndex(stage))?.ended.filter(|_| !restarted)
    }

    /// Why a stage failed before, if it did; and what its steps gave is there for others.
    pub(crate) fn failure_of(&self, stage: u32) -> Option<Failure> {
        let steps = self.run.plan.stages[stage as usize].steps.clone();
        let mut failure = None;
        for step in steps {
            if let Some(StepEnd::Failed(failed)) = self.end_of(StepIndex(step))
                && self.run.plan.steps[step as usize].required
            {
                failure.get_or_insert(failed);
            }
        }
        failure
    }

    /// How a step ended before, if it did; what it gave is there for others.
    pub(crate) fn end_of(&self, step: StepIndex) -> Option<StepEnd> {
        let record = self.record(step).filter(|_| !self.restarts(step))?;
        let (status, failure) = record.ended.clone()?;
        self.outputs.publish(step.0, record.outputs.clone());
        Some(match (status, failure) {
            (Status::Succeeded, _) => StepEnd::Succeeded,
            (_, Some(failure)) => StepEnd::Failed(failure),
            _ => StepEnd::Cancelled,
        })
    }

    /// Where an attempt of a step begins.
    pub(crate) fn before(&self, step: StepIndex, mode: Mode) -> Before {
        if let Origin::Offline(recording) = &self.run.origin {
            let planned = &self.run.plan.steps[step.0 as usize];
            let stage = &self.run.plan.stages[planned.stage as usize].name;
            let record = recording.step(stage, &planned.name);
            let tape = record.map(|record| record.tape.clone()).unwrap_or_default();
            let playback = Some(Playback::new(tape, Mode::Offline));
            let cut = record.and_then(|record| Cut::of(recording, record));
            return Before { playback, cut, ..Before::new(1, Mode::Offline) };
        }
        let Some(record) = self.record(step) else { return Before::new(1, mode) };
        if self.restarts(step) {
            return Before::new(record.attempt + 1, mode);
        }
        Before {
            begun: Some(record.attempt),
            attempt: record.attempt,
            ran_for: record.ran_for,
            folders: record.folders.clone(),
            env: record.env.clone(),
            mode,
            playback: Some(Playback::new(record.tape.clone(), mode)),
            cut: None,
        }
    }

    /// Says which of the host's variables are not as steps have seen them, and who sees what.
    pub(crate) fn note_changed_env(&self) {
        let Some(before) = self.run.before() else { return };
        let plan = &self.run.plan;
        let begun = |index: u32| self.record(StepIndex(index)).filter(|_| !self.restarts(StepIndex(index)));
        let name = |step: &PlanStep| format!("{}/{}", plan.stages[step.stage as usize].name, step.name);
        let mut changed = BTreeSet::new();
        for (StepIndex(index), record) in before.steps.iter().filter(|(_, record)| record.folders.is_some()) {
            let Some(step) = plan.steps.get(*index as usize) else { continue };
            let now = self.granted_env(step);
            let names = record.env.keys().chain(now.keys());
            changed.extend(names.filter(|name| record.env.get(*name) != now.get(*name)).cloned());
        }
        if changed.is_empty() {
            return;
        }
        let (mut keep, mut look) = (Vec::new(), Vec::new());
        for (index, step) in (0..).zip(&plan.steps) {
            let mut rules = step.grants.of("env", "read");
            if rules.any(|rule| changed.iter().any(|variable| rule.pattern.matches(variable))) {
                if begun(index).is_some() { keep.push(name(step)) } else { look.push(name(step)) }
            }
        }
        let mut message = format!(
            "granted variables have changed since the run began: {}",
            some(changed.iter().map(|variable| format!("`{variable}`")).collect())
        );
        for (steps, what) in [(keep, "as they were for"), (look, "as they are now for")] {
            if !steps.is_empty() {
                message += &format!("; {what} {}", some(steps));
            }
        }
        self.run.gate.journal().append(Record::Notice { step: None, message });
    }

    fn record(&self, step: StepIndex) -> Option<&StepRecord> {
        self.run.before()?.steps.get(&step)
    }

    fn restarts(&self, step: StepIndex) -> bool {
        self.run.before().is_some_and(|before| before.to_restart.contains(&step))
    }
}

/// Names, but not too many.
fn some(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let names = names.join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}
