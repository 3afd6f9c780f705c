//! The plan: everything that is known before a run starts, in the order in which it will happen.

mod conflicts;
mod expand;
mod granted;
mod make;
mod quick;
mod recorded;
mod schema;
mod summary;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::description::{Description, Descriptions, Facts, PluginSource};
use crate::diagnostic::{Diagnostic, Diagnostics, Sink, codes};
use crate::grants::{Grants, Rule};
use crate::limits::Limits;
use crate::pipeline::Pipeline;
use crate::source::{Location, Source};
use crate::suggest::{did_you_mean, nearest, quoted};
use crate::template::Template;
use crate::tree::Doc;

pub use recorded::{RecordedOutputs, RecordedStep, recorded_step};
pub use schema::WithSchema;
pub use summary::Permission;

/// A pipeline that is ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The pipeline's name.
    pub name: String,
    /// What it is for, if it says so.
    pub description: Option<String>,
    /// How many stages may run at a time, if the pipeline says so.
    pub jobs: Option<u32>,
    /// How long the whole run may take, if the pipeline says so.
    pub timeout: Option<Duration>,
    /// The stages, in an order in which each comes after all that it needs; otherwise as in the file.
    pub stages: Vec<PlanStage>,
    /// The steps of all stages, in the order of the stages.
    pub steps: Vec<PlanStep>,
    /// Every plugin that a step uses, once, in the order of first use.
    pub plugins: Vec<PluginSource>,
    /// The secrets by name, and where their values come from.
    pub secrets: BTreeMap<String, SecretSource>,
    /// What somebody should look at, though the pipeline runs.
    pub warnings: Diagnostics,
}

impl Plan {
    /// The steps of a stage, in their order.
    pub fn steps_of(&self, stage: &PlanStage) -> &[PlanStep] {
        self.steps.get(stage.steps.start as usize..stage.steps.end as usize).unwrap_or_default()
    }
}

/// One stage.
#[derive(Clone, Debug)]
pub struct PlanStage {
    /// Its name.
    pub name: Arc<str>,
    /// The stages that must have ended well before, as indexes into [`Plan::stages`], ascending.
    pub needs: Vec<u32>,
    /// The stages that wait for this one, as indexes into [`Plan::stages`], ascending.
    pub dependents: Vec<u32>,
    /// Its steps, as indexes into [`Plan::steps`]. Never empty.
    pub steps: Range<u32>,
    /// Whether the pipeline fails when it fails.
    pub required: bool,
    /// The environment that it belongs to, if it does.
    pub environment: Option<Arc<str>>,
    /// What is to be decided before its first step, if it waits for that; empty if it does not say.
    pub approval: Option<Arc<str>>,
    /// Where it stands in the file.
    pub location: Location,
}

/// One step.
#[derive(Clone, Debug)]
pub struct PlanStep {
    /// Its name, unique within the stage.
    pub name: Arc<str>,
    /// Its stage, as index into [`Plan::stages`].
    pub stage: u32,
    /// Its plugin, as index into [`Plan::plugins`].
    pub plugin: u32,
    /// The plugin's input. Everything is filled in but the outputs of earlier steps.
    pub with: Template,
    /// What it may do.
    pub grants: Arc<Grants>,
    /// How long one attempt may take, if the pipeline says so.
    pub timeout: Option<Duration>,
    /// What it may use up.
    pub limits: Limits,
    /// Whether the stage fails when it fails.
    pub required: bool,
    /// Environment variables of the step, by name, in the order of the file.
    pub env: Vec<(String, Template)>,
    /// What a resumed run does with an effect that began and has no recorded end.
    pub on_crash: OnCrash,
    /// Where it stands in the file.
    pub location: Location,
    /// Where its grants stand in the file; see [`Self::granted_at`].
    pub grants_at: Location,
}

impl PlanStep {
    /// Where in the file a rule of this step's grants stands.
    pub fn granted_at(&self, rule: &Rule) -> Location {
        let origin = self.grants.origin;
        if origin == self.grants_at {
            return rule.location;
        }
        let line = self.grants_at.line + rule.location.line.saturating_sub(origin.line);
        let column = if rule.location.line == origin.line {
            self.grants_at.column + rule.location.column.saturating_sub(origin.column)
        } else {
            rule.location.column
        };
        Location { line, column }
    }
}

/// What a resumed run does with an effect that may or may not have happened, and that nobody can look up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnCrash {
    /// Stop and ask a person.
    #[default]
    Ask,
    /// Do it again.
    Repeat,
}

/// Where a secret's value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretSource {
    /// An environment variable of the host.
    Env(String),
    /// A file of the host.
    File(String),
}

/// Makes the plan.
///
/// # Errors
///
/// Everything that is wrong with the pipeline given these facts and plugins, at once; what [`crate::parse_tolerant`]
/// found is among it.
pub fn plan(
    pipeline: &Pipeline,
    source: &Source,
    facts: &Facts,
    descriptions: &Descriptions,
) -> Result<Plan, Diagnostics> {
    if pipeline.text_len != source.text.len() {
        let message = "the plan was asked for with another text than the pipeline was read from";
        return Err(Diagnostics::of(source, vec![Diagnostic::error(codes::OTHER_SOURCE, 0..0, message)]));
    }
    let scope = Scope::new(pipeline, source, facts, descriptions);
    make::make(&scope, source, pipeline.found.clone())
}

/// What planning goes by.
struct Scope<'s> {
    pipeline: &'s Pipeline,
    doc: Doc<'s>,
    text: &'s str,
    facts: &'s Facts,
    /// The pipeline's plugins, as shown.
    plugin_names: Vec<String>,
    /// Of the pipeline's plugins, by index.
    descriptions: Vec<Option<&'s Description>>,
    available: &'s Descriptions,
    /// For each step of the file, its index in the plan.
    places: Vec<u32>,
    /// The environment of stages that name none.
    environment: Option<u32>,
    /// What steps gave, where the run is over; otherwise outputs are holes.
    recorded: Option<&'s RecordedOutputs<'s>>,
}

impl<'s> Scope<'s> {
    fn new(pipeline: &'s Pipeline, source: &'s Source, facts: &'s Facts, descriptions: &'s Descriptions) -> Self {
        let known: Vec<Option<&Description>> =
            pipeline.plugins.iter().map(|plugin| descriptions.get(&plugin.source).map(|found| &**found)).collect();
        let mut places = vec![0; pipeline.steps.len()];
        let mut next = 0;
        for stage in &pipeline.order {
            for step in pipeline.stages[*stage as usize].steps.clone() {
                places[step as usize] = next;
                next += 1;
            }
        }
        Self {
            pipeline,
            doc: Doc::new(&pipeline.tree, &source.text),
            text: &source.text,
            facts,
            plugin_names: pipeline.plugins.iter().map(|plugin| quoted(&plugin.source.to_string())).collect(),
            descriptions: known,
            available: descriptions,
            places,
            environment: facts.environment.as_deref().and_then(|name| pipeline.environment(name)),
            recorded: None,
        }
    }

    fn description(&self, plugin: u32) -> Option<&'s Description> {
        self.descriptions.get(plugin as usize).copied().flatten()
    }

    /// Whether the environment that was asked for is there.
    fn check_environment(&self, sink: &mut Sink) {
        let Some(name) = self.facts.environment.as_deref().filter(|_| self.environment.is_none()) else { return };
        let known = &self.pipeline.environments;
        let place = known.first().map_or(0..0, |first| self.doc.key_span(first.node));
        sink.error(codes::UNKNOWN_ENVIRONMENT, place, |diagnostic| {
            diagnostic.message = format!("no environment is called {}", quoted(name));
            diagnostic.help = match known.is_empty() {
                true => Some("the pipeline has no environments; leave `--env` out".to_owned()),
                false => did_you_mean(name, known.iter().map(|known| &*known.name)),
            };
        });
    }

    /// A plugin that is there and has nearly this name.
    fn similar(&self, source: &PluginSource) -> Option<String> {
        let text = source.to_string();
        let known: Vec<String> = self.available.keys().map(ToString::to_string).collect();
        let builtin = crate::BUILTINS.iter().map(|name| format!("builtin:{name}"));
        let known: Vec<String> = known.into_iter().chain(builtin).filter(|known| *known != text).collect();
        nearest(&text, known.iter().map(String::as_str)).map(|near| format!("did you mean {}?", quoted(near)))
    }
}
