//! Pipeline, facts and descriptions become the plan.

use std::collections::HashMap;
use std::sync::Arc;

use super::conflicts::{self, Writer};
use super::expand::Expander;
use super::granted::Granted;
use super::schema::{self, WithPlace, WithSchema};
use super::{Plan, PlanStage, PlanStep, Scope};
use crate::diagnostic::{Diagnostics, Sink, codes};
use crate::source::{Location, Source};
use crate::template::{Node, Template};
use crate::tree::NodeId;

/// Makes stages and steps.
pub(super) struct Maker<'a, 's> {
    pub(super) scope: &'a Scope<'s>,
    pub(super) expander: Expander<'a, 's>,
    /// Leaves facts as they are; only for what grants say whichever run it is.
    pub(super) written: Expander<'a, 's>,
    schemas: Vec<Option<WithSchema>>,
    /// Steps of an environment whose `grants` read the same share one set.
    pub(super) shared: HashMap<(Option<u32>, &'s str), Arc<Granted>>,
    nothing: Template,
    pub(super) none: Arc<Granted>,
    writers: Vec<Writer>,
}

impl<'a, 's> Maker<'a, 's> {
    pub(super) fn new(scope: &'a Scope<'s>) -> Self {
        Self {
            scope,
            expander: Expander::new(scope),
            written: Expander::keeping_facts(scope),
            schemas: scope.descriptions.iter().map(|_| None).collect(),
            shared: HashMap::new(),
            nothing: Template(Arc::new(Node::Object(Box::default()))),
            none: Arc::new(Granted::default()),
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
            let environment = stage.environment.or(self.scope.environment);
            self.expander.enter(environment, sink);
            let approval = stage.approval.map(|message| self.message(message, sink));
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
                environment: environment.map(|index| pipeline.environments[index as usize].name.clone()),
                approval,
                location: self.scope.location(stage.node),
            });
        }
        conflicts::check(self.scope, &self.writers, sink);
        (stages, steps)
    }

    /// What a stage asks, with its references filled in.
    fn message(&mut self, at: Option<NodeId>, sink: &mut Sink) -> Arc<str> {
        let text = at.and_then(|at| Some((at, self.scope.doc.string(at)?)));
        match text.and_then(|(at, text)| self.expander.string(at, &text, sink)) {
            Some(Node::Text(text)) => text.into(),
            _ => "".into(),
        }
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
        self.writers.extend(granted.writers(base).map(|(folder, place)| Writer {
            step: index,
            stage: step.stage,
            folder: folder.clone(),
            place,
        }));
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
            if let Some(value) = self.expander.string(child, &text, sink) {
                found.push((doc.key(child).into_owned(), Template(Arc::new(value))));
            }
        }
        found
    }
}

/// See [`super::plan`].
pub(super) fn make(scope: &Scope<'_>, source: &Source, mut sink: Sink) -> Result<Plan, Diagnostics> {
    let pipeline = scope.pipeline;
    let mut maker = Maker::new(scope);
    scope.check_environment(&mut sink);
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
    pub(super) fn location(&self, at: NodeId) -> Location {
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
