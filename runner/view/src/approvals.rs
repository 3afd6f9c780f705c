//! What waits for people to decide, and what they have decided.

use std::fmt::Write as _;

use windlass_journal::{Decision, RunState};

use crate::clean::one_line;
use crate::model::Approval;
use crate::report::Report;
use crate::text::{YELLOW, moment, paint};

/// `approved by ada@shop: looks good`.
pub(crate) fn decided(decision: &Decision) -> String {
    let word = if decision.approved { "approved" } else { "rejected" };
    let why = decision.why.as_ref().map_or_else(String::new, |why| format!(": {}", one_line(why)));
    format!("{word} by {}{why}", one_line(&decision.by))
}

/// `waits for approval: to the shop?`.
pub(crate) fn asked(message: &str) -> String {
    if message.is_empty() {
        "waits for approval".to_owned()
    } else {
        format!("waits for approval: {}", one_line(message))
    }
}

/// What to run to decide.
pub(crate) fn how(run: &str, stage: &str) -> String {
    let (run, stage) = (one_line(run), one_line(stage));
    format!("windlass approve {run} {stage}, or: windlass reject {run} {stage} --reason TEXT")
}

impl Report<'_> {
    /// Stages that wait, or were decided about.
    pub(crate) fn approvals(&mut self) {
        let model = self.model;
        if model.approvals.is_empty() {
            return;
        }
        self.title("approvals");
        let color = self.style.color;
        for (stage, Approval { asked: open, decisions }) in &model.approvals {
            let stage = one_line(stage);
            for decision in decisions {
                let _ = writeln!(self.text, "  {stage}  {}, {}", decided(decision), moment(decision.decided_at));
            }
            if let Some(open) = open.as_ref().filter(|_| !matches!(self.state, RunState::Ended(_))) {
                let _ = writeln!(self.text, "  {stage}  {}", paint(color, YELLOW, asked(&open.message)));
            }
        }
    }

    /// What can be done with a run that waits.
    pub(crate) fn decide(&mut self) {
        let run = self.run();
        let open = self.model.approvals.iter().filter(|(_, approval)| approval.asked.is_some());
        let lines: Vec<_> = open.map(|(stage, _)| how(run, stage)).collect();
        let _ = writeln!(self.text, "\nit waits for a decision:");
        for line in lines {
            let _ = writeln!(self.text, "  {line}");
        }
        let _ = writeln!(self.text, "then it goes on with: windlass resume {run}");
    }
}
