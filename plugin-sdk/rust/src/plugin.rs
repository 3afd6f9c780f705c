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
    /// It is asked with [`export!(.., check)`](crate::export); of steps whose `with` refers to outputs it is not asked.
    fn check(with: &Self::With, granted: &Granted) -> Vec<Failure> {
        let _ = (with, granted);
        Vec::new()
    }

    /// Does the work.
    ///
    /// # Errors
    /// Why the step failed, in words for the person who reads the run.
    fn run(with: Self::With, context: &Context) -> Result<Self::Outputs, Failure>;
}

/// What a step has grants for, as far as it can be known before it runs: the verbs, not for which things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted(pub(crate) Vec<String>);

impl Granted {
    /// Grants of these verbs, as `traffic.route`; for tests.
    pub fn of(verbs: &[&str]) -> Self {
        Self(verbs.iter().map(|verb| (*verb).to_owned()).collect())
    }

    /// Whether anything may be done with this verb, as `traffic.downtime`.
    pub fn has(&self, verb: &str) -> bool {
        self.0.iter().any(|granted| granted == verb)
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
