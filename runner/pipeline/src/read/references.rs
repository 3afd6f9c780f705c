//! `${...}` in the file: whether what it names is there, and comes before.

use std::ops::Range;

use super::Reader;
use crate::diagnostic::{Diagnostic, codes};
use crate::grants;
use crate::suggest::{did_you_mean, nearest, quoted, toml_string};
use crate::text::{self, Bad, Piece, Problem, Reference, Target};
use crate::tree::{Kind, NodeId};

/// Where a string with references stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `with` or `env` of the step with this index.
    Step(u32),
    Grants,
    Var,
    /// The message of a stage that waits.
    Approval,
}

/// A reference to an output.
#[derive(Debug)]
pub(super) struct OutputUse {
    /// The step that refers, and the one that is referred to.
    by: u32,
    to: u32,
    span: Range<usize>,
    default: bool,
}

impl Reader<'_> {
    /// The references in all values of all steps. All names are known by now.
    pub(super) fn check_values(&mut self) {
        for index in 0..self.pipeline.steps.len() {
            let step = &self.pipeline.steps[index];
            let (with, env, grants) = (step.with, step.env, step.grants);
            let place = Place::Step(index as u32);
            if let Some(with) = with {
                self.check_value(with, place);
            }
            if let Some(env) = env {
                self.check_env(env, place);
            }
            if let Some(grants) = grants {
                self.check_grants(grants);
            }
        }
    }

    /// A value of `with`, which goes to the plugin as JSON.
    fn check_value(&mut self, at: NodeId, place: Place) {
        let doc = self.doc;
        match doc.kind(at) {
            Kind::String => {
                let text = doc.string(at).unwrap_or_default();
                self.check_text(at, &text, place, &mut Vec::new());
            }
            // The depth of the tree is bounded.
            Kind::Table | Kind::Array => doc.children(at).for_each(|child| self.check_value(child, place)),
            Kind::Float if doc.float(at).is_some_and(|value| !value.is_finite()) => {
                self.bad_value(at, "infinity and NaN cannot be handed to a plugin".to_owned(), "write a number");
            }
            Kind::DateTime => {
                let raw = doc.whole_text(at).unwrap_or_default();
                self.bad_value(
                    at,
                    "a date cannot be handed to a plugin".to_owned(),
                    format!("put it in quotes: {}", quoted(&toml_string(raw))),
                );
            }
            Kind::Broken | Kind::Integer | Kind::Float | Kind::Bool => {}
        }
    }

    fn check_env(&mut self, at: NodeId, place: Place) {
        let doc = self.doc;
        for child in doc.children(at) {
            let name = doc.key(child);
            self.check_env_name(doc.key_span(child), &name);
            if let Some(text) = self.string(child, &name) {
                self.check_text(child, &text, place, &mut Vec::new());
            }
        }
    }

    fn check_grants(&mut self, at: NodeId) {
        let doc = self.doc;
        let whole = doc.whole_text(at);
        if whole.is_some_and(|whole| self.clean_grants.contains(whole)) {
            return;
        }
        let before = self.sink.errors();
        let mut sink = std::mem::take(&mut self.sink);
        let secrets = std::mem::take(&mut self.pipeline.secrets);
        let mut texts: Vec<NodeId> = Vec::new();
        let mut resolve = |node: NodeId, _: &str, _: &mut _| {
            texts.push(node);
            None
        };
        let mut context = grants::read::Context {
            doc,
            secrets: Some(&secrets),
            sink: &mut sink,
            resolve: &mut resolve,
            places: None,
        };
        grants::read::rules(&mut context, at);
        (self.sink, self.pipeline.secrets) = (sink, secrets);
        for node in texts {
            let text = doc.string(node).unwrap_or_default();
            self.check_text(node, &text, Place::Grants, &mut Vec::new());
        }
        if let Some(whole) = whole.filter(|_| self.sink.errors() == before) {
            self.clean_grants.insert(whole);
        }
    }

    /// The references of one string. The variables that it refers to are added to `vars`.
    pub(super) fn check_text(&mut self, at: NodeId, text: &str, place: Place, vars: &mut Vec<u32>) {
        if text::is_plain(text) {
            return;
        }
        for piece in text::pieces(text) {
            match piece {
                Piece::Text(_) => {}
                Piece::Bad(bad) => {
                    let span = self.doc.within(at, text, &bad.at);
                    self.bad_reference(span, &text[bad.at.clone()], &bad);
                }
                Piece::Reference(reference) => {
                    let span = self.doc.within(at, text, &reference.at);
                    self.check_reference(&reference, span, place, vars);
                }
            }
        }
    }

    fn bad_reference(&mut self, span: Range<usize>, written: &str, bad: &Bad<'_>) {
        let code =
            if matches!(bad.problem, Problem::Root(_)) { codes::UNKNOWN_REFERENCE } else { codes::BAD_REFERENCE };
        self.sink.error(code, span, |diagnostic| match &bad.problem {
            Problem::Unclosed => {
                diagnostic.message = "`${` has no `}`".to_owned();
                diagnostic.help("close it, or write `$${` for a plain `${`");
            }
            Problem::Empty => {
                diagnostic.message = "`${}` names nothing".to_owned();
                diagnostic.help("write `${vars.NAME}`, or `$${` for a plain `${`");
            }
            Problem::Character(bad) => {
                diagnostic.message = format!("{} has {bad:?}, which names do not have", quoted(written));
                diagnostic.help("write `${vars.NAME}`, or `$${` for a plain `${`");
            }
            Problem::Nested => {
                diagnostic.message = "a default cannot hold a reference".to_owned();
                diagnostic.help("put the reference into a variable of `[vars]`, and refer to that");
            }
            Problem::Shape(shape) => {
                diagnostic.message = format!("{} is not complete", quoted(written));
                diagnostic.help(format!("write it as {}", quoted(shape)));
            }
            Problem::Root(root) => {
                diagnostic.message = format!("nothing is called {}", quoted(root));
                diagnostic.help(match (*root, nearest(root, text::ROOTS.iter().copied())) {
                    ("secrets" | "secret", _) => "secrets are never put into texts; grant them with `secrets = [\"NAME\"]`, and the plugin refers to them by name".to_owned(),
                    (_, Some(near)) => format!("did you mean {}?", quoted(near)),
                    _ => "there are `vars`, `env`, `environment`, `git`, `run` and `stages`; `$${` is a plain `${`".to_owned(),
                });
            }
        });
    }

    fn unknown(&mut self, span: Range<usize>, build: impl FnOnce(&mut Diagnostic)) {
        self.sink.error(codes::UNKNOWN_REFERENCE, span, build);
    }

    fn check_reference(&mut self, reference: &Reference<'_>, span: Range<usize>, place: Place, vars: &mut Vec<u32>) {
        if reference.default.is_some() && matches!(reference.target, Target::Var(_) | Target::Run(_)) {
            self.sink.error(codes::BAD_REFERENCE, span.clone(), |diagnostic| {
                diagnostic.message = "a default has no use here: there always is a value".to_owned();
                diagnostic.help("leave out `:-` and what follows");
            });
        }
        match reference.target {
            Target::Var(name) => match self.pipeline.var_index.get(name) {
                Some(index) => vars.push(*index),
                None => {
                    let known = self.pipeline.vars.iter().map(|var| &*var.name);
                    self.sink.error(codes::UNKNOWN_REFERENCE, span, |diagnostic| {
                        diagnostic.message = format!("no variable is called {}", quoted(name));
                        let help = did_you_mean(name, known);
                        diagnostic.help(help.unwrap_or_else(|| format!("add `{name} = \"...\"` to `[vars]`")));
                    });
                }
            },
            Target::Env(name) => {
                if let Some(secret) = self.pipeline.secret_of(name) {
                    // It would stand in the plan and in the journal, for everybody to read.
                    self.sink.error(codes::BAD_REFERENCE, span, |diagnostic| {
                        diagnostic.message =
                            format!("the environment variable {} holds secret {}", quoted(name), quoted(secret));
                        diagnostic.help(
                            "secrets are never put into texts; grant it by its name, and the plugin refers to that",
                        );
                    });
                } else if self.check_env_name(span, name) {
                    self.pipeline.env_names.insert(name.to_owned());
                }
            }
            Target::Git(name) if !text::GIT.contains(&name) => self.unknown(span, |diagnostic| {
                diagnostic.message = format!("`git` has no {}", quoted(name));
                diagnostic.help = did_you_mean(name, text::GIT.iter().copied());
            }),
            Target::Run(name) if !text::RUN.contains(&name) => self.unknown(span, |diagnostic| {
                diagnostic.message = format!("`run` has no {}", quoted(name));
                diagnostic.help = did_you_mean(name, text::RUN.iter().copied());
            }),
            Target::Git(_) | Target::Run(_) | Target::Environment => {}
            Target::Output { stage, step, .. } => match place {
                Place::Step(by) => self.check_output(stage, step, by, span, reference.default.is_some()),
                Place::Grants => self.sink.error(codes::BAD_REFERENCE, span, |diagnostic| {
                    diagnostic.message = "grants cannot refer to outputs: they are fixed before the run".to_owned();
                    diagnostic.help("name the thing itself, or all that it can be, with `*`");
                }),
                Place::Approval => self.sink.error(codes::BAD_REFERENCE, span, |diagnostic| {
                    diagnostic.message = "what is asked cannot refer to outputs: it is fixed before the run".to_owned();
                    diagnostic.help("let a step log what is to be looked at");
                }),
                Place::Var => self.sink.error(codes::BAD_REFERENCE, span, |diagnostic| {
                    diagnostic.message = "variables cannot refer to outputs: they are fixed before the run".to_owned();
                    diagnostic.help("refer to the output where it is used");
                }),
            },
        }
    }

    fn check_output(&mut self, stage: &str, step: &str, by: u32, span: Range<usize>, default: bool) {
        let Some(index) = self.pipeline.stage_index.get(stage).copied() else {
            let stages = &self.pipeline.stages;
            return self.sink.error(codes::UNKNOWN_REFERENCE, span, |diagnostic| {
                diagnostic.message = format!("no stage is called {}", quoted(stage));
                diagnostic.help = did_you_mean(stage, stages.iter().map(|stage| &*stage.name));
            });
        };
        match self.pipeline.step(index, step) {
            Some(to) => self.outputs.push(OutputUse { by, to, span, default }),
            None => {
                let steps = self.pipeline.stages[index as usize].steps.clone();
                let steps = &self.pipeline.steps[steps.start as usize..steps.end as usize];
                self.sink.error(codes::UNKNOWN_REFERENCE, span, |diagnostic| {
                    diagnostic.message = format!("stage {} has no step {}", quoted(stage), quoted(step));
                    diagnostic.help = did_you_mean(step, steps.iter().map(|step| &*step.name));
                });
            }
        }
    }

    /// References to outputs, now that the order of the stages is known.
    pub(super) fn check_output_uses(&mut self) {
        let uses = std::mem::take(&mut self.outputs);
        // In a circle nothing comes before anything, and the circle was reported.
        if self.pipeline.order.is_empty() {
            return;
        }
        let pipeline = &self.pipeline;
        let stage = |step: u32| pipeline.steps[step as usize].stage;
        let pairs: Vec<(u32, u32)> = uses.iter().map(|use_| (stage(use_.to), stage(use_.by))).collect();
        let reached = pipeline.graph.reached(&pipeline.order, &pairs);
        for (use_, reached) in uses.iter().zip(reached) {
            let (by, to) = (&pipeline.steps[use_.by as usize], &pipeline.steps[use_.to as usize]);
            let (home, origin) = (&pipeline.stages[by.stage as usize], &pipeline.stages[to.stage as usize]);
            let same = by.stage == to.stage;
            if same && use_.to < use_.by || reached {
                if !use_.default && !(to.required && (same || origin.required)) {
                    let culprit = if to.required { "stage" } else { "step" };
                    let name = if to.required { &origin.name } else { &to.name };
                    self.sink.error(codes::MAY_BE_MISSING, use_.span.clone(), |diagnostic| {
                        diagnostic.message =
                            format!("this output may be missing: {culprit} {} is not required", quoted(name));
                        diagnostic.help("give a default before the `}`, as in `:-none`, or make it required");
                    });
                }
                continue;
            }
            let ahead = !same && pipeline.graph.reached(&pipeline.order, &[(by.stage, to.stage)]) == [true];
            self.sink.error(codes::NOT_UPSTREAM, use_.span.clone(), |diagnostic| {
                if use_.by == use_.to {
                    diagnostic.message = "a step cannot refer to its own outputs".to_owned();
                } else if same {
                    diagnostic.message = format!("step {} runs after this one", quoted(&to.name));
                    diagnostic.help("steps of a stage run in the order of the file; move it up");
                } else if ahead {
                    diagnostic.message =
                        format!("stage {} needs stage {}, so it runs later", quoted(&origin.name), quoted(&home.name));
                } else {
                    let (origin, home) = (&origin.name, &home.name);
                    diagnostic.message =
                        format!("stage {} does not have to come before stage {}", quoted(origin), quoted(home));
                    diagnostic.help(match pipeline.stages[by.stage as usize].needs {
                        Some(_) => format!("add \"{origin}\" to `needs` of stage {}", quoted(home)),
                        None => format!("add `needs = [\"{origin}\"]` to stage {}", quoted(home)),
                    });
                }
            });
        }
    }
}
