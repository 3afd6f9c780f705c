//! A pipeline that was read and checked as far as the file alone can tell.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::description::PluginSource;
use crate::diagnostic::{Diagnostic, Diagnostics, Sink, codes};
use crate::graph::Graph;
use crate::limits::Limits;
use crate::plan::{OnCrash, SecretSource};
use crate::source::{Lines, Location, Source};
use crate::tree::{NodeId, Tree};

/// A pipeline as the file says it.
///
/// Values stay in the form of the file until the plan is made: this holds names and places, the source holds the text.
#[derive(Debug, Default)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// What it is for, if it says so.
    pub description: Option<String>,
    /// How many stages may run at a time, if it says so.
    pub jobs: Option<u32>,
    /// How long the whole run may take, if it says so.
    pub timeout: Option<Duration>,
    /// The secrets by name, and where their values come from.
    pub secrets: BTreeMap<String, SecretSource>,
    pub(crate) found: Sink,
    pub(crate) lines: Lines,
    pub(crate) text_len: usize,
    pub(crate) tree: Tree,
    pub(crate) vars: Vec<Var>,
    pub(crate) var_index: HashMap<Arc<str>, u32>,
    /// An order in which every variable comes after those that it refers to. Empty when there is none.
    pub(crate) var_order: Vec<u32>,
    /// In the order of the file.
    pub(crate) environments: Vec<Environment>,
    pub(crate) plugins: Vec<Plugin>,
    /// What the names of `[plugins]` stand for.
    pub(crate) plugin_names: BTreeMap<String, PluginSource>,
    /// The files with the keys with which some have to be signed.
    pub(crate) plugin_keys: BTreeMap<PluginSource, String>,
    /// In the order of the file.
    pub(crate) stages: Vec<Stage>,
    pub(crate) stage_index: HashMap<Arc<str>, u32>,
    pub(crate) steps: Vec<Step>,
    /// Steps by name, for stages with many of them.
    pub(crate) step_index: HashMap<u32, HashMap<Arc<str>, u32>>,
    pub(crate) graph: Graph,
    /// The stages in the order of the plan. Empty when they need each other in a circle.
    pub(crate) order: Vec<u32>,
    pub(crate) env_names: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct Var {
    pub(crate) name: Arc<str>,
    pub(crate) value: NodeId,
}

#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) name: Arc<str>,
    pub(crate) node: NodeId,
    /// Its values of variables, by their index in `vars`.
    pub(crate) vars: BTreeMap<u32, NodeId>,
    /// As `var_order`, with these values.
    pub(crate) order: Vec<u32>,
}

#[derive(Debug)]
pub(crate) struct Plugin {
    pub(crate) source: PluginSource,
    /// Where it is named: its value in `[plugins]`, or the first `uses`.
    pub(crate) place: NodeId,
    pub(crate) location: Location,
}

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) name: Arc<str>,
    pub(crate) node: NodeId,
    /// The list `needs`, for places.
    pub(crate) needs: Option<NodeId>,
    pub(crate) steps: Range<u32>,
    pub(crate) required: bool,
    /// The environment that it names, as index into `environments`.
    pub(crate) environment: Option<u32>,
    /// Whether it waits for a decision before its first step, and the message if it has one.
    pub(crate) approval: Option<Option<NodeId>>,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: Arc<str>,
    pub(crate) stage: u32,
    /// `None` when `uses` could not be resolved, which was reported.
    pub(crate) plugin: Option<u32>,
    pub(crate) node: NodeId,
    pub(crate) uses: Option<NodeId>,
    pub(crate) with: Option<NodeId>,
    pub(crate) grants: Option<NodeId>,
    pub(crate) env: Option<NodeId>,
    pub(crate) limits: Option<Box<Limits>>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) required: bool,
    pub(crate) on_crash: OnCrash,
}

/// Stages with more steps than this have them indexed by name.
pub(crate) const INDEXED_STEPS: usize = 16;

/// What a plugin objects to in a step.
#[derive(Clone, Debug)]
pub struct StepProblem {
    /// Where the step is: [`crate::PlanStep::location`].
    pub step: Location,
    /// What makes no sense.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}

impl Pipeline {
    /// Every plugin that a step uses, once, with its place in the file; the caller loads their descriptions.
    pub fn plugin_sources(&self) -> Vec<(PluginSource, Location)> {
        self.plugins.iter().map(|plugin| (plugin.source.clone(), plugin.location)).collect()
    }

    /// What the names of `[plugins]` stand for, whether a step uses them or not.
    pub fn named_plugins(&self) -> &BTreeMap<String, PluginSource> {
        &self.plugin_names
    }

    /// The file with the public key with which a plugin has to be signed, if it has to be.
    pub fn plugin_key(&self, source: &PluginSource) -> Option<&str> {
        self.plugin_keys.get(source).map(String::as_str)
    }

    /// The names of the environments, in the order of the file.
    pub fn environment_names(&self) -> impl Iterator<Item = &str> {
        self.environments.iter().map(|environment| &*environment.name)
    }

    /// The names of the stages, and whether each waits for a decision before its first step; in the order of the file.
    pub fn stages(&self) -> impl Iterator<Item = (&str, bool)> {
        self.stages.iter().map(|stage| (&*stage.name, stage.approval.is_some()))
    }

    /// The environment of this name, as index into `environments`.
    pub(crate) fn environment(&self, name: &str) -> Option<u32> {
        (0..).zip(&self.environments).find(|(_, known)| *known.name == *name).map(|(index, _)| index)
    }

    /// The plugin that a person means: by its name in `[plugins]`, as the file says where it is, or a built-in one by
    /// its bare name.
    pub fn plugin_named(&self, name: &str) -> Option<&PluginSource> {
        let used = self.plugins.iter().map(|plugin| &plugin.source);
        let is = |source: &PluginSource| {
            let text = source.to_string();
            text == name || text.strip_prefix("builtin:") == Some(name)
        };
        self.plugin_names.get(name).or_else(|| used.into_iter().find(|source| is(source)))
    }

    /// The environment variables that `${env.NAME}` asks for; the caller puts those that are set into the facts.
    pub fn env_names(&self) -> &BTreeSet<String> {
        &self.env_names
    }

    /// Whether nothing was found to be wrong so far.
    pub fn is_sound(&self) -> bool {
        !self.found.has_errors()
    }

    /// A diagnostic for a plugin that could not be loaded, at its place in the file.
    pub fn plugin_problem(&self, source: &Source, plugin: &PluginSource, message: impl Into<String>) -> Diagnostics {
        let doc = crate::tree::Doc::new(&self.tree, &source.text);
        let place = self.plugins.iter().find(|known| known.source == *plugin).map(|plugin| doc.span(plugin.place));
        Diagnostics::of(source, vec![Diagnostic::error(codes::UNKNOWN_PLUGIN, place.unwrap_or(0..0), message)])
    }

    /// The place of each objection is the `with` of the step that begins at its location, or the step itself.
    pub fn step_problems(&self, source: &Source, problems: Vec<StepProblem>) -> Diagnostics {
        let doc = crate::tree::Doc::new(&self.tree, &source.text);
        let found = problems.into_iter().map(|StepProblem { step, message, help }| {
            let at = |node| self.lines.location(&source.text, doc.span(node).start);
            let there = self.steps.iter().find(|known| at(known.node) == step);
            let place = there.map(|step| doc.span(step.with.unwrap_or(step.node)));
            let mut problem = Diagnostic::error(codes::BAD_WITH, place.unwrap_or(0..0), message);
            problem.help = help;
            problem
        });
        Diagnostics::of(source, found.collect())
    }

    /// The secret that comes from this environment variable.
    pub(crate) fn secret_of(&self, variable: &str) -> Option<&str> {
        let mut secrets = self.secrets.iter();
        secrets.find_map(|(name, source)| {
            matches!(source, SecretSource::Env(from) if from == variable).then_some(name.as_str())
        })
    }

    /// A step of a stage by its name, as index into `steps`.
    pub(crate) fn step(&self, stage: u32, name: &str) -> Option<u32> {
        if let Some(index) = self.step_index.get(&stage) {
            return index.get(name).copied();
        }
        let steps = self.stages.get(stage as usize)?.steps.clone();
        steps.into_iter().find(|step| *self.steps[*step as usize].name == *name)
    }
}
