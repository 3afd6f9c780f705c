//! Pipeline, facts and descriptions become the plan.

use std::collections::HashMap;
use std::sync::Arc;

use super::conflicts::{self, Writer};
use super::expand::Expander;
use super::schema::{self, WithPlace, WithSchema};
use super::{Plan, PlanStage, PlanStep, Scope};
use crate::description::Description;
use crate::diagnostic::{Diagnostics, Sink, codes};
use crate::grants::vocabulary::AMBIENT;
use crate::grants::{Grants, hint, read, vocabulary};
use crate::pipeline::Step;
use crate::source::{Location, Source};
use crate::suggest::quoted;
use crate::template::{Node, Template};
use crate::tree::{Doc, Kind, NodeId};

/// Grants with what the planner needs to know of them.
struct Granted {
    grants: Arc<Grants>,
    /// The capabilities that stand in it, each with the place of its key relative to that of the grants, and whether
    /// anything stands in them.
    keys: Vec<(&'static str, usize, bool)>,
    /// The folders that may be written, with the places of their strings relative to that of the grants.
    writes: Vec<(usize, std::ops::Range<usize>)>,
}

pub(super) struct Maker<'a, 's> {
    scope: &'a Scope<'s>,
    expander: Expander<'a, 's>,
    schemas: Vec<Option<WithSchema>>,
    /// Steps whose `grants` read the same share one set.
    shared: HashMap<&'s str, Arc<Granted>>,
    nothing: Template,
    none: Arc<Granted>,
    writers: Vec<Writer>,
}

impl<'a, 's> Maker<'a, 's> {
    pub(super) fn new(scope: &'a Scope<'s>, sink: &mut Sink) -> Self {
        let expander = Expander::new(scope, sink);
        let none = Granted { grants: Arc::new(Grants::none()), keys: Vec::new(), writes: Vec::new() };
        Self {
            scope,
            expander,
            schemas: scope.descriptions.iter().map(|_| None).collect(),
            shared: HashMap::new(),
            nothing: Template(Arc::new(Node::Object(Box::default()))),
            none: Arc::new(none),
            writers: Vec::new(),
        }
    }

    /// Compiles the schemas, and says which plugins are not there.
    pub(super) fn plugins(&mut self, sink: &mut Sink) {
        for (index, description) in self.scope.descriptions.iter().enumerate() {
            let plugin = &self.scope.pipeline.plugins[index];
            let place = self.scope.doc.span(plugin.place);
            match description {
                None => sink.error(codes::UNKNOWN_PLUGIN, place, |diagnostic| {
                    diagnostic.message = format!("there is no plugin `{}`", plugin.source);
                    diagnostic.help = self.scope.similar(&plugin.source);
                }),
                Some(description) => match WithSchema::compile(description) {
                    Ok(schema) => self.schemas[index] = Some(schema),
                    Err(problem) => schema::bad_schema(place, &self.scope.plugin_names[index], &problem, sink),
                },
            }
        }
    }

    /// Stages and steps, in the plan's order.
    pub(super) fn stages(&mut self, sink: &mut Sink) -> (Vec<PlanStage>, Vec<PlanStep>) {
        let pipeline = self.scope.pipeline;
        let order = self.scope.order();
        let mut rank = vec![0_u32; order.len()];
        order.iter().enumerate().for_each(|(at, stage)| rank[*stage as usize] = at as u32);
        let dependents = pipeline.graph.dependents();
        let ranked = |stages: &[u32]| {
            let mut stages: Vec<u32> = stages.iter().map(|stage| rank[*stage as usize]).collect();
            stages.sort_unstable();
            stages
        };
        let mut stages = Vec::with_capacity(order.len());
        let mut steps = Vec::with_capacity(pipeline.steps.len());
        for (at, index) in order.iter().enumerate() {
            let stage = &pipeline.stages[*index as usize];
            let first = steps.len() as u32;
            for step in stage.steps.clone() {
                let made = self.step(step, at as u32, sink);
                steps.push(made);
            }
            stages.push(PlanStage {
                name: stage.name.clone(),
                needs: ranked(pipeline.graph.needs(*index)),
                dependents: ranked(dependents.needs(*index)),
                steps: first..steps.len() as u32,
                required: stage.required,
                location: self.scope.location(stage.node),
            });
        }
        conflicts::check(self.scope, &self.writers, sink);
        (stages, steps)
    }

    fn step(&mut self, index: u32, stage: u32, sink: &mut Sink) -> PlanStep {
        let doc = self.scope.doc;
        let step = &self.scope.pipeline.steps[index as usize];
        let with = match step.with {
            Some(with) => Template(Arc::new(self.expander.value(with, sink))),
            None => self.nothing.clone(),
        };
        let env = step.env.map(|env| self.env(env, sink)).unwrap_or_default();
        let granted = self.granted(step, sink);
        if let Some(plugin) = step.plugin {
            let name = self.scope.plugin_names[plugin as usize].as_str();
            if let Some(schema) = &self.schemas[plugin as usize] {
                let place = WithPlace { doc, with: step.with, step: step.node, plugin: name };
                schema.check_template(&with, &place, sink);
            }
            if let Some(description) = self.scope.description(plugin) {
                self.capabilities(step, description, &granted, sink);
            }
        }
        let base = step.grants.map_or(0, |grants| doc.span(grants).start);
        for (rule, place) in &granted.writes {
            if let Some(folder) = granted.grants.rules().get(*rule).and_then(|rule| conflicts::folder(&rule.pattern)) {
                let place = base + place.start..base + place.end;
                self.writers.push(Writer { step: index, stage: step.stage, folder: folder.clone(), place });
            }
        }
        PlanStep {
            name: step.name.clone(),
            stage,
            plugin: step.plugin.unwrap_or_default(),
            with,
            grants: granted.grants.clone(),
            timeout: step.timeout,
            limits: step.limits.as_deref().copied().unwrap_or_default(),
            required: step.required,
            env,
            on_crash: step.on_crash,
            location: self.scope.location(step.node),
            grants_at: step.grants.map(|grants| self.scope.location(grants)).unwrap_or_default(),
        }
    }

    fn env(&mut self, env: NodeId, sink: &mut Sink) -> Vec<(String, Template)> {
        let doc = self.scope.doc;
        let mut found = Vec::new();
        for child in doc.children(env) {
            let Some(text) = doc.string(child) else { continue };
            if let Some(value) = self.expander.text(child, &text, sink) {
                // Whatever its type was, an environment holds text.
                let value = match value {
                    Node::Hole(hole) => Node::Mixed([crate::template::Part::Hole(*hole)].into()),
                    Node::Integer(number) => Node::Text(number.to_string().into()),
                    Node::Float(number) => Node::Text(serde_json::Value::from(number).to_string().into()),
                    Node::Bool(value) => Node::Text(value.to_string().into()),
                    other => other,
                };
                found.push((doc.key(child).into_owned(), Template(Arc::new(value))));
            }
        }
        found
    }

    fn granted(&mut self, step: &Step, sink: &mut Sink) -> Arc<Granted> {
        let Some(at) = step.grants else { return self.none.clone() };
        let doc = self.scope.doc;
        let whole = doc.whole_text(at);
        if let Some(known) = whole.and_then(|whole| self.shared.get(whole)) {
            return known.clone();
        }
        let errors = sink.errors();
        let expander = &mut self.expander;
        let mut resolve = |at: NodeId, text: &str, sink: &mut Sink| {
            let value = expander.text(at, text, sink)?;
            match value {
                Node::Text(text) => Some(text.into()),
                Node::Integer(number) => Some(number.to_string()),
                Node::Bool(value) => Some(value.to_string()),
                Node::Float(number) => Some(serde_json::Value::from(number).to_string()),
                _ => None,
            }
        };
        let places = Some((&self.scope.pipeline.lines, self.scope.text));
        let secrets = Some(&self.scope.pipeline.secrets);
        let mut context = read::Context { doc, secrets, sink, resolve: &mut resolve, places };
        let found = read::rules(&mut context, at);
        let base = doc.span(at).start;
        let mut keys = Vec::new();
        for child in doc.children(at) {
            if let Some(row) = vocabulary::verbs(&doc.key(child)).next() {
                keys.push((row.capability, doc.key_span(child).start.saturating_sub(base), is_filled(doc, child)));
            }
        }
        let mut writes = Vec::new();
        let mut rules = Vec::with_capacity(found.len());
        for (rule, place) in found {
            if matches!((rule.capability, rule.verb), ("files", "write") | ("docker", "mount-write")) {
                let place = doc.span(place);
                writes.push((rules.len(), place.start.saturating_sub(base)..place.end.saturating_sub(base)));
            }
            rules.push(rule);
        }
        let grants = Arc::new(Grants::new(rules, self.scope.location(at)));
        let granted = Arc::new(Granted { grants, keys, writes });
        // One with a mistake is read again for each step, so that each place is reported.
        if let Some(whole) = whole.filter(|_| sink.errors() == errors) {
            self.shared.insert(whole, granted.clone());
        }
        granted
    }

    /// What the plugin asks for against what the step grants.
    fn capabilities(&self, step: &Step, description: &Description, granted: &Granted, sink: &mut Sink) {
        let doc = self.scope.doc;
        let place = || doc.span(step.uses.unwrap_or(step.node));
        for used in description.capabilities.iter().filter(|used| used.required) {
            let name = used.capability.as_str();
            // A grant that could not be read was reported, and is better than a second report.
            if AMBIENT.contains(&name) || granted.keys.iter().any(|(key, _, filled)| *key == name && *filled) {
                continue;
            }
            let stage = &self.scope.pipeline.stages[step.stage as usize].name;
            sink.error(codes::MISSING_GRANT, place(), |diagnostic| {
                diagnostic.message = format!(
                    "plugin {} needs {}, which this step does not grant",
                    quoted(&description.name),
                    quoted(name)
                );
                diagnostic.label(used.reason.chars().filter(|c| !c.is_control()).take(120).collect::<String>());
                let (step_name, stage) = (quoted(&step.name), quoted(stage));
                diagnostic.help(match hint::outline(name) {
                    Some((grant, keys)) if step.grants.is_none() => {
                        format!("add `grants = {{ {grant} }}` to step {step_name} of stage {stage}{keys}")
                    }
                    Some((grant, keys)) => {
                        format!("add `{grant}` to `grants` of step {step_name} of stage {stage}{keys}")
                    }
                    None => "this version of Windlass has no such capability; a newer one may".to_owned(),
                });
            });
        }
        let base = step.grants.map_or(0, |grants| doc.span(grants).start);
        for (key, offset, _) in &granted.keys {
            if description.capability(key).is_none() {
                let at = base + offset;
                sink.warning(codes::UNUSED_GRANT, at..at + key.len(), |diagnostic| {
                    diagnostic.message = format!("plugin {} never asks for {}", quoted(&description.name), quoted(key));
                    diagnostic.help("take the grant out");
                });
            }
        }
    }
}

/// Whether there is a value in any list of a grant. Also one that cannot be read: it was reported.
fn is_filled(doc: Doc<'_>, at: NodeId) -> bool {
    match doc.kind(at) {
        Kind::Table | Kind::Array => doc.children(at).any(|child| is_filled(doc, child)),
        _ => true,
    }
}

/// See [`super::plan`].
pub(super) fn make(scope: &Scope<'_>, source: &Source, mut sink: Sink) -> Result<Plan, Diagnostics> {
    let pipeline = scope.pipeline;
    let mut maker = Maker::new(scope, &mut sink);
    maker.plugins(&mut sink);
    let (stages, steps) = maker.stages(&mut sink);
    if sink.has_errors() {
        return Err(sink.finish(source));
    }
    Ok(Plan {
        name: pipeline.name.clone(),
        description: pipeline.description.clone(),
        jobs: pipeline.jobs,
        timeout: pipeline.timeout,
        stages,
        steps,
        plugins: pipeline.plugins.iter().map(|plugin| plugin.source.clone()).collect(),
        secrets: pipeline.secrets.clone(),
        warnings: sink.finish(source),
    })
}

impl Scope<'_> {
    fn location(&self, at: NodeId) -> Location {
        self.pipeline.lines.location(self.text, self.doc.span(at).start)
    }

    /// The stages in the plan's order; as in the file, if they need each other in a circle.
    fn order(&self) -> Vec<u32> {
        match self.pipeline.order.is_empty() {
            true => (0..self.pipeline.stages.len() as u32).collect(),
            false => self.pipeline.order.clone(),
        }
    }
}
