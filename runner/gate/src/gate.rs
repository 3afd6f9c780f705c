//! The gate of one run: who stands behind it, and what is still under way.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::task::TaskTracker;
use windlass_journal::{Record, Writer};

use crate::{Capability, Guard, Recording, RunContext};

/// The gate of one run.
pub struct Gate {
    pub(crate) writer: Writer,
    pub(crate) run: Arc<RunContext>,
    pub(crate) guards: Vec<Arc<dyn Guard>>,
    /// Effects that go on when their step is cancelled, so that what they make is known.
    pub(crate) under_way: TaskTracker,
    capabilities: HashMap<&'static str, Standing>,
}

struct Standing {
    capability: Arc<dyn Capability>,
    /// Whether an effect of it has begun in this run: without one there is nothing to clean up.
    acted: AtomicBool,
}

impl Gate {
    /// A gate with nothing behind it.
    pub fn new(writer: Writer, run: RunContext) -> Self {
        run.secrets.record_in(writer.clone());
        Self {
            writer,
            run: Arc::new(run),
            guards: Vec::new(),
            under_way: TaskTracker::new(),
            capabilities: HashMap::new(),
        }
    }

    /// Puts a capability behind the gate.
    #[must_use]
    pub fn with(mut self, capability: impl Capability + 'static) -> Self {
        self.capabilities
            .insert(capability.name(), Standing { capability: Arc::new(capability), acted: AtomicBool::new(false) });
        self
    }

    /// Adds a guard.
    #[must_use]
    pub fn guarded_by(mut self, guard: impl Guard + 'static) -> Self {
        self.guards.push(Arc::new(guard));
        self
    }

    /// What is the same for all calls of the run.
    pub fn run(&self) -> &Arc<RunContext> {
        &self.run
    }

    /// The run's journal.
    pub fn journal(&self) -> &Writer {
        &self.writer
    }

    /// Whether an effect of this capability has begun in this run.
    pub fn has_acted(&self, capability: &str) -> bool {
        self.capabilities.get(capability).is_some_and(|standing| standing.acted.load(Ordering::Relaxed))
    }

    /// Takes over from the process that had the run before which capabilities have acted, and which secrets are out
    /// there: what has them may print them now, so they have to be known here, too.
    pub fn resume(&self, recording: &Recording) {
        for (name, was) in &recording.secrets {
            self.run.secrets.was(name, was);
            let message = match self.run.secrets.check(name) {
                Ok(now) if now == *was => continue,
                Ok(_) => format!(
                    "secret `{name}` has another value than the one that the run has used, so the old one cannot be taken out of output"
                ),
                Err(error) => format!(
                    "secret `{name}`, which the run has used, cannot be read any more, so it cannot be taken out of output: {error}"
                ),
            };
            self.writer.append(Record::Notice { step: None, message });
        }
        for capability in &recording.acted {
            self.note_acted(capability);
        }
    }

    pub(crate) fn note_acted(&self, capability: &str) {
        if let Some(standing) = self.capabilities.get(capability) {
            standing.acted.store(true, Ordering::Relaxed);
        }
    }

    /// Resolves when no effect is under way any more. No new step may start meanwhile.
    pub async fn settled(&self) {
        self.under_way.close();
        self.under_way.wait().await;
        self.under_way.reopen();
    }

    pub(crate) fn capability(&self, name: &str) -> Option<&Arc<dyn Capability>> {
        self.capabilities.get(name).map(|standing| &standing.capability)
    }
}
