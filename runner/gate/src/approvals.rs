//! Decisions of people: which steps wait for one, and what was decided.
//!
//! Nobody stands behind the gate for this: the question and the decision are records of the journal, and the engine
//! brings in what other processes have left in its inbox.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use windlass_journal::{CallId, Decision, JournalError, Record, StepIndex, Writer};

/// What is decided about: a stage before its first step, or a call of one of its steps.
pub type Subject = (Arc<str>, Option<CallId>);

/// Who waits for a decision in a run, and what was decided.
pub struct Approvals {
    writer: Writer,
    state: Mutex<State>,
    /// Changes whenever somebody begins or ceases to wait.
    changes: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    /// The calls that wait, by stage: its steps run one after the other.
    waiting: BTreeMap<Arc<str>, Waiting>,
    decided: HashMap<Subject, Decision>,
    /// For how long steps have waited.
    waited: HashMap<StepIndex, Duration>,
}

struct Waiting {
    call: CallId,
    since: Instant,
}

/// A call that waits, for as long as somebody waits for its answer.
struct Place<'a> {
    approvals: &'a Approvals,
    stage: Arc<str>,
    call: CallId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let left = self.approvals.lock().leave(&self.stage, self.call);
        if left {
            self.approvals.changes.send_replace(());
        }
    }
}

impl State {
    fn leave(&mut self, stage: &Arc<str>, call: CallId) -> bool {
        let Some(waiting) = self.waiting.get(stage).filter(|waiting| waiting.call == call) else { return false };
        *self.waited.entry(call.step).or_default() += waiting.since.elapsed();
        self.waiting.remove(stage);
        true
    }
}

impl Approvals {
    pub(crate) fn new(writer: Writer) -> Self {
        Self { writer, state: Mutex::default(), changes: watch::Sender::new(()) }
    }

    /// Takes over what was decided before.
    pub(crate) fn resume(&self, decided: &HashMap<Subject, Decision>) {
        self.lock().decided.extend(decided.iter().map(|(subject, decision)| (subject.clone(), decision.clone())));
    }

    /// What was decided about a stage or a call, if it was.
    pub fn decision(&self, subject: &Subject) -> Option<Decision> {
        self.lock().decided.get(subject).cloned()
    }

    /// Records that a stage or a call waits.
    pub fn ask(&self, (stage, call): Subject, message: &str) {
        self.writer.append(Record::ApprovalAsked { stage, call, message: message.to_owned() });
    }

    /// The call that waits in this stage, if one does.
    pub fn call_in(&self, stage: &str) -> Option<CallId> {
        self.lock().waiting.get(stage).map(|waiting| waiting.call)
    }

    /// The stages of which a step waits.
    pub fn stages(&self) -> Vec<Arc<str>> {
        self.lock().waiting.keys().cloned().collect()
    }

    /// Tells of every change in who waits.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Records a decision; whoever waits for it goes on once it is durable.
    ///
    /// # Errors
    /// What the journal says.
    pub async fn decide(&self, subject: Subject, decision: Decision) -> Result<(), JournalError> {
        let (stage, call) = subject.clone();
        self.writer.append_durable(Record::Decided { stage, call, decision: decision.clone() }).await?;
        {
            let mut state = self.lock();
            if let (stage, Some(call)) = &subject {
                state.leave(stage, *call);
            }
            state.decided.insert(subject, decision);
        }
        self.changes.send_replace(());
        Ok(())
    }

    /// Waits until somebody has decided about a call.
    pub(crate) async fn wait(&self, stage: &Arc<str>, call: CallId, message: &str) -> Decision {
        let subject = (Arc::clone(stage), Some(call));
        let mut changes = self.changes();
        if let Some(decision) = self.decision(&subject) {
            return decision;
        }
        // Who asks for decisions finds the question in the journal first.
        self.ask(subject.clone(), message);
        self.lock().waiting.insert(Arc::clone(stage), Waiting { call, since: Instant::now() });
        let _place = Place { approvals: self, stage: Arc::clone(stage), call };
        self.changes.send_replace(());
        loop {
            if let Some(decision) = self.decision(&subject) {
                return decision;
            }
            // The sender is this.
            let _ = changes.changed().await;
        }
    }

    /// Resolves when a step has worked for this long; the time in which it waits for people does not count.
    pub async fn worked(&self, step: StepIndex, limit: Duration) {
        let began = Instant::now();
        let before = self.waited(step).0;
        let mut changes = self.changes();
        loop {
            changes.borrow_and_update();
            let (waited, waits) = self.waited(step);
            let left = (limit + (waited - before)).saturating_sub(began.elapsed());
            if waits {
                let _ = changes.changed().await;
                continue;
            }
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = changes.changed() => {}
            }
        }
    }

    /// For how long a step has waited, and whether it waits now.
    fn waited(&self, step: StepIndex) -> (Duration, bool) {
        let state = self.lock();
        let before = state.waited.get(&step).copied().unwrap_or_default();
        (before, state.waiting.values().any(|waiting| waiting.call.step == step))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // It is changed by single steps that cannot fail half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
