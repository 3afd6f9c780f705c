//! Stages that wait for people, and what people and other processes ask of a run.

use std::sync::Arc;

use windlass_gate::Subject;
use windlass_journal::{Ask, Decision, Failure, FailureKind, Request};

use crate::run::{Origin, Shared};

impl Shared {
    /// Whether a stage has to wait for a decision before its first step, and there is none yet. Where nothing is done,
    /// nobody has to agree.
    pub(crate) fn has_to_wait(&self, stage: u32) -> bool {
        self.run.plan.stages[stage as usize].approval.is_some()
            && !matches!(self.run.origin, Origin::Offline(_))
            && self.decision(stage).is_none()
    }

    /// Asks for a decision about a stage.
    pub(crate) fn ask(&self, stage: u32) {
        let message = self.run.plan.stages[stage as usize].approval.clone().unwrap_or_default();
        self.run.gate.approvals().ask(self.subject(stage), &message);
    }

    /// Why a stage must not begin, if somebody has said so.
    pub(crate) fn rejected(&self, stage: u32) -> Option<Failure> {
        let decision = self.decision(stage).filter(|decision| !decision.approved)?;
        let why = decision.why.map_or_else(String::new, |why| format!(": {why}"));
        Some(Failure { kind: FailureKind::Failed, message: format!("rejected by {}{why}", decision.by), hint: None })
    }

    fn decision(&self, stage: u32) -> Option<Decision> {
        self.run.gate.approvals().decision(&self.subject(stage))
    }

    fn subject(&self, stage: u32) -> Subject {
        (Arc::clone(&self.run.plan.stages[stage as usize].name), None)
    }

    /// Does what others ask of the run, as far as it can be done now; keeps the rest. Gives the stages that were waited
    /// for, and are not any more.
    pub(crate) async fn settle(&self, requests: &mut Vec<Request>, begun: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut settled = Vec::new();
        for request in std::mem::take(requests) {
            let Ask::Decide { stage, approved } = &request.ask else {
                self.cancel.cancel(&request.by);
                continue;
            };
            let stages = (0..).zip(&self.run.plan.stages);
            let Some((index, planned)) = stages.into_iter().find(|(_, planned)| *planned.name == **stage) else {
                continue;
            };
            let approvals = self.run.gate.approvals();
            let call = approvals.call_in(stage);
            if call.is_none() && (begun(index) || !self.has_to_wait(index)) {
                // A step that is played up to its question asks in a moment.
                requests.push(request);
                continue;
            }
            let decision = Decision {
                approved: *approved,
                by: request.by.clone(),
                why: request.why.clone(),
                decided_at: request.at,
            };
            // A journal that cannot be written ends the run by itself.
            let decided = approvals.decide((Arc::clone(&planned.name), call), decision).await;
            if decided.is_ok() && call.is_none() {
                settled.push(index);
            }
        }
        settled
    }
}
