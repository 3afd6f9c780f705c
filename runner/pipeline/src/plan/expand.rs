//! Strings with references become values: facts and variables are filled in, outputs become holes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::Scope;
use crate::description::OutputKind;
use crate::diagnostic::{Sink, codes};
use crate::suggest::{did_you_mean, quoted};
use crate::template::{Node, OutputRef, Part};
use crate::text::{self, Piece, Reference, Target};
use crate::tree::{Kind, NodeId};

/// A string that is longer once its references are filled in is refused: variables that double each other would fill
/// the memory otherwise.
const MAX_TEXT: usize = 1 << 20;

/// All strings together.
const MAX_ALL: usize = 64 << 20;

/// Fills references in, for one plan.
pub(super) struct Expander<'a, 's> {
    scope: &'a Scope<'s>,
    /// Values of variables: first those without an environment, then those of each, once a stage needs them.
    vars: Vec<Option<Vec<Var>>>,
    /// Which of them count.
    environment: Option<u32>,
    /// Whether a variable is being worked out that has no value without an environment.
    unset: bool,
    in_vars: bool,
    /// Whether facts stay as the file has them.
    keeps_facts: bool,
    /// Keys and names of outputs are often the same in many steps; they share one allocation.
    names: HashMap<Cow<'s, str>, Arc<str>>,
    spent: usize,
}

/// What is known of a variable.
#[derive(Clone)]
enum Var {
    Value(Node),
    /// It has no value, which was reported.
    Broken,
    /// It has none without an environment. Whoever uses it is told.
    NeedsEnvironment,
}

impl<'a, 's> Expander<'a, 's> {
    pub(super) fn new(scope: &'a Scope<'s>) -> Self {
        let vars = vec![None; scope.pipeline.environments.len() + 1];
        Self {
            scope,
            vars,
            environment: None,
            unset: false,
            in_vars: false,
            keeps_facts: false,
            names: HashMap::new(),
            spent: 0,
        }
    }

    /// One that fills in variables, and leaves facts as they are written: `v-${git.short}`. A plain `${` stays `$${`, so
    /// that nothing plain reads like a fact.
    pub(super) fn keeping_facts(scope: &'a Scope<'s>) -> Self {
        Self { keeps_facts: true, ..Self::new(scope) }
    }

    /// What follows is of this environment, if of any.
    pub(super) fn enter(&mut self, environment: Option<u32>, sink: &mut Sink) {
        self.environment = environment;
        let place = self.place();
        if self.vars[place].is_some() {
            return;
        }
        let pipeline = self.scope.pipeline;
        let own = environment.map(|index| &pipeline.environments[index as usize]);
        self.vars[place] = Some(vec![Var::Broken; pipeline.vars.len()]);
        let mut found = Sink::default();
        self.in_vars = true;
        for index in own.map_or(&pipeline.var_order, |own| &own.order) {
            let own = own.and_then(|own| own.vars.get(index).copied());
            self.unset = false;
            let value = self.value(own.unwrap_or(pipeline.vars[*index as usize].value), &mut found);
            // A variable is a scalar; what is not was reported when the file was read.
            let value = match value {
                _ if self.unset => Var::NeedsEnvironment,
                Node::Null | Node::List(_) | Node::Object(_) | Node::Hole(_) | Node::Mixed(_) => Var::Broken,
                value => Var::Value(value),
            };
            if let Some(known) = &mut self.vars[place] {
                known[*index as usize] = value;
            }
        }
        self.in_vars = false;
        // What is wrong with a value is wrong in every environment that has no other.
        sink.absorb_new(found);
    }

    /// The environment that counts.
    pub(super) fn environment(&self) -> Option<u32> {
        self.environment
    }

    fn place(&self) -> usize {
        self.environment.map_or(0, |index| index as usize + 1)
    }

    /// There is no environment, and something refers to it.
    fn no_environment(&mut self, span: Range<usize>, variable: Option<&str>, sink: &mut Sink) -> Option<Node> {
        if self.in_vars {
            self.unset = true;
            return None;
        }
        sink.error(codes::MISSING_FACT, span, |diagnostic| {
            diagnostic.message = match variable {
                Some(name) => format!("variable {} needs an environment, and this stage has none", quoted(name)),
                None => "this stage has no environment".to_owned(),
            };
            let default = "give a default: `${environment:-none}`";
            diagnostic.help(match self.scope.pipeline.environments.first() {
                Some(first) => {
                    format!("add `environment = \"{0}\"` to the stage, say `--env {0}`, or {default}", first.name)
                }
                None => format!("add `[environments.NAME]` and `environment = \"NAME\"`, or {default}"),
            });
        });
        None
    }

    /// A value of the file. [`Node::Null`], which TOML does not have, stands where there is none; that was reported.
    pub(super) fn value(&mut self, at: NodeId, sink: &mut Sink) -> Node {
        let doc = self.scope.doc;
        match doc.kind(at) {
            Kind::Broken | Kind::DateTime => Node::Null,
            Kind::String => {
                let text = doc.string(at).unwrap_or_default();
                self.text(at, &text, sink).unwrap_or_default()
            }
            Kind::Integer => doc.integer(at).map(Node::Integer).unwrap_or_default(),
            Kind::Float => doc.float(at).filter(|value| value.is_finite()).map(Node::Float).unwrap_or_default(),
            Kind::Bool => doc.boolean(at).map(Node::Bool).unwrap_or_default(),
            Kind::Array => Node::List(doc.children(at).map(|item| self.value(item, sink)).collect()),
            Kind::Table => {
                let entries = doc.children(at).map(|child| (self.name(doc.key(child)), self.value(child, sink)));
                Node::Object(entries.collect())
            }
        }
    }

    /// A string of the file; one that is a reference and nothing else has the type of what it refers to. `None` when
    /// it has no value, which was reported.
    fn text(&mut self, at: NodeId, text: &str, sink: &mut Sink) -> Option<Node> {
        if text::is_plain(text) {
            return Some(Node::Text(text.into()));
        }
        if let [Piece::Reference(reference)] = text::pieces(text).as_slice() {
            let span = self.scope.doc.within(at, text, &reference.at);
            let value = self.reference(reference, text, span, sink)?;
            return self.account(at, value, sink);
        }
        self.string(at, text, sink)
    }

    /// A string of the file, as text whatever it refers to. `None` when it has no value, which was reported.
    pub(super) fn string(&mut self, at: NodeId, text: &str, sink: &mut Sink) -> Option<Node> {
        let mut good = true;
        let mut plain = String::new();
        let mut parts = Vec::new();
        for piece in &text::pieces(text) {
            let reference = match piece {
                Piece::Text(piece) => {
                    // Only an escape gives this piece.
                    if self.keeps_facts && *piece == "${" {
                        plain.push('$');
                    }
                    plain.push_str(piece);
                    continue;
                }
                // Reported when the file was read.
                Piece::Bad(_) => return None,
                Piece::Reference(reference) => reference,
            };
            let span = self.scope.doc.within(at, text, &reference.at);
            match self.reference(reference, text, span.clone(), sink) {
                None => good = false,
                Some(Node::Hole(hole)) if matches!(hole.kind, OutputKind::List | OutputKind::Object) => {
                    good = false;
                    sink.error(codes::BAD_REFERENCE, span, |diagnostic| {
                        let kind = hole.kind;
                        diagnostic.message = format!(
                            "output {} is of type {kind}, which cannot stand inside a text",
                            quoted(&hole.output)
                        );
                        diagnostic.help("refer to it alone, in a string of `with`");
                    });
                }
                Some(Node::Hole(hole)) => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain).into()));
                    }
                    parts.push(Part::Hole(*hole));
                }
                Some(value) => push_scalar(&mut plain, &value),
            }
            if plain.len() > MAX_TEXT {
                self.too_long(at, sink);
                return None;
            }
        }
        if !good {
            return None;
        }
        if parts.is_empty() {
            return self.account(at, Node::Text(plain.into()), sink);
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain.into()));
        }
        Some(Node::Mixed(parts.into()))
    }

    fn account(&mut self, at: NodeId, value: Node, sink: &mut Sink) -> Option<Node> {
        if let Node::Text(text) = &value {
            self.spent += text.len();
            if self.spent > MAX_ALL {
                self.too_long(at, sink);
                return None;
            }
        }
        Some(value)
    }

    fn too_long(&self, at: NodeId, sink: &mut Sink) {
        sink.error(codes::BAD_VALUE, self.scope.doc.span(at), |diagnostic| {
            diagnostic.message = "this text becomes too long once its references are filled in".to_owned();
            diagnostic.help("one may have 1 MiB, and all together 64 MiB; pass larger data as a file");
        });
    }

    fn name(&mut self, name: Cow<'s, str>) -> Arc<str> {
        if let Some(known) = self.names.get(&*name) {
            return known.clone();
        }
        let shared: Arc<str> = (&*name).into();
        self.names.insert(name, shared.clone());
        shared
    }

    /// The value of a reference in this text.
    fn reference(
        &mut self,
        reference: &Reference<'_>,
        text: &str,
        span: Range<usize>,
        sink: &mut Sink,
    ) -> Option<Node> {
        let is_fact = !matches!(reference.target, Target::Var(_) | Target::Output { .. });
        if self.keeps_facts && is_fact {
            return text.get(reference.at.clone()).map(|text| Node::Text(text.into()));
        }
        let facts = self.scope.facts;
        let default = || reference.default.map(|text| Node::Text(text.into()));
        let set = |value: &&String| !value.is_empty() || reference.default.is_none();
        let known = |value: Option<&String>| value.map(|text| Node::Text(text.as_str().into()));
        match reference.target {
            Target::Var(name) => {
                let index = *self.scope.pipeline.var_index.get(name)?;
                match self.vars[self.place()].as_ref()?.get(index as usize)? {
                    Var::Value(value) => Some(value.clone()),
                    Var::Broken => None,
                    Var::NeedsEnvironment => self.no_environment(span, Some(name), sink),
                }
            }
            Target::Environment => {
                let name = self.environment.map(|index| &self.scope.pipeline.environments[index as usize].name);
                match name.map(|name| Node::Text((&**name).into())).or_else(default) {
                    Some(value) => Some(value),
                    None => self.no_environment(span, None, sink),
                }
            }
            // Reported when the file was read.
            Target::Env(name) if self.scope.pipeline.secret_of(name).is_some() => None,
            Target::Env(name) => known(facts.env.get(name).filter(set)).or_else(default).or_else(|| {
                sink.error(codes::MISSING_FACT, span, |diagnostic| {
                    diagnostic.message = format!("the environment variable {} is not set", quoted(name));
                    diagnostic.help(format!("set it, or give a default: `${{env.{name}:-default}}`"));
                });
                None
            }),
            Target::Git(name) if text::GIT.contains(&name) => {
                known(facts.git.get(name)).or_else(default).or_else(|| {
                    sink.error(codes::MISSING_FACT, span, |diagnostic| {
                        let why = match (facts.git.is_empty(), name) {
                            (true, _) => "the pipeline is in no git repository, or one without commits",
                            (false, "tag") => "no tag points to this commit",
                            (false, "branch") => "no branch is checked out",
                            (false, _) => "it is not known",
                        };
                        diagnostic.message = format!("there is no `git.{name}`: {why}");
                        diagnostic.help(format!("give a default: `${{git.{name}:-default}}`"));
                    });
                    None
                })
            }
            Target::Run("id") => Some(Node::Text(facts.run_id.as_str().into())),
            Target::Run("workspace") => Some(Node::Text(facts.workspace.as_str().into())),
            Target::Git(_) | Target::Run(_) => None,
            Target::Output { stage, step, output } if self.scope.recorded.is_some() => {
                self.recorded((stage, step, output), reference.default, span, sink)
            }
            Target::Output { stage, step, output } => {
                self.output((stage, step, output), reference.default, span, sink).map(|hole| Node::Hole(Box::new(hole)))
            }
        }
    }

    fn output(
        &mut self,
        (stage, step, output): (&str, &str, &str),
        default: Option<&str>,
        span: Range<usize>,
        sink: &mut Sink,
    ) -> Option<OutputRef> {
        let pipeline = self.scope.pipeline;
        // Stages and steps that are not there were reported when the file was read, unknown plugins by the planner.
        let stage = *pipeline.stage_index.get(stage)?;
        let index = pipeline.step(stage, step)?;
        let step = pipeline.steps.get(index as usize)?;
        let description = self.scope.description(step.plugin?)?;
        let Some(found) = description.output(output) else {
            sink.error(codes::UNKNOWN_REFERENCE, span, |diagnostic| {
                let plugin = &pipeline.plugins[step.plugin.unwrap_or_default() as usize].source;
                diagnostic.message =
                    format!("plugin `{plugin}` of step {} has no output {}", quoted(&step.name), quoted(output));
                let known = did_you_mean(output, description.outputs.iter().map(|output| output.name.as_str()));
                diagnostic.help(known.unwrap_or_else(|| "it has no outputs at all".to_owned()));
            });
            return None;
        };
        let default = match default {
            None => None,
            Some(text) => match default_of(found.kind, text) {
                Some(value) => Some(value),
                None => {
                    sink.error(codes::BAD_REFERENCE, span, |diagnostic| {
                        let kind = found.kind;
                        diagnostic.message =
                            format!("the default {} is not of the type of the output: {kind}", quoted(text));
                    });
                    return None;
                }
            },
        };
        let index = *self.scope.places.get(index as usize)?;
        let output = self.shared(output);
        let stage = pipeline.stages[stage as usize].name.clone();
        Some(OutputRef { stage, step: step.name.clone(), index, output, kind: found.kind, default })
    }

    /// An output of a run that is over.
    fn recorded(
        &self,
        (stage, step, output): (&str, &str, &str),
        default: Option<&str>,
        span: Range<usize>,
        sink: &mut Sink,
    ) -> Option<Node> {
        let given = self.scope.recorded.and_then(|recorded| recorded(stage, step, output));
        let given = given.map(Node::from).or_else(|| default.map(|text| Node::Text(text.into())));
        if given.is_none() {
            sink.error(codes::UNKNOWN_REFERENCE, span, |diagnostic| {
                let (step, stage, output) = (quoted(step), quoted(stage), quoted(output));
                diagnostic.message = format!("step {step} of stage {stage} gave no output {output} in this run");
            });
        }
        given
    }

    fn shared(&mut self, name: &str) -> Arc<str> {
        match self.names.get(name) {
            Some(known) => known.clone(),
            None => self.name(Cow::Owned(name.to_owned())),
        }
    }
}

fn push_scalar(text: &mut String, value: &Node) {
    match value {
        Node::Text(piece) => text.push_str(piece),
        Node::Integer(number) => text.push_str(&number.to_string()),
        Node::Float(number) => text.push_str(&Value::from(*number).to_string()),
        Node::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        // Variables and facts are scalars.
        Node::Null | Node::Hole(_) | Node::Mixed(_) | Node::List(_) | Node::Object(_) => {}
    }
}

/// The default of an output, as a value of its type.
fn default_of(kind: OutputKind, text: &str) -> Option<Value> {
    let value = || serde_json::from_str::<Value>(text).ok();
    match kind {
        OutputKind::String => Some(Value::String(text.to_owned())),
        // `3` is a number and `1.20` a version: what would not be written the same way is text.
        OutputKind::Any => {
            let value = value().filter(|value| serde_json::to_string(value).is_ok_and(|written| written == text));
            Some(value.unwrap_or_else(|| Value::String(text.to_owned())))
        }
        _ => value().filter(|value| kind.admits(value)),
    }
}
