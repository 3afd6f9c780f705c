//! A step as a run was given it: everything is filled in, also the outputs of earlier steps.

use std::sync::Arc;

use serde_json::Value;

use super::Scope;
use super::expand::Expander;
use crate::description::{Descriptions, Facts, PluginSource};
use crate::diagnostic::{Diagnostic, Diagnostics, Sink, codes};
use crate::pipeline::Pipeline;
use crate::source::Source;
use crate::suggest::quoted;
use crate::template::Node;
use crate::tree::{Kind, NodeId};

/// What an earlier step gave, by its stage, its name, and the output's name.
pub type RecordedOutputs<'a> = dyn Fn(&str, &str, &str) -> Option<Value> + 'a;

/// A step as a run was given it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedStep {
    /// Its plugin.
    pub plugin: PluginSource,
    /// The environment of its stage, if it belongs to one.
    pub environment: Option<Arc<str>>,
    /// The plugin's input.
    pub with: Value,
    /// What it was granted, as it stands in the file but for references.
    pub grants: Value,
}

/// Reads a step of a recorded pipeline. Nothing else of it is looked at, and no plugin is needed: what was granted and
/// given then is not judged by what is there now.
///
/// # Errors
///
/// What is wrong with the step: it is not there, or something that it refers to is not known any more.
pub fn recorded_step(
    pipeline: &Pipeline,
    source: &Source,
    facts: &Facts,
    (stage, step): (&str, &str),
    outputs: &RecordedOutputs<'_>,
) -> Result<RecordedStep, Diagnostics> {
    let known = pipeline.stage_index.get(stage).and_then(|index| Some((*index, pipeline.step(*index, step)?)));
    let found = known.and_then(|(stage, step)| {
        let step = pipeline.steps.get(step as usize)?;
        let plugin = pipeline.plugins.get(step.plugin? as usize)?;
        Some((pipeline.stages.get(stage as usize)?, step, plugin))
    });
    let Some((stage, step, plugin)) = found else {
        let message = format!("stage {} has no step {}, or none with a plugin", quoted(stage), quoted(step));
        return Err(Diagnostics::of(source, vec![Diagnostic::error(codes::UNKNOWN_REFERENCE, 0..0, message)]));
    };
    let nothing = Descriptions::new();
    let scope = Scope { recorded: Some(outputs), ..Scope::new(pipeline, source, facts, &nothing) };
    let mut sink = Sink::default();
    let environment = stage.environment.or(scope.environment);
    let mut expander = Expander::new(&scope);
    expander.enter(environment, &mut sink);
    let empty = || Node::Object(Box::default());
    let with = step.with.map_or_else(empty, |at| expander.value(at, &mut sink));
    let grants = step.grants.map_or_else(empty, |at| granted(&mut expander, &scope, at, &mut sink));
    let filled = (with.fill(&mut |_| None), grants.fill(&mut |_| None));
    match filled {
        (Ok(with), Ok(grants)) if !sink.has_errors() => Ok(RecordedStep {
            plugin: plugin.source.clone(),
            environment: environment.map(|index| pipeline.environments[index as usize].name.clone()),
            with,
            grants,
        }),
        _ => Err(sink.finish(source)),
    }
}

/// The value of `grants`, in which a string is text whatever it refers to.
fn granted(expander: &mut Expander<'_, '_>, scope: &Scope<'_>, at: NodeId, sink: &mut Sink) -> Node {
    let doc = scope.doc;
    match doc.kind(at) {
        Kind::String => {
            let text = doc.string(at).unwrap_or_default();
            expander.string(at, &text, sink).unwrap_or_default()
        }
        Kind::Array => Node::List(doc.children(at).map(|item| granted(expander, scope, item, sink)).collect()),
        Kind::Table => {
            let entries = doc.children(at).map(|child| {
                let key: Arc<str> = (&*doc.key(child)).into();
                (key, granted(expander, scope, child, sink))
            });
            Node::Object(entries.collect())
        }
        _ => expander.value(at, sink),
    }
}
