//! What one step may do: the rules of its `grants`, and whether they allow a demand.
//!
//! Pure data, fixed when the plan is made. The gate asks [`Grants::allows`] before every effect.

pub(crate) mod hint;
pub mod pattern;
pub(crate) mod read;
pub mod vocabulary;

use std::borrow::Cow;

use serde::Serialize;

use crate::diagnostic::{Diagnostics, Sink};
use crate::source::{Lines, Location, Source};
use crate::tree::{self, Doc, NodeId};
pub use pattern::Pattern;

/// What a plugin is about to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand<'a> {
    /// The capability, as in `grants`.
    pub capability: &'a str,
    /// The verb, as in [`vocabulary::VOCABULARY`]; for `http` the method, in capitals.
    pub verb: &'a str,
    /// The thing itself: a folder, an image reference, a URL, a name.
    pub resource: Cow<'a, str>,
}

impl<'a> Demand<'a> {
    /// A demand.
    pub fn new(capability: &'a str, verb: &'a str, resource: impl Into<Cow<'a, str>>) -> Self {
        Self { capability, verb, resource: resource.into() }
    }
}

/// One thing that a step may do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rule {
    /// The capability.
    pub capability: &'static str,
    /// The verb; for `http` the method.
    pub verb: &'static str,
    /// What it may be done to.
    #[serde(skip)]
    pub pattern: Pattern,
    /// The pattern as written, with its references filled in.
    #[serde(rename = "resource")]
    pub text: Box<str>,
    /// The pattern with variables of the pipeline filled in, and with what differs from run to run as the file has it
    /// (`${git.short}`, `${env.X}`); nothing where that is [`Self::text`].
    #[serde(skip)]
    pub written: Option<Box<str>>,
    /// Where it was granted. Steps whose `grants` read the same share one set, and this is the first of them;
    /// [`crate::PlanStep::granted_at`] gives the place for a step.
    pub location: Location,
}

impl Rule {
    /// The pattern as it is the same for every run of the pipeline.
    pub fn written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.text)
    }
}

/// Everything that one step may do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Grants {
    rules: Vec<Rule>,
    #[serde(skip)]
    pub(crate) origin: Location,
}

impl Grants {
    /// Nothing at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads what stands beneath `grants`, as in `docker = { push = ["localhost:5000/app"] }`. Secrets are taken to be
    /// there, and `${...}` is not filled in. For tests, and for tools that show what a grant allows.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Diagnostics> {
        let source = Source { name: "grants".to_owned(), text: text.to_owned() };
        let mut sink = Sink::default();
        let tree = tree::build(text, &mut sink);
        let mut resolve = |_: NodeId, _: &str, _: &mut Sink| None;
        let doc = Doc::new(&tree, text);
        let mut context = read::Context { doc, secrets: None, sink: &mut sink, resolve: &mut resolve, places: None };
        let rules = read::rules(&mut context, NodeId::ROOT);
        if sink.has_errors() {
            return Err(sink.finish(&source));
        }
        let lines = Lines::of(text);
        let placed =
            rules.into_iter().map(|(rule, at)| Rule { location: lines.location(text, doc.span(at).start), ..rule });
        Ok(Self::new(placed.collect(), Location::default()))
    }

    pub(crate) fn new(rules: Vec<Rule>, origin: Location) -> Self {
        Self { rules, origin }
    }

    /// The rule that allows it, if one does.
    pub fn allows(&self, demand: &Demand<'_>) -> Option<&Rule> {
        let implied = vocabulary::verb(demand.capability, demand.verb)?.implied_by;
        self.rules.iter().find(|rule| {
            rule.capability == demand.capability
                && (rule.verb == demand.verb || implied.contains(&rule.verb))
                && rule.pattern.matches(&demand.resource)
        })
    }

    /// All rules, in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules of one verb, in the order of the file.
    pub fn of<'a>(&'a self, capability: &'a str, verb: &'a str) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter(move |rule| rule.capability == capability && rule.verb == verb)
    }

    /// Whether anything at all is granted of this capability. Ambient capabilities always are.
    pub fn grants_capability(&self, capability: &str) -> bool {
        vocabulary::AMBIENT.contains(&capability) || self.rules.iter().any(|rule| rule.capability == capability)
    }

    /// What to write where so that `demand` is allowed, in words for the person who reads the denial.
    pub fn denial_hint(demand: &Demand<'_>, stage: &str, step: &str) -> String {
        hint::denial(demand, stage, step)
    }
}
