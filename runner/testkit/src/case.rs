//! A test case: what a step finds, the calls that it is expected to make, and what comes of it.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use windlass_gate::{Answer, CallError, Function};
use windlass_journal::{FailureKind, Status};
use windlass_pipeline::{Document, Pipeline, PluginSource};

/// A case, read and checked.
#[derive(Debug)]
pub struct Case {
    /// What it shows, in a few words.
    pub name: String,
    pub(crate) document: Document,
    pub(crate) pipeline: Pipeline,
    pub(crate) given: Given,
    pub(crate) calls: Vec<Expected>,
    pub(crate) expect: Expect,
}

impl Case {
    /// The file, as it is shown.
    pub fn file(&self) -> &str {
        &self.document.source().name
    }

    /// The plugin that it tests.
    pub fn plugin(&self) -> Option<PluginSource> {
        self.pipeline.plugin_sources().into_iter().next().map(|(source, _)| source)
    }
}

/// What the step finds.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) pipeline: String,
    pub(crate) stage: String,
    /// Variables of the host that a grant may let through.
    pub(crate) env: BTreeMap<String, String>,
    /// Names that a grant may refer to. Nobody reads their values here.
    pub(crate) secrets: Vec<String>,
    /// The content of the workspace, by path.
    pub(crate) files: BTreeMap<String, String>,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            pipeline: "case".to_owned(),
            stage: "case".to_owned(),
            env: BTreeMap::new(),
            secrets: Vec::new(),
            files: BTreeMap::new(),
        }
    }
}

/// A call that the step is expected to make.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// Which `[[calls]]` of the file it is, from 1.
    pub(crate) number: usize,
    pub(crate) function: Function,
    pub(crate) args: Args,
    pub(crate) reply: Reply,
    /// Whether it and its neighbours of this kind may come in any order.
    pub(crate) any_order: bool,
}

/// What the arguments have to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Args {
    /// These and no others.
    Exact(Json),
    /// These, whatever else there is.
    Partial(Json),
    /// Anything.
    Any,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    /// This answer.
    Answer(Answer<Json>),
    /// A fault that stands for an error in no particular words.
    Fault(Fault),
}

/// What can be made to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call is denied: by the grants, or else by the case.
    Denied,
    /// The other side is not there.
    Unavailable,
    /// The other side took too long.
    Timeout,
    /// No answer comes before the step's own time limit.
    Hang,
}

impl Fault {
    pub(crate) const ALL: [(&str, Self); 4] = [
        ("denied", Self::Denied),
        ("unavailable", Self::Unavailable),
        ("timeout", Self::Timeout),
        ("hang", Self::Hang),
    ];
}

impl Expected {
    /// Whether the plugin is to be told that it may not do this.
    pub(crate) fn is_denial(&self) -> bool {
        matches!(self.reply, Reply::Fault(Fault::Denied) | Reply::Answer(Answer::Err(CallError::Denied(_))))
    }
}

/// What comes of the step.
#[derive(Debug)]
pub(crate) struct Expect {
    pub(crate) outcome: Status,
    pub(crate) failure: Failure,
    pub(crate) outputs: Option<Json>,
    /// Whether there may be other outputs than those.
    pub(crate) partial_outputs: bool,
    /// Parts of lines, in their order.
    pub(crate) log: Vec<String>,
    /// Files of the workspace afterwards, by path.
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) metrics: Vec<Json>,
}

/// What is known of the failure.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    pub(crate) kind: Option<FailureKind>,
    pub(crate) message: Option<String>,
    pub(crate) message_contains: Option<String>,
    pub(crate) hint_contains: Option<String>,
}
