//! What each step is granted, and whether that is what its plugin asks for.

use std::ops::Range;
use std::sync::Arc;

use super::make::Maker;
use crate::description::Description;
use crate::diagnostic::{Sink, codes};
use crate::grants::pattern::{Folder, Pattern};
use crate::grants::vocabulary::AMBIENT;
use crate::grants::{Grants, Rule, hint, read, vocabulary};
use crate::pipeline::Step;
use crate::suggest::quoted;
use crate::template::Node;
use crate::tree::{Doc, Kind, NodeId};

/// What a step uses without its plugin asking: the host puts these in, or shows them, by the grant alone.
const BY_VALUE: &[&str] = &["env", "files", "secrets"];

/// Grants with what the planner needs to know of them. Places are relative to that of the grants, so that steps whose
/// grants read the same can share it.
#[derive(Default)]
pub(super) struct Granted {
    pub(super) grants: Arc<Grants>,
    keys: Vec<Key>,
    /// Rules to write a folder, by their index, with the places of their strings.
    writes: Vec<(usize, Range<isize>)>,
}

/// A capability that stands in the grants.
struct Key {
    capability: &'static str,
    /// Whether anything stands in it.
    filled: bool,
    place: Range<isize>,
}

impl Granted {
    /// The folders that may be written, with their places in the file when the grants stand at `base`.
    pub(super) fn writers(&self, base: usize) -> impl Iterator<Item = (&Folder, Range<usize>)> {
        self.writes.iter().filter_map(move |(rule, place)| match &self.grants.rules().get(*rule)?.pattern {
            Pattern::Folder(folder) => Some((folder, absolute(place, base))),
            _ => None,
        })
    }
}

fn relative(place: Range<usize>, base: usize) -> Range<isize> {
    place.start as isize - base as isize..place.end as isize - base as isize
}

fn absolute(place: &Range<isize>, base: usize) -> Range<usize> {
    base.saturating_add_signed(place.start)..base.saturating_add_signed(place.end)
}

/// Reports a folder that a step could not read, since the empty one that it may write has its name.
fn hides(grants: &Grants, written: &Rule, place: Range<usize>, sink: &mut Sink) {
    if written.capability != "files" || grants.of("files", "read").all(|read| read.pattern != written.pattern) {
        return;
    }
    sink.error(codes::BAD_GRANT, place, |diagnostic| {
        let folder = quoted(&written.text);
        diagnostic.message = format!("the step cannot read {folder} and write {folder}");
        diagnostic.help(format!(
            "a folder to write begins empty, and would hide what is in it: read {folder}, and write another"
        ));
    });
}

impl Maker<'_, '_> {
    /// The grants of a step.
    pub(super) fn granted(&mut self, step: &Step, sink: &mut Sink) -> Arc<Granted> {
        let Some(at) = step.grants else { return self.none.clone() };
        let doc = self.scope.doc;
        let whole = doc.whole_text(at);
        let environment = self.expander.environment();
        if let Some(known) = whole.and_then(|whole| self.shared.get(&(environment, whole))) {
            return known.clone();
        }
        let errors = sink.errors();
        let expander = &mut self.expander;
        let written = &mut self.written;
        let mut resolve = |at: NodeId, text: &str, sink: &mut Sink| {
            // An output was reported when the file was read.
            let Node::Text(filled) = expander.string(at, text, sink)? else { return None };
            // What is wrong with it was reported just now.
            let mut reported = Sink::default();
            written.enter(environment, &mut reported);
            let Node::Text(written) = written.string(at, text, &mut reported)? else { return None };
            Some(read::Filled { text: filled.into(), written: written.into() })
        };
        let places = Some((&self.scope.pipeline.lines, self.scope.text));
        let secrets = Some(&self.scope.pipeline.secrets);
        let mut context = read::Context { doc, secrets, sink, resolve: &mut resolve, places };
        let found = read::rules(&mut context, at);
        let base = doc.span(at).start;
        let mut keys = Vec::new();
        for child in doc.children(at) {
            if let Some(row) = vocabulary::verbs(&doc.key(child)).next() {
                keys.push(Key {
                    capability: row.capability,
                    filled: is_filled(doc, child),
                    place: relative(doc.key_span(child), base),
                });
            }
        }
        let mut writes = Vec::new();
        let mut rules = Vec::with_capacity(found.len());
        for (rule, place) in found {
            if matches!((rule.capability, rule.verb), ("files", "write") | ("docker", "mount-write")) {
                writes.push((rules.len(), relative(doc.span(place), base)));
            }
            rules.push(rule);
        }
        let grants = Arc::new(Grants::new(rules, self.scope.location(at)));
        for (rule, place) in &writes {
            hides(&grants, &grants.rules()[*rule], absolute(place, base), sink);
        }
        let granted = Arc::new(Granted { grants, keys, writes });
        // One with a mistake is read again for each step, so that each place is reported.
        if let Some(whole) = whole.filter(|_| sink.errors() == errors) {
            self.shared.insert((environment, whole), granted.clone());
        }
        granted
    }

    /// What the plugin asks for against what the step grants.
    pub(super) fn capabilities(&self, step: &Step, description: &Description, granted: &Granted, sink: &mut Sink) {
        let doc = self.scope.doc;
        let place = || doc.span(step.uses.unwrap_or(step.node));
        for used in description.capabilities.iter().filter(|used| used.required) {
            let name = used.capability.as_str();
            // A grant that could not be read was reported, and is better than a second report.
            if AMBIENT.contains(&name) || granted.keys.iter().any(|key| key.capability == name && key.filled) {
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
        for key in granted
            .keys
            .iter()
            .filter(|key| !BY_VALUE.contains(&key.capability) && description.capability(key.capability).is_none())
        {
            sink.warning(codes::UNUSED_GRANT, absolute(&key.place, base), |diagnostic| {
                let (plugin, capability) = (quoted(&description.name), quoted(key.capability));
                diagnostic.message = format!("plugin {plugin} never asks for {capability}");
                diagnostic.help("take the grant out");
            });
        }
    }
}

/// Whether there is a value in any list of a grant. Also one that cannot be read: it was reported.
fn is_filled(doc: Doc<'_>, at: NodeId) -> bool {
    match doc.kind(at) {
        Kind::Table | Kind::Array => doc.children(at).any(|child| is_filled(doc, child)),
        Kind::Bool => doc.boolean(at) == Some(true),
        _ => true,
    }
}
