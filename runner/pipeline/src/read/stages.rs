//! `[stages.*]` and their steps.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::Reader;
use crate::diagnostic::{Sink, codes};
use crate::graph::Graph;
use crate::pipeline::{INDEXED_STEPS, Stage, Step};
use crate::plan::OnCrash;
use crate::suggest::{did_you_mean, quoted};
use crate::tree::{Kind, NodeId};

const STAGE: &[&str] = &["needs", "required", "steps"];
const STEP: &[&str] = &["env", "grants", "limits", "name", "on-crash", "required", "timeout", "uses", "with"];

impl<'s> Reader<'s> {
    pub(super) fn stages_table(&mut self, at: NodeId) {
        if !self.table(at, "stages", "write `[stages.NAME]` for each stage") {
            return;
        }
        let doc = self.doc;
        let mut tables = Vec::new();
        for child in doc.children(at) {
            let name = doc.key(child);
            self.check_name(doc.key_span(child), "stage", &name);
            if !self.table(child, &name, "a stage is a table: `[stages.NAME]`") {
                continue;
            }
            let name: Arc<str> = name.into();
            self.pipeline.stage_index.insert(name.clone(), tables.len() as u32);
            self.pipeline.stages.push(Stage { name, node: child, needs: None, steps: 0..0, required: true });
            tables.push(child);
        }
        if doc.children(at).next().is_none() {
            self.sink.error(codes::EMPTY, doc.key_span(at), |diagnostic| {
                diagnostic.message = "the pipeline has no stages".to_owned();
                diagnostic.help("add `[stages.build]` with `[[stages.build.steps]]`");
            });
        }
        self.pipeline.steps.reserve(tables.len());
        let mut graph = Graph::new();
        for (index, table) in tables.into_iter().enumerate() {
            let needs = self.stage(index as u32, table);
            graph.push(needs);
        }
        match graph.order() {
            Ok(order) => self.pipeline.order = order,
            Err(cycles) => cycles.iter().for_each(|cycle| self.stage_cycle(cycle)),
        }
        self.pipeline.graph = graph;
        self.check_values();
    }

    /// The only step of the only stage, in a file that is no pipeline.
    pub(super) fn only_step(&mut self, stage: &str, at: NodeId) {
        let name: Arc<str> = stage.into();
        self.pipeline.stage_index.insert(name.clone(), 0);
        self.pipeline.stages.push(Stage { name, node: at, needs: None, steps: 0..1, required: true });
        self.step(0, at);
        let mut graph = Graph::new();
        graph.push(Vec::new());
        self.pipeline.order = vec![0];
        self.pipeline.graph = graph;
        self.check_values();
        self.check_output_uses();
    }

    /// One stage; gives what it needs.
    fn stage(&mut self, index: u32, table: NodeId) -> Vec<u32> {
        let doc = self.doc;
        let mut needs = Vec::new();
        let mut steps = None;
        for child in doc.children(table) {
            match &*doc.key(child) {
                "needs" => {
                    self.pipeline.stages[index as usize].needs = Some(child);
                    needs = self.needs(index, child);
                }
                key @ "required" => {
                    self.pipeline.stages[index as usize].required = self.boolean(child, key).unwrap_or(true);
                }
                "steps" => steps = Some(child),
                other => {
                    let name = self.pipeline.stages[index as usize].name.clone();
                    self.unknown_key_with(child, other, &format!("stage {}", quoted(&name)), || {
                        if STEP.contains(&other) {
                            return Some(format!("{} belongs into a step: `[[stages.{name}.steps]]`", quoted(other)));
                        }
                        did_you_mean(other, STAGE.iter().copied())
                    });
                }
            }
        }
        let first = self.pipeline.steps.len() as u32;
        let empty = match steps {
            Some(steps) => self.steps(index, steps),
            None => true,
        };
        if empty {
            let name = self.pipeline.stages[index as usize].name.clone();
            let place = steps.map_or_else(|| doc.key_span(table), |steps| doc.key_span(steps));
            self.sink.error(codes::EMPTY, place, |diagnostic| {
                diagnostic.message = format!("stage {} has no steps", quoted(&name));
                diagnostic.help(format!("add `[[stages.{name}.steps]]` with `uses = \"...\"`"));
            });
        }
        let last = self.pipeline.steps.len() as u32;
        self.pipeline.stages[index as usize].steps = first..last;
        if (last - first) as usize > INDEXED_STEPS {
            let names = (first..last).map(|step| (self.pipeline.steps[step as usize].name.clone(), step));
            let names: HashMap<Arc<str>, u32> = names.collect();
            self.pipeline.step_index.insert(index, names);
        }
        needs
    }

    fn needs(&mut self, index: u32, at: NodeId) -> Vec<u32> {
        let doc = self.doc;
        let mut needs: Vec<u32> = Vec::new();
        let mut seen: HashSet<u32> = HashSet::new();
        if doc.kind(at) != Kind::Array {
            let help = match doc.string(at) {
                Some(text) => format!("write `needs = [\"{text}\"]`"),
                None => "write `needs = [\"build\"]`".to_owned(),
            };
            self.wrong_type(at, "needs", "a list of stages", Some(help));
            return needs;
        }
        for item in doc.children(at) {
            let Some(name) = self.string(item, "needs") else { continue };
            match self.pipeline.stage_index.get(&*name).copied() {
                Some(need) if need == index => self.sink.error(codes::CYCLE, doc.span(item), |diagnostic| {
                    diagnostic.message = format!("stage {} needs itself", quoted(&name));
                    diagnostic.help("remove it from the list");
                }),
                Some(need) if !seen.insert(need) => {
                    self.sink.error(codes::DUPLICATE_NAME, doc.span(item), |diagnostic| {
                        diagnostic.message = format!("{} stands in `needs` twice", quoted(&name));
                        diagnostic.help("remove one of them");
                    });
                }
                Some(need) => needs.push(need),
                None => {
                    let stages = &self.pipeline.stages;
                    self.sink.error(codes::UNKNOWN_STAGE, doc.span(item), |diagnostic| {
                        diagnostic.message = format!("no stage is called {}", quoted(&name));
                        diagnostic.help = did_you_mean(&name, stages.iter().map(|stage| &*stage.name));
                    });
                }
            }
        }
        needs
    }

    fn stage_cycle(&mut self, cycle: &[u32]) {
        let doc = self.doc;
        let stages = &self.pipeline.stages;
        let part = |at: usize| {
            let (stage, next) = (&stages[cycle[at] as usize], &stages[cycle[(at + 1) % cycle.len()] as usize]);
            let mut items = stage.needs.into_iter().flat_map(|needs| doc.children(needs));
            let item = items.find(|item| doc.string(*item).is_some_and(|name| *name == *next.name));
            (stage.name.clone(), doc.span(item.unwrap_or(stage.node)))
        };
        report_cycle(&mut self.sink, "stages need each other", "needs", (0..cycle.len()).map(part).collect());
    }

    /// The steps of a stage; says whether there are none.
    fn steps(&mut self, stage: u32, at: NodeId) -> bool {
        let doc = self.doc;
        if doc.kind(at) != Kind::Array {
            let name = &self.pipeline.stages[stage as usize].name;
            let help = format!("write `[[stages.{name}.steps]]` for each step");
            self.wrong_type(at, "steps", "a list of tables", Some(help));
            return false;
        }
        let mut named: HashMap<Arc<str>, (Range<usize>, bool)> = HashMap::new();
        let mut last: Option<(Arc<str>, Range<usize>, bool)> = None;
        for item in doc.children(at) {
            if !self.table(
                item,
                "a step",
                "write `{ uses = \"...\" }`, or `[[stages.NAME.steps]]` with the keys beneath",
            ) {
                continue;
            }
            let (name, place, given) = self.step(stage, item);
            // Most stages have one step, and need no map.
            if let Some((name, place, given)) = last.take() {
                named.entry(name).or_insert((place, given));
            }
            if let Some((first, first_given)) = named.get(&name).cloned() {
                self.sink.error(codes::DUPLICATE_NAME, place.clone(), |diagnostic| {
                    diagnostic.message = format!("two steps of this stage are called {}", quoted(&name));
                    diagnostic.related(first, "first here");
                    let help = match (given, first_given) {
                        (true, true) => "give one of them another name",
                        _ => "a step without a `name` is called like its plugin; give it a name",
                    };
                    diagnostic.help(help);
                });
            }
            last = Some((name, place, given));
        }
        doc.children(at).next().is_none()
    }

    /// One step. Gives its name, the place of it, and whether the file gives the name.
    fn step(&mut self, stage: u32, at: NodeId) -> (Arc<str>, Range<usize>, bool) {
        let doc = self.doc;
        let mut name = None;
        let mut fallback = self.unnamed.clone();
        let mut step = Step {
            name: fallback.clone(),
            stage,
            plugin: None,
            node: at,
            uses: None,
            with: None,
            grants: None,
            env: None,
            limits: None,
            timeout: None,
            required: true,
            on_crash: OnCrash::Ask,
        };
        for child in doc.children(at) {
            match &*doc.key(child) {
                key @ "name" => {
                    if let Some(text) = self.string(child, key) {
                        self.check_name(doc.span(child), "step", &text);
                        name = Some((text, doc.span(child)));
                    }
                }
                "uses" => {
                    step.uses = Some(child);
                    (step.plugin, fallback) = self.resolve_uses(child).unwrap_or((None, fallback));
                }
                key @ "with" => {
                    if self.table(child, key, "write `with = { KEY = VALUE }`") {
                        step.with = Some(child);
                    }
                }
                "grants" => step.grants = Some(child),
                key @ "env" => {
                    if self.table(child, key, "write `env = { NAME = \"value\" }`") {
                        step.env = Some(child);
                    }
                }
                key @ "timeout" => step.timeout = self.duration(child, key),
                "limits" => step.limits = Some(Box::new(self.limits(child))),
                key @ "required" => step.required = self.boolean(child, key).unwrap_or(true),
                "on-crash" => step.on_crash = self.on_crash(child),
                other => {
                    let capability = crate::grants::vocabulary::capabilities().any(|known| known == other);
                    self.unknown_key_with(child, other, "this step", || {
                        if capability {
                            return Some(format!("{} belongs into `grants`", quoted(other)));
                        }
                        if other == "needs" {
                            return Some("steps run in their order; `needs` belongs to the stage".to_owned());
                        }
                        did_you_mean(other, STEP.iter().copied())
                    });
                }
            }
        }
        if step.uses.is_none() {
            self.missing_key(at, "this step", "uses", "name its plugin: `uses = \"builtin:command\"`");
        }
        let (name, place, given) = match name {
            Some((name, place)) => (self.step_name(name), place, true),
            None => (fallback, doc.span(step.uses.unwrap_or(at)), false),
        };
        step.name = name.clone();
        self.pipeline.steps.push(step);
        (name, place, given)
    }

    fn step_name(&mut self, name: std::borrow::Cow<'s, str>) -> Arc<str> {
        if let Some(known) = self.step_names.get(&*name) {
            return known.clone();
        }
        let shared: Arc<str> = (&*name).into();
        self.step_names.insert(name, shared.clone());
        shared
    }

    fn on_crash(&mut self, at: NodeId) -> OnCrash {
        const HELP: &str = "\"ask\" stops and asks a person, \"repeat\" does the effect again";
        match self.string(at, "on-crash").as_deref() {
            Some("repeat") => OnCrash::Repeat,
            Some("ask") | None => OnCrash::Ask,
            Some(other) => {
                let help = did_you_mean(other, ["ask", "repeat"]).unwrap_or_else(|| HELP.to_owned());
                self.bad_value(at, format!("`on-crash` cannot be {}", quoted(other)), help);
                OnCrash::Ask
            }
        }
    }
}

/// Things that need each other in a circle: `a -> b -> a`, with the place of each arrow.
pub(super) fn report_cycle(sink: &mut Sink, what: &str, verb: &str, parts: Vec<(Arc<str>, Range<usize>)>) {
    const SHOWN: usize = 8;
    let Some((first, place)) = parts.first() else { return };
    sink.error(codes::CYCLE, place.clone(), |diagnostic| {
        let mut path: Vec<&str> = parts.iter().map(|(name, _)| &**name).collect();
        if path.len() > SHOWN {
            path.splice(SHOWN - 2..path.len() - 1, ["..."]);
        }
        path.push(first);
        diagnostic.message = format!("{what} in a circle: {}", path.join(" -> "));
        let next = |at: usize| &parts[(at + 1) % parts.len()].0;
        diagnostic.label(format!("{} {verb} {}", quoted(first), quoted(next(0))));
        for (at, (name, place)) in parts.iter().enumerate().skip(1).take(SHOWN - 2) {
            diagnostic.related(place.clone(), format!("{} {verb} {}", quoted(name), quoted(next(at))));
        }
        diagnostic.help("take one of the arrows out");
    });
}
