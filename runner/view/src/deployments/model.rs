//! A deploy of a service, as the journal tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use windlass_journal::{Decision, RunState, Status, StepIndex};

/// A deploy, from its reservation of the service to its end.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The service, by its name in the pipeline.
    pub service: String,
    /// The environment that it belongs to, if it does.
    pub environment: Option<Arc<str>>,
    /// The revision that was deployed.
    pub revision: String,
    /// The one that served before, if there was one.
    pub previous: Option<String>,
    /// How it was deployed, as `canary`.
    pub strategy: String,
    /// What the deploy wanted to be remembered, as the image.
    pub details: BTreeMap<String, String>,
    /// The run.
    pub run: String,
    /// The run's pipeline.
    pub pipeline: String,
    /// Where the run stands.
    pub state: RunState,
    /// Who started the run, if that is recorded.
    pub by: Option<String>,
    /// The step, as `stage/step`.
    pub path: Arc<str>,
    /// When it began, in microseconds since the Unix epoch.
    pub began_at: u64,
    /// What happened, in order.
    pub events: Vec<Event>,
    pub(crate) step: StepIndex,
    pub(crate) attempt: u32,
    /// Whether the step's attempt has ended: a later step of the run may go on with the deploy.
    pub(crate) left: bool,
    /// The containers of each revision, by their names in the pipeline.
    pub(crate) containers: BTreeMap<String, BTreeSet<String>>,
    /// How traffic was split when it began.
    pub(crate) before: Vec<(String, u64)>,
}

/// Something that happened in a deploy.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When, in microseconds since the Unix epoch.
    pub at: u64,
    /// What.
    pub what: What,
}

/// What happened. Weights are in hundredths of a percent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// The service was reserved.
    Begun,
    /// So many of a revision's replicas are ready.
    Replicas {
        /// The revision.
        revision: String,
        /// How many are ready.
        ready: usize,
        /// How many there are.
        all: usize,
    },
    /// The weights of the revisions that get any; nothing if nobody serves.
    Weights(Vec<(String, u64)>),
    /// New requests wait.
    Held,
    /// They go on.
    Released,
    /// An analysis has judged.
    Judged(Verdict),
    /// A person was asked.
    Asked(String),
    /// A person has decided.
    Decided(Decision),
    /// The router or the host refused something, and why.
    Refused {
        /// The function, as `traffic.shift`.
        function: Arc<str>,
        /// Why.
        why: String,
    },
    /// The step has failed, and why; or another one to which the deploy was left.
    Failed(String),
    /// Somebody asked the run to end.
    CancelRequested(String),
    /// The step was ended by somebody or something else.
    Cancelled,
    /// Another process went on with the run.
    Resumed,
    /// The revision became the service's own.
    Committed,
    /// A container was started again.
    StartedAgain(String),
    /// The traffic went back to where it was: these weights.
    Restored(Vec<(String, u64)>),
    /// What a revision had under way is over.
    Drained {
        /// The revision.
        revision: String,
        /// What was still under way when the time was over.
        left: u64,
        /// What was cut.
        cut: u64,
    },
    /// A revision left the router.
    Retired(String),
    /// The service was given back.
    Finished,
}

/// What an analysis said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The revision that was judged.
    pub revision: String,
    /// What judged it.
    pub metric: String,
    /// `pass`, `fail`, `insufficient-data` or `error`.
    pub verdict: String,
    /// What follows from it.
    pub next: String,
    /// Why, with the numbers.
    pub reason: String,
}

/// What became of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The revision is the service's own.
    Committed,
    /// The previous revision has all of the traffic again, without anybody having asked for it.
    RolledBack,
    /// Somebody asked for the end, and the previous revision has the traffic again, or should.
    Cancelled,
    /// It goes on, or the run ended and left the service reserved.
    Open,
    /// The process died in the middle of it.
    Interrupted,
}

impl Outcome {
    /// As programs read it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::RolledBack => "rolled-back",
            Self::Cancelled => "cancelled",
            Self::Open => "open",
            Self::Interrupted => "interrupted",
        }
    }
}

impl Deployment {
    /// What became of it.
    pub fn outcome(&self) -> Outcome {
        let asked = || self.events.iter().take_while(|event| !is_restored(event)).any(is_cancel);
        if self.when(|what| matches!(what, What::Committed)).is_some() {
            return Outcome::Committed;
        }
        if self.restored_at().is_some() {
            return if asked() { Outcome::Cancelled } else { Outcome::RolledBack };
        }
        match self.state {
            RunState::Interrupted => Outcome::Interrupted,
            RunState::Ended(Status::Cancelled) => Outcome::Cancelled,
            _ => Outcome::Open,
        }
    }

    /// Why it did not get through, as far as that is known.
    pub fn why(&self) -> Option<String> {
        let outcome = self.outcome();
        if outcome == Outcome::Committed {
            return None;
        }
        let by = self.events.iter().find_map(|event| match &event.what {
            What::CancelRequested(by) => Some(by),
            _ => None,
        });
        if outcome == Outcome::Cancelled
            && let Some(by) = by
        {
            return Some(format!("cancelled by {by}"));
        }
        let failed = self.events.iter().find_map(|event| match &event.what {
            What::Failed(why) => Some(why.clone()),
            _ => None,
        });
        failed
            .or_else(|| self.bad_verdict().map(|(_, bad)| format!("{}: {}", bad.metric, bad.reason)))
            .or_else(|| (outcome == Outcome::RolledBack).then(|| self.unexplained()))
    }

    fn unexplained(&self) -> String {
        match self.events.iter().any(|event| event.what == What::Cancelled) {
            true => "something else in the run failed, which ended this step, too".to_owned(),
            false => "the step ended without finishing the deploy".to_owned(),
        }
    }

    /// When it was over: given back, or the traffic restored. A deploy that is committed and not given back is not over.
    pub fn ended_at(&self) -> Option<u64> {
        self.when(|what| matches!(what, What::Finished)).or_else(|| self.restored_at())
    }

    /// When the revision became the service's own.
    pub fn committed_at(&self) -> Option<u64> {
        self.when(|what| matches!(what, What::Committed))
    }

    /// When the traffic went back to where it was.
    pub fn restored_at(&self) -> Option<u64> {
        self.when(|what| matches!(what, What::Restored(_)))
    }

    /// When the last thing happened.
    pub fn last_at(&self) -> u64 {
        self.events.last().map_or(self.began_at, |event| event.at.max(self.began_at))
    }

    /// The weights over time: at its beginning, if anybody served then, and at each change.
    pub fn weights(&self) -> Vec<(u64, &[(String, u64)])> {
        let begun = (!self.before.is_empty()).then_some((self.began_at, &*self.before));
        let changes = self.events.iter().filter_map(|event| match &event.what {
            What::Weights(weights) | What::Restored(weights) => Some((event.at, &**weights)),
            _ => None,
        });
        begun.into_iter().chain(changes).collect()
    }

    /// What was judged, and when.
    pub fn verdicts(&self) -> impl Iterator<Item = (u64, &Verdict)> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Judged(verdict) => Some((event.at, verdict)),
            _ => None,
        })
    }

    /// What people have decided of its stage until it was over.
    pub fn decisions(&self) -> impl Iterator<Item = &Decision> {
        self.events.iter().filter_map(|event| match &event.what {
            What::Decided(decision) => Some(decision),
            _ => None,
        })
    }

    /// The last verdict that was not for the revision, if it was the last of all.
    pub(crate) fn bad_verdict(&self) -> Option<(u64, &Verdict)> {
        self.verdicts().filter(|(_, verdict)| verdict.verdict != "pass").last()
    }

    /// The first moment at which it was clear that the revision would not stay: after it, it got no more traffic.
    pub(crate) fn turned_at(&self) -> Option<u64> {
        let bad = |what: &What| match what {
            What::Failed(_) | What::CancelRequested(_) | What::Cancelled => true,
            What::Judged(verdict) => verdict.verdict == "fail",
            What::Decided(decision) => !decision.approved,
            _ => false,
        };
        let before: Vec<_> = self.events.iter().take_while(|event| !is_restored(event)).collect();
        let shifted =
            before.iter().rposition(|event| matches!(event.what, What::Weights(_))).map_or(0, |last| last + 1);
        before.get(shifted..)?.iter().find(|event| bad(&event.what)).map(|event| event.at)
    }

    /// Whether more may happen to it.
    pub(crate) fn is_over(&self) -> bool {
        self.events.iter().any(|event| matches!(event.what, What::Finished) || is_restored(event))
    }

    fn when(&self, is: impl Fn(&What) -> bool) -> Option<u64> {
        self.events.iter().find(|event| is(&event.what)).map(|event| event.at)
    }
}

fn is_restored(event: &Event) -> bool {
    matches!(event.what, What::Restored(_))
}

fn is_cancel(event: &Event) -> bool {
    matches!(event.what, What::CancelRequested(_))
}
