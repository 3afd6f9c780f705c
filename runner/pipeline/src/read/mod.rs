//! Text to [`Pipeline`]: everything that the file alone can tell is checked here.

mod environments;
mod fields;
mod references;
mod stages;
mod top;
mod uses;
mod values;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::diagnostic::{Sink, codes};
use crate::document::Frame;
use crate::pipeline::Pipeline;
use crate::plan::SecretSource;
use crate::source::{Lines, Source};
use crate::suggest::{did_you_mean, nearest, quoted};
use crate::tree::{self, Doc, NodeId, Tree};

pub(crate) use fields::{MAX_NAME, good_word};

/// Reads what can be read; what is wrong is in the pipeline's sink.
pub(crate) fn read(source: &Source) -> Pipeline {
    let mut sink = Sink::default();
    let text = source.text.as_str();
    if text.len() > crate::MAX_BYTES {
        sink.error(codes::TOO_LARGE, 0..0, |diagnostic| {
            diagnostic.message = format!("the file has {} bytes; the limit is {}", text.len(), crate::MAX_BYTES);
        });
        return Pipeline { found: sink, ..Pipeline::default() };
    }
    let tree = tree::build(text, &mut sink);
    whole(text, tree, sink, |reader| reader.top())
}

/// Reads a step that stands in another file as the only step of a pipeline.
pub(crate) fn step(text: &str, tree: Tree, at: NodeId, frame: Frame<'_>) -> Pipeline {
    let mut pipeline = whole(text, tree, Sink::default(), |reader| {
        let secret = |name: &String| (name.clone(), SecretSource::Env(String::new()));
        reader.pipeline.secrets = frame.secrets.iter().map(secret).collect();
        reader.only_step(frame.stage, at);
    });
    pipeline.name = frame.pipeline.to_owned();
    pipeline
}

fn whole(text: &str, tree: Tree, sink: Sink, read: impl FnOnce(&mut Reader<'_>)) -> Pipeline {
    let mut reader = Reader {
        doc: Doc::new(&tree, text),
        text,
        sink,
        lines: Lines::of(text),
        pipeline: Pipeline::default(),
        names: HashMap::new(),
        uses: HashMap::new(),
        sources: HashMap::new(),
        step_names: HashMap::new(),
        unnamed: "step".into(),
        clean_grants: HashSet::new(),
        var_needs: Vec::new(),
        outputs: Vec::new(),
    };
    read(&mut reader);
    let Reader { sink, lines, mut pipeline, .. } = reader;
    pipeline.found = sink;
    pipeline.lines = lines;
    pipeline.text_len = text.len();
    pipeline.tree = tree;
    pipeline
}

/// The state of one reading.
struct Reader<'s> {
    doc: Doc<'s>,
    text: &'s str,
    sink: Sink,
    lines: Lines,
    pipeline: Pipeline,
    /// `[plugins]`: where the source of each name stands, and its index in the pipeline once a step uses it.
    names: HashMap<Cow<'s, str>, top::Named>,
    /// What `uses` was resolved to, by its text, and what a step is called after it.
    uses: HashMap<Cow<'s, str>, (Option<u32>, Arc<str>)>,
    sources: HashMap<crate::PluginSource, u32>,
    /// Step names are often the same in many stages; they share one allocation.
    step_names: HashMap<Cow<'s, str>, Arc<str>>,
    /// The name of a step that says nothing about itself.
    unnamed: Arc<str>,
    /// Texts of `grants` that were found to be in order. Generated pipelines repeat them.
    clean_grants: HashSet<&'s str>,
    /// What each variable refers to.
    var_needs: Vec<Vec<u32>>,
    /// References to outputs, which can be checked only when all stages are known.
    outputs: Vec<references::OutputUse>,
}

impl<'s> Reader<'s> {
    fn top(&mut self) {
        const KNOWN: &[&str] = &["environments", "pipeline", "plugins", "secrets", "stages", "vars"];
        let doc = self.doc;
        let mut found: [Option<NodeId>; 6] = [None; 6];
        // A key that was meant to be one of these; then it is not missing, too.
        let mut slips = Vec::new();
        for child in doc.children(NodeId::ROOT) {
            let key = doc.key(child);
            match KNOWN.iter().position(|known| *known == key) {
                Some(index) => found[index] = Some(child),
                None => {
                    slips.extend(nearest(&key, KNOWN.iter().copied()));
                    self.unknown_top(child, &key, KNOWN);
                }
            }
        }
        let [environments, pipeline, plugins, secrets, stages, vars] = found;
        match pipeline {
            Some(at) => self.pipeline_table(at),
            None if slips.contains(&"pipeline") => {}
            None => self.sink.error(codes::MISSING_KEY, 0..0, |diagnostic| {
                diagnostic.message = "the table `[pipeline]` is missing".to_owned();
                diagnostic.help("begin the file with `[pipeline]` and `name = \"...\"`");
            }),
        }
        if let Some(at) = secrets {
            self.secrets_table(at);
        }
        if let Some(at) = plugins {
            self.plugins_table(at);
        }
        if let Some(at) = vars {
            self.vars_table(at);
        }
        if let Some(at) = environments {
            self.environments_table(at);
        }
        match stages {
            Some(at) => self.stages_table(at),
            None if slips.contains(&"stages") => {}
            None => self.sink.error(codes::EMPTY, 0..0, |diagnostic| {
                diagnostic.message = "the pipeline has no stages".to_owned();
                diagnostic.help("add `[stages.build]` with `[[stages.build.steps]]`");
            }),
        }
        self.check_output_uses();
    }

    fn unknown_top(&mut self, at: NodeId, key: &str, known: &[&str]) {
        self.sink.error(codes::UNKNOWN_KEY, self.doc.key_span(at), |diagnostic| {
            diagnostic.message = format!("unknown key {}", quoted(key));
            diagnostic.help = match key {
                "name" | "description" | "jobs" | "timeout" => {
                    Some(format!("{} belongs into `[pipeline]`", quoted(key)))
                }
                "environment" => Some(
                    "an environment has a table: `[environments.NAME]`; a stage names it with `environment = \"NAME\"`"
                        .to_owned(),
                ),
                "steps" | "needs" => Some(format!("{} belongs into a stage: `[stages.NAME]`", quoted(key))),
                _ => did_you_mean(key, known.iter().copied()),
            };
        });
    }
}
