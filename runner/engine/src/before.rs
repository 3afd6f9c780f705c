//! What a resumed run takes over from the process that had it before.

use std::collections::BTreeMap;
use std::time::Duration;

use windlass_gate::{Mode, Playback, StepRecord};
use windlass_journal::{Failure, FolderInput, StageIndex, Status, StepIndex};

use crate::run::{Origin, Shared};
use crate::step::StepEnd;

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
}

impl Before {
    /// An attempt that was not begun yet.
    fn new(attempt: u32, mode: Mode) -> Self {
        let (begun, ran_for, folders, env, playback) = (None, Duration::ZERO, None, BTreeMap::new(), None);
        Self { begun, attempt, ran_for, folders, env, mode, playback }
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
        let mut failure = self.rejected(stage);
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
            return Before { playback, ..Before::new(1, Mode::Offline) };
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
        }
    }

    fn record(&self, step: StepIndex) -> Option<&StepRecord> {
        self.run.before()?.steps.get(&step)
    }

    fn restarts(&self, step: StepIndex) -> bool {
        self.run.before().is_some_and(|before| before.to_restart.contains(&step))
    }
}
