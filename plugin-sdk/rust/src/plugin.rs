//! What a plugin implements, and what it is told.

use std::cell::RefCell;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Failure;

/// A plugin: what it takes, what it gives, and what it does.
pub trait Plugin {
    /// The step's `with`. Its JSON Schema comes from the fields and their doc comments, and its own doc
    /// comment documents the plugin. With `#[serde(deny_unknown_fields)]` a misspelt key is an error when
    /// the pipeline is checked.
    type With: DeserializeOwned + JsonSchema;

    /// What later steps can use, a struct with a field for each output; `()` if there is nothing. Names,
    /// types and documentation of the outputs come from the fields. A field that is `None` is left out.
    type Outputs: Serialize + JsonSchema;

    /// What the plugin does, in Markdown. The first line is its summary; a heading before it is dropped, so
    /// `include_str!("../README.md")` will do. If empty, the doc comment of [`Self::With`] stands in.
    const DOCUMENTATION: &str = "";

    /// The capabilities that the plugin requires or can use. A call of any other is denied.
    const USES: &[Use] = &[];

    /// What makes no sense in `with`, or cannot work with what is granted: told when a plan is made, before anything runs.
    /// It is asked with [`export!(.., check)`](crate::export). A text that comes from an earlier step's outputs is still the
    /// reference then; where that leaves no `With`, it is not asked.
    fn check(with: &Self::With, planned: &Planned) -> Vec<Failure> {
        let _ = (with, planned);
        Vec::new()
    }

    /// Does the work.
    ///
    /// # Errors
    /// Why the step failed, in words for the person who reads the run.
    fn run(with: Self::With, context: &Context) -> Result<Self::Outputs, Failure>;
}

/// What is known of a step before it runs, besides its `with`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    pub(crate) granted: Vec<String>,
    pub(crate) unknown: Vec<String>,
}

impl Planned {
    /// With grants of these verbs, as `traffic.route`, and without values of these JSON pointers; for tests.
    pub fn new(granted: &[&str], unknown: &[&str]) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self { granted: owned(granted), unknown: owned(unknown) }
    }

    /// Whether anything may be done with this verb, as `traffic.downtime`; not with which things.
    pub fn grants(&self, verb: &str) -> bool {
        self.granted.iter().any(|granted| granted == verb)
    }

    /// Whether everything in `with` is known but, at most, what stands at or within these JSON pointers, as `/image`.
    pub fn knows_all_but(&self, pointers: &[&str]) -> bool {
        let within = |unknown: &str, pointer: &str| {
            unknown.strip_prefix(pointer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.unknown.iter().all(|unknown| pointers.iter().any(|pointer| within(unknown, pointer)))
    }
}

/// A capability that a plugin declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The capability.
    pub capability: Capability,
    /// Whether the plugin cannot work without.
    pub required: bool,
    /// What it is needed for.
    pub reason: &'static str,
}

impl Use {
    /// A capability without which the plugin cannot work: a step that does not grant it fails the check.
    pub const fn required(capability: Capability, reason: &'static str) -> Self {
        Self { capability, required: true, reason }
    }

    /// A capability that only some uses of the plugin need: without a grant, the call is denied.
    pub const fn optional(capability: Capability, reason: &'static str) -> Self {
        Self { capability, required: false, reason }
    }
}

/// A capability that has to be declared. Logging, metrics and timers are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    /// Decisions of people: [`crate::approval`].
    Approval,
    /// Artifacts of the run: [`crate::artifacts`].
    Artifacts,
    /// Containers and images: [`crate::docker`].
    Docker,
    /// Folders of the host, through `std::fs`.
    Files,
    /// Health checks: [`crate::health`].
    Health,
    /// HTTP requests: [`crate::http`].
    Http,
    /// Programs on the host: [`crate::process`].
    Process,
    /// Monitoring systems: [`crate::query`].
    Query,
    /// The traffic of services: [`crate::traffic`].
    Traffic,
}

impl Capability {
    /// Its name, as in `grants`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Artifacts => "artifacts",
            Self::Docker => "docker",
            Self::Files => "files",
            Self::Health => "health",
            Self::Http => "http",
            Self::Process => "process",
            Self::Query => "query",
            Self::Traffic => "traffic",
        }
    }
}

/// Where in the run a step stands.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Context {
    /// The pipeline's name.
    pub pipeline: String,
    /// The stage's name.
    pub stage: String,
    /// The step's name.
    pub step: String,
    /// The run's id.
    pub run: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    pub(crate) summary: RefCell<String>,
}

impl Context {
    /// Says in a line what the step did. It stands beside the step wherever the run is shown; the last call
    /// counts.
    pub fn summarize(&self, summary: impl Into<String>) {
        self.summary.replace(summary.into());
    }
}
