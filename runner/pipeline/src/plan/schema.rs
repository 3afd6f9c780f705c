//! `with` against the JSON Schema of the plugin, with errors that point into the file.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use jsonschema::PatternOptions;
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind as Fault};
use jsonschema::paths::LocationSegment;
use serde_json::Value;

use super::quick;
use crate::description::{Description, OutputKind};
use crate::diagnostic::{Sink, codes};
use crate::suggest::{did_you_mean, listed, nearest, quoted};
use crate::template::{Node, Part, Template};
use crate::tree::{Doc, Kind, NodeId};

/// The schema of one plugin's `with`.
#[derive(Debug)]
pub struct WithSchema {
    schema: Value,
    /// All of it is known to the quick look, so that the validator is needed only for what seems not to fit.
    quick: bool,
    /// Made when it is needed first: that takes longer than all of the rest of planning.
    validator: OnceLock<Result<jsonschema::Validator, String>>,
}

/// A value that is not known yet.
struct Hole {
    path: Vec<Step>,
    /// `None` for one that may be of any type, and for one that has no value at all, which was reported.
    kind: Option<OutputKind>,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(Arc<str>),
    Index(usize),
}

impl WithSchema {
    /// Takes the schema of a plugin. Nothing outside of it is looked up.
    ///
    /// # Errors
    ///
    /// When it is no JSON Schema, in words. That may also come out later, of [`Self::check`].
    pub fn compile(description: &Description) -> Result<Self, String> {
        let schema = description.with_schema.clone();
        let this = Self { quick: quick::understands(&schema), schema, validator: OnceLock::new() };
        if !this.quick {
            this.validator()?;
        }
        Ok(this)
    }

    fn validator(&self) -> Result<&jsonschema::Validator, String> {
        let build = || {
            // The schema comes from somebody else, so its patterns get little time.
            let patterns = PatternOptions::fancy_regex();
            let patterns = patterns.backtrack_limit(10_000).size_limit(1 << 20).dfa_size_limit(1 << 20);
            let options = jsonschema::options().with_pattern_options(patterns);
            options.build(&self.schema).map_err(|error| error.to_string())
        };
        self.validator.get_or_init(build).as_ref().map_err(Clone::clone)
    }

    /// What is wrong with a `with` whose holes are filled, in words; nothing when it fits.
    pub fn check(&self, with: &Value) -> Vec<String> {
        if self.quick && quick::fits(&self.schema, with) {
            return Vec::new();
        }
        let validator = match self.validator() {
            Ok(validator) => validator,
            Err(problem) => return vec![format!("the schema of the plugin cannot be used: {problem}")],
        };
        let words = |error: ValidationError<'_>| {
            let path = error.instance_path().as_str().replace('/', ".");
            format!("with{path}: {}", error.masked_with("the value"))
        };
        validator.iter_errors(with).map(words).collect()
    }

    /// Checks a template against the schema.
    pub(super) fn check_template(&self, with: &Template, place: &WithPlace<'_>, sink: &mut Sink) {
        if self.quick && quick::fits(&self.schema, &*with.0) {
            return;
        }
        let validator = match self.validator() {
            Ok(validator) => validator,
            Err(problem) => return bad_schema(place.doc.span(place.step), place.plugin, &problem, sink),
        };
        let mut holes = Vec::new();
        let instance = stand_in(&with.0, &mut Vec::new(), &mut holes);
        if validator.is_valid(&instance) {
            return;
        }
        for error in validator.iter_errors(&instance) {
            if sink.is_full() {
                sink.count_errors(1);
            } else if !concerns_a_hole(&self.schema, &error, &holes) {
                self.report(&error, &holes, place, sink);
            }
        }
    }

    fn report(&self, error: &ValidationError<'_>, holes: &[Hole], place: &WithPlace<'_>, sink: &mut Sink) {
        let doc = place.doc;
        let (node, name) = place.find(error);
        // For a table, its key is the better place than all of its lines.
        let value = match node {
            Some(node) if doc.kind(node) == Kind::Table => doc.key_span(node),
            Some(node) => doc.span(node),
            None => doc.span(place.step),
        };
        let plugin = place.plugin;
        match error.kind() {
            Fault::AdditionalProperties { unexpected } | Fault::UnevaluatedProperties { unexpected } => {
                for key in unexpected {
                    if sink.is_full() {
                        sink.count_errors(1);
                        continue;
                    }
                    let child = node.and_then(|node| doc.get(node, key));
                    let span = child.map_or(value.clone(), |child| doc.key_span(child));
                    sink.error(codes::BAD_WITH, span, |diagnostic| {
                        diagnostic.message =
                            format!("{} has no key {} for plugin {plugin}", quoted(&name), quoted(key));
                        let known = self.properties(error);
                        diagnostic.help = did_you_mean(key, known.iter().copied());
                    });
                }
            }
            Fault::Required { property } => sink.error(codes::BAD_WITH, value, |diagnostic| {
                let key = property.as_str().unwrap_or_default();
                diagnostic.message =
                    format!("{} has no {}, which plugin {plugin} requires", quoted(&name), quoted(key));
                diagnostic.help(format!("add `{key} = ...`{}", self.hint(error, key)));
            }),
            Fault::Type { kind } => sink.error(codes::BAD_WITH, value, |diagnostic| {
                let wanted = wanted(kind);
                let hole = holes.iter().find(|hole| hole.kind.is_some() && same_path(hole, error));
                let found = match hole {
                    Some(Hole { kind: Some(kind), .. }) => format!("this output is of type {kind}"),
                    _ => format!("found {}", crate::template::word(error.instance())),
                };
                diagnostic.message = format!("{} must be {wanted}; {found}", quoted(&name));
                diagnostic.expected(format!("expected {wanted}"));
            }),
            Fault::Enum { options } => sink.error(codes::BAD_WITH, value, |diagnostic| {
                let options: Vec<String> = options.as_array().into_iter().flatten().map(plain).collect();
                let found = plain(error.instance());
                diagnostic.message = format!("{} cannot be {}", quoted(&name), quoted(&found));
                let near = nearest(&found, options.iter().map(String::as_str));
                diagnostic.help(match near {
                    Some(near) => format!("did you mean {}?", quoted(near)),
                    None => format!("possible are {}", listed(options.iter().take(12).map(String::as_str))),
                });
            }),
            Fault::FalseSchema => sink.error(codes::BAD_WITH, value, |diagnostic| {
                diagnostic.message = format!("{} does not go with the other keys for plugin {plugin}", quoted(&name));
                diagnostic.help("take it out, or the key that it stands against; `windlass plugin inspect` says which");
            }),
            _ => sink.error(codes::BAD_WITH, value, |diagnostic| {
                let text = error.masked_with("it").to_string();
                let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
                diagnostic.message = format!("{} does not fit plugin {plugin}: {text}", quoted(&name));
            }),
        }
    }

    /// The schema that holds the keyword of this error.
    fn parent(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let (parent, _) = error.schema_path().as_str().rsplit_once('/')?;
        self.schema.pointer(parent)
    }

    fn properties(&self, error: &ValidationError<'_>) -> Vec<&str> {
        let properties = self.parent(error).and_then(|schema| schema.get("properties")).and_then(Value::as_object);
        properties.into_iter().flat_map(|known| known.keys().map(String::as_str)).collect()
    }

    /// The first line of what the schema says about a property.
    fn hint(&self, error: &ValidationError<'_>, key: &str) -> String {
        let property = self.parent(error).and_then(|schema| schema.get("properties")).and_then(|known| known.get(key));
        let text =
            property.and_then(|property| property.get("description")).and_then(Value::as_str).unwrap_or_default();
        let line: String =
            text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(120).collect();
        if line.is_empty() { line } else { format!(": {line}") }
    }
}

/// Says that a plugin's own schema is wrong.
pub(super) fn bad_schema(place: Range<usize>, plugin: &str, problem: &str, sink: &mut Sink) {
    sink.error(codes::BAD_PLUGIN, place, |diagnostic| {
        let problem: String = problem.chars().take(300).collect();
        diagnostic.message = format!("the schema of plugin {plugin} cannot be used: {problem}");
        diagnostic.help("this is a mistake in the plugin; `windlass plugin check` shows more");
    });
}

/// Where a `with` stands.
pub(super) struct WithPlace<'a> {
    pub(super) doc: Doc<'a>,
    /// The table, if the step has one.
    pub(super) with: Option<NodeId>,
    pub(super) step: NodeId,
    pub(super) plugin: &'a str,
}

impl WithPlace<'_> {
    /// The value that an error is about, and what to call it.
    fn find(&self, error: &ValidationError<'_>) -> (Option<NodeId>, String) {
        let mut node = self.with;
        let mut name = String::from("with");
        for segment in error.instance_path().segments() {
            match segment {
                LocationSegment::Property(key) => {
                    node = node.and_then(|node| self.doc.get(node, &key));
                    let _ = write!(name, ".{key}");
                }
                LocationSegment::Index(index) => {
                    node = node.and_then(|node| self.doc.children(node).nth(index));
                    let _ = write!(name, "[{index}]");
                }
            }
        }
        (node, name)
    }
}

/// The value, with something of the right type in the holes.
fn stand_in(node: &Node, path: &mut Vec<Step>, holes: &mut Vec<Hole>) -> Value {
    let mut hole = |kind| holes.push(Hole { path: path.clone(), kind });
    match node {
        Node::Null => {
            hole(None);
            Value::Null
        }
        Node::Hole(output) => {
            hole((output.kind != OutputKind::Any).then_some(output.kind));
            match output.kind {
                OutputKind::Any => Value::Null,
                OutputKind::String => Value::String(String::new()),
                OutputKind::Number => Value::from(0),
                OutputKind::Bool => Value::Bool(false),
                OutputKind::List => Value::Array(Vec::new()),
                OutputKind::Object => Value::Object(serde_json::Map::new()),
            }
        }
        Node::Mixed(parts) => {
            hole(Some(OutputKind::String));
            // What is known of the text helps a reader of the message; the check passes over it.
            Value::String(parts.iter().map(|part| if let Part::Text(text) = part { text } else { "" }).collect())
        }
        Node::Bool(value) => Value::Bool(*value),
        Node::Integer(value) => Value::from(*value),
        Node::Float(value) => Value::from(*value),
        Node::Text(text) => Value::String(text.to_string()),
        Node::List(items) => Value::Array(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    path.push(Step::Index(index));
                    let value = stand_in(item, path, holes);
                    path.pop();
                    value
                })
                .collect(),
        ),
        Node::Object(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, item)| {
                    path.push(Step::Key(key.clone()));
                    let value = stand_in(item, path, holes);
                    path.pop();
                    (key.to_string(), value)
                })
                .collect(),
        ),
    }
}

/// Whether an error may come from what stands in for a hole. Such an error is left to the check of the filled value:
/// to refuse a good pipeline is worse than to find a mistake late.
fn concerns_a_hole(schema: &Value, error: &ValidationError<'_>, holes: &[Hole]) -> bool {
    if holes.is_empty() {
        return false;
    }
    let at: Vec<LocationSegment<'_>> = error.instance_path().segments().collect();
    let begins = |path: &[Step], with: &[LocationSegment<'_>]| path.iter().zip(with).all(|(a, b)| same(a, b));
    if branch_in_doubt(schema, error, holes) {
        return true;
    }
    holes.iter().any(|hole| {
        if hole.path.len() <= at.len() {
            // At the hole, or beneath it: only the declared type is known.
            let typed =
                hole.kind.is_some() && hole.path.len() == at.len() && matches!(error.kind(), Fault::Type { .. });
            return begins(&hole.path, &at) && !typed;
        }
        // Above the hole: errors about the keys and the number of values do not depend on what is in them.
        let of_keys = matches!(
            error.kind(),
            Fault::AdditionalProperties { .. }
                | Fault::AdditionalItems { .. }
                | Fault::Required { .. }
                | Fault::MinProperties { .. }
                | Fault::MaxProperties { .. }
                | Fault::MinItems { .. }
                | Fault::MaxItems { .. }
                | Fault::PropertyNames { .. }
                | Fault::Type { .. }
        );
        begins(&hole.path, &at) && !of_keys
    })
}

/// Whether a branch of the schema may have been taken because of a stand-in.
fn branch_in_doubt(schema: &Value, error: &ValidationError<'_>, holes: &[Hole]) -> bool {
    let mut here = Some(schema);
    let mut of_the_whole = true;
    for segment in error.schema_path().segments() {
        here = match &segment {
            LocationSegment::Property(word) => {
                match &**word {
                    // What a step takes as a whole is often chosen by a key that is written out.
                    "then" | "else" if of_the_whole && is_decided(here, holes) => {}
                    "if" | "then" | "else" | "anyOf" | "oneOf" | "not" | "dependentSchemas" | "contains" => {
                        return true;
                    }
                    "allOf" => {}
                    _ => of_the_whole = false,
                }
                here.and_then(|here| here.get(&**word))
            }
            LocationSegment::Index(index) => here.and_then(|here| here.get(*index)),
        };
    }
    false
}

/// Whether an `if` over the whole value comes out the same whatever fills the holes: it looks at the values of some keys,
/// none of which has one, and at which keys there are.
fn is_decided(here: Option<&Value>, holes: &[Hole]) -> bool {
    let Some(condition) = here.and_then(|here| here.get("if")).and_then(Value::as_object) else { return false };
    let known = condition.keys().all(|keyword| matches!(keyword.as_str(), "properties" | "required"));
    let looks_at = |key: &str| condition.get("properties").is_some_and(|properties| properties.get(key).is_some());
    let open = |hole: &Hole| match hole.path.first() {
        Some(Step::Key(key)) => looks_at(key),
        _ => true,
    };
    known && !holes.iter().any(open)
}

fn same(step: &Step, segment: &LocationSegment<'_>) -> bool {
    match (step, segment) {
        (Step::Key(key), LocationSegment::Property(name)) => **key == **name,
        (Step::Index(index), LocationSegment::Index(other)) => index == other,
        _ => false,
    }
}

fn same_path(hole: &Hole, error: &ValidationError<'_>) -> bool {
    let at: Vec<LocationSegment<'_>> = error.instance_path().segments().collect();
    hole.path.len() == at.len() && hole.path.iter().zip(&at).all(|(step, segment)| same(step, segment))
}

fn wanted(kind: &TypeKind) -> String {
    let word = |name: &str| match name {
        "array" => "a list".to_owned(),
        "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    };
    match kind {
        TypeKind::Single(one) => word(one.as_str()),
        TypeKind::Multiple(many) => many.iter().map(|one| word(one.as_str())).collect::<Vec<_>>().join(" or "),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
